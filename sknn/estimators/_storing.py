"""Estimators in files: written, read, and checked before anybody has them.

The layout of the file is `_tensors`' business, the classes in it are `_stored`'s.
"""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy
import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from sknn._array import Array
from sknn._tensors import FileFormatError, read_tensors, write_tensors
from sknn._versions import __version__
from sknn.estimators._parameters import validate_parameters
from sknn.estimators._stored import ESTIMATORS, codec
from sknn.network import Network
from sknn.training.state import TrainingState

KIND = "estimator"
_MOST_FEATURES = 10**8


def check_storable(estimator: Any) -> None:
    """Raise TypeError where a parameter of an estimator cannot stand in a file."""
    encode(_blank(estimator))


def store(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write an estimator to a file, which is there whole or not at all.

    Raises
    ------
    TypeError
        If something in it is of a class that files do not hold.
    ValueError
        If a constructor parameter is not valid.
    OSError
        If the file cannot be written.
    """
    _validate(estimator)
    tree, arrays = encode(estimator)
    write_tensors(path, arrays, {"kind": KIND, "versions": versions(), "model": tree})


def versions() -> dict[str, str]:
    """Return the versions of the packages that an estimator depends on."""
    return {
        "sknn": __version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "sklearn": sklearn.__version__,
    }


def encode(estimator: Any) -> tuple[Any, dict[str, Array]]:
    """Return an estimator as a tree for JSON and arrays."""
    try:
        return codec().encode(estimator, "model")
    except TypeError as error:
        raise TypeError(
            f"{type(estimator).__name__} cannot be stored in a file of sknn: {error}. "
            "Such a file holds numbers, text and what sknn itself is made of. Set the "
            "parameter to None before saving, use an object of sknn, or take "
            "pickle, joblib or skops."
        ) from None


def restore(path: str | os.PathLike[str]) -> Any:
    """Return the estimator in a file; see `store`.

    Raises
    ------
    FileFormatError
        If the file is damaged, of a newer version, or holds no whole estimator.
    OSError
        If the file cannot be read.
    """
    arrays, about = read_tensors(path)
    with naming_file(path):
        return decode(arrays, about)


@contextmanager
def naming_file(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the file in what is found wrong with it."""
    try:
        yield
    except FileFormatError as error:
        message = f"cannot read {os.fspath(path)!r}: {error}"
        raise FileFormatError(message) from error.__cause__


def decode(arrays: dict[str, Array], about: Any) -> Any:
    """Return the estimator that arrays and metadata of a file describe."""
    model, written_by = _parse(about)
    made: list[Any] = []
    estimator = codec(made).decode(model, arrays)
    if type(estimator) not in ESTIMATORS:
        raise FileFormatError(f"it holds no estimator but a {type(estimator).__name__}")
    for part in made:
        if type(part) in ESTIMATORS:
            check_whole(part)
    try_out(estimator)
    _warn_of_versions(made, written_by)
    return estimator


def _parse(about: Any) -> tuple[Any, dict[str, str]]:
    keys = {"kind", "versions", "model"}
    if not isinstance(about, dict) or not keys <= set(about) or about["kind"] != KIND:
        raise FileFormatError("it holds no estimator of sknn")
    written_by = about["versions"]
    if not isinstance(written_by, dict) or not all(
        isinstance(text, str) for text in written_by.values()
    ):
        raise FileFormatError("it is damaged, its versions are none")
    return about["model"], written_by


# Checks of what has been made


def _blank(estimator: Any) -> Any:
    """Return the estimator as it is before a fit."""
    blank = copy.copy(estimator)
    names = estimator.get_params(deep=False)
    blank.__dict__ = {name: vars(estimator)[name] for name in names}
    return blank


def _validate(estimator: Any) -> None:
    rows = getattr(estimator, "_rows", None)
    if rows is not None:
        validate_parameters(estimator, rows, rows)


def check_whole(part: Any) -> None:
    """Raise FileFormatError where an estimator that was made is not whole."""
    try:
        _validate(part)
        _check_fit(part)
    except (FileFormatError, MemoryError):
        raise
    except Exception as error:
        kind = type(part).__name__
        raise FileFormatError(
            f"it is damaged, its {kind} is not whole: {error}"
        ) from error


def _check_state(state: TrainingState) -> None:
    _require(isinstance(state.rng, np.random.RandomState), "there is no random state")
    order = state.permutation
    if order is not None:
        _require(order.dtype.kind == "i", "the order of samples is none")
        whole = np.array_equal(np.sort(order), np.arange(len(order)))
        _require(whole, "the order of samples is none")
    for rows in (state.train_rows, state.validation_rows):
        if rows is not None:
            inside = rows.dtype.kind == "i" and rows.min(initial=0) >= 0
            _require(inside and rows.max(initial=0) < state.n_split, "rows are none")
    _require(len({len(column) for column in state.history.values()}) <= 1, "history")
    for name in ("steps", "samples", "epoch", "stalled", "first_epoch", "n_averaged"):
        value = getattr(state, name)
        _require(isinstance(value, (int, np.integer)) and value >= 0, name)


def _check_fit(estimator: Any) -> None:
    """Raise ValueError where network, state and number of features do not fit."""
    known = vars(estimator)
    _require(known.get("n_features_in_", 1) <= _MOST_FEATURES, "n_features_in_")
    if "coef_" in known:
        _check_perceptron(known)
    if "_network" not in known:
        return
    network, state = known["_network"], known["_state"]
    _require(isinstance(network, Network), "the network is none")
    _require(isinstance(state, TrainingState), "the state of training is none")
    _check_state(state)
    _require(network.n_features == estimator._n_inputs(), "the network's features")
    values = network.values
    _require(values.shape == (network.n_parameters,), "the number of parameters")
    _require(bool(np.isfinite(values).all()), "parameters are not finite")
    n_raw = estimator._loss.n_raw(estimator._targets.n_outputs)
    _require(network.n_outputs == n_raw, "the network's outputs")
    for name in ("best_values", "last_values", "average"):
        vector = getattr(state, name)
        fits = vector is None or vector.shape == values.shape
        _require(fits, f"{name} does not fit to the network")


def _check_perceptron(known: dict[str, Any]) -> None:
    """Raise ValueError where weights in training do not fit to the published ones."""
    shapes = known["coef_"].shape, known["intercept_"].shape
    running, mean = known.get("_running"), known.get("_mean")
    pairs = [] if running is None else [tuple(running)]
    if mean is not None:
        _require(set(mean) == {"start", "coef", "intercept", "seen"}, "the mean")
        _require(mean["seen"].shape == known["intercept_"].shape, "the mean")
        pairs.append((mean["coef"], mean["intercept"]))
    for coef, intercept in pairs:
        _require((coef.shape, intercept.shape) == shapes, "weights in training")


def _require(condition: Any, what: str) -> None:
    if not condition:
        raise ValueError(what)


def try_out(estimator: Any) -> None:
    """Raise FileFormatError unless a fitted estimator predicts a sample."""
    if "n_features_in_" not in vars(estimator):
        return
    trial = copy.copy(estimator)
    trial.__dict__.pop("feature_names_in_", None)
    answer = trial.predict if hasattr(trial, "predict") else trial.transform
    try:
        with np.errstate(all="ignore"):
            answer(_sample(estimator))
    except MemoryError:
        raise
    except Exception as error:
        raise FileFormatError(
            f"it is damaged, its estimator does not predict: {error}"
        ) from error


def _sample(estimator: Any) -> Array:
    """Return one row that the estimator must be able to take."""
    columns = getattr(estimator, "_columns", None)
    if columns is None or not columns.encoders:
        return np.zeros((1, estimator.n_features_in_))
    row = np.zeros((1, estimator.n_features_in_), object)
    for i, encoder in zip(columns.categorical_columns, columns.encoders, strict=True):
        row[0, i] = encoder.categories_[0][0]
    return row


def _warn_of_versions(made: list[Any], written_by: dict[str, str]) -> None:
    """Warn where objects of scikit-learn were stored by another version of it."""
    then = written_by.get("sklearn", "")
    if then == sklearn.__version__:
        return
    for part in made:
        if type(part).__module__.startswith("sklearn."):
            warning = InconsistentVersionWarning(
                estimator_name=type(part).__name__,
                current_sklearn_version=sklearn.__version__,
                original_sklearn_version=then,
            )
            warnings.warn(warning, stacklevel=5)
            return
