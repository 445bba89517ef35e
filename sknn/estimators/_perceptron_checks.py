"""Checks of what the methods of PerceptronClassifier are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from sknn._array import Array
from sknn.estimators._parameters import validate_parameters
from sknn.estimators._perceptron_parameters import PARAMETERS
from sknn.estimators._reading import (
    as_plain,
    read_classes,
    read_floats,
    read_weights,
    reading,
    require_columns,
)

FLOATS = [np.float64, np.float32]


def check_parameters(estimator: Any) -> None:
    """Raise for constructor parameters that are not allowed."""
    validate_parameters(estimator, PARAMETERS, PARAMETERS)
    if estimator.average and estimator.pocket:
        raise ValueError(
            f"average={estimator.average!r} and pocket=True exclude each other: one "
            "publishes mean weights, the other the best. Set one of them to False."
        )


def check_data(estimator: Any, X: Any, y: Any, reset: bool) -> tuple[Any, Array]:
    """Return samples, as a plain array in C order or in canonical CSR, and labels."""
    with reading("X", "y"):
        X = as_plain("X", X)
        require_columns(estimator, X)
        X, y = validate_data(
            estimator,
            X,
            as_plain("y", y),
            accept_sparse="csr",
            dtype=FLOATS,
            order="C",
            reset=reset,
        )
        check_classification_targets(y)
    if sparse.issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X, y


def check_classes(classes: Array) -> Array:
    """Return the classes; raise where there is nothing to tell apart."""
    if len(classes) < 2:
        raise ValueError(
            "The number of classes has to be greater than one; got "
            f"{len(classes)} class"
        )
    return classes


def classes_of_all_calls(classes: Any, known: Array | None) -> Array:
    """Return the classes of all calls of `partial_fit`, given those `known` so far."""
    if known is None and classes is None:
        raise ValueError("classes must be passed on the first call to partial_fit.")
    if known is None:
        return check_classes(read_classes(classes))
    if classes is not None and not np.array_equal(known, read_classes(classes)):
        raise ValueError(
            f"`classes={classes!r}` is not the same as on last call to partial_fit, "
            f"was: {known!r}"
        )
    return known


def encode(y: Array, classes: Array) -> Array:
    """Return the index of each label among the classes."""
    codes = np.searchsorted(classes, y)
    unknown = y[classes.take(codes, mode="clip") != y]
    if len(unknown):
        raise ValueError(
            f"y has labels that are not among classes: {np.unique(unknown)}."
        )
    return codes


def check_weights(sample_weight: Any, X: Any) -> Array:
    """Return sample weights, ones where none are given."""
    w = read_weights(sample_weight, X)
    if not w.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return w


def check_initial(name: str, given: Any, shape: tuple[int, ...]) -> Array:
    """Return weights to start from; those of a single function may be flat."""
    array = read_floats(name, given)
    if shape[0] == 1 and array.shape == shape[1:]:
        array = array.reshape(shape)
    if array.shape != shape:
        raise ValueError(
            f"{name} must have the shape {shape} to match classes and features, got "
            f"{array.shape}."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    return array


def refuse_balanced(class_weight: Any) -> None:
    """Raise where class weights depend on samples that are not known yet."""
    if isinstance(class_weight, str):
        raise ValueError(
            f"class_weight {class_weight!r} is not supported for partial_fit, which "
            "does not know all samples. Pass the weights as a dict, for example from "
            "sklearn.utils.class_weight.compute_class_weight."
        )
