"""Reading what a user gave: errors that name the argument, and no warnings on the way.

Says nothing of what an argument means; the rooms that take it do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import validate_data

from sknn._array import Array, largest
from sknn.estimators._sklearn import check_sample_weight

# What NumPy, pandas and others raise where they cannot read something.
_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)


@contextmanager
def reading(*names: str) -> Iterator[None]:
    """Raise ValueError or TypeError with the name of the argument that is read.

    Overflow is not warned of: the infinity that it leaves is found by the checks.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except _UNREADABLE as error:
        named = any(re.search(rf"\b{name}\b", str(error)) for name in names)
        if named and isinstance(error, (TypeError, ValueError)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{' or '.join(names)} cannot be used: {error}") from error


def as_plain(name: str, given: Any) -> Any:
    """Return what was given, as an array where only NumPy knows its length.

    Raises an error for what would be read as something else than it means.
    """
    if type(given) is np.ndarray and given.dtype.kind != "V":
        return given
    if np.ma.is_masked(given):
        raise ValueError(
            f"{name} is masked in places, and masks are not looked at: fill it, for "
            f"instance with {name}.filled(np.nan), or leave these samples out."
        )
    kind = getattr(getattr(given, "dtype", None), "kind", None)
    if kind == "V" and getattr(given, "ndim", 2) < 2:
        raise TypeError(
            f"{name} is a structured array: give its fields as the columns of an array "
            "of numbers, or of a data frame."
        )
    if hasattr(given, "collect_schema") and not hasattr(given, "shape"):
        raise TypeError(
            f"{name} is a {type(given).__name__}, which holds no data yet: pass "
            f"{name}.collect()."
        )
    known = any(hasattr(given, way) for way in ("shape", "__len__", "__array__"))
    readable = hasattr(given, "__array_interface__") and not known
    return np.asarray(given) if readable else given


def read_matrix(estimator: Any, X: Any, reset: bool, **settings: Any) -> Any:
    """Return X as ``validate_data`` does."""
    with reading("X"):
        X = as_plain("X", X)
        require_columns(estimator, X)
        return validate_data(estimator, X, reset=reset, **settings)


def require_columns(estimator: Any, X: Any) -> None:
    """Raise scikit-learn's error for a frame without columns, which it cannot read."""
    if hasattr(X, "columns") and getattr(X, "shape", (1,))[-1] == 0:
        check_array(np.empty(X.shape), estimator=estimator)


def require_finite(scores: Array, X: Any) -> Array:
    """Return scores; raise ValueError where they have overflowed."""
    if not np.isfinite(scores).all():
        raise ValueError(
            f"The scores are not finite. X holds values up to {largest(X):.3g}: scale "
            "it as for fit. Or else weights have been set that are too large, or NaN."
        )
    return scores


def read_classes(given: Any) -> Array:
    """Return the sorted labels that are named for ``partial_fit``."""
    with reading("classes"):
        return unique_labels(as_plain("classes", given))


def read_floats(name: str, given: Any) -> Array:
    """Return numbers as float64."""
    with reading(name):
        array = np.asarray(as_plain(name, given))
        if array.dtype.kind == "c":
            raise ValueError(f"{name} must hold real numbers, got complex ones.")
        return array.astype(np.float64, copy=False)


def read_weights(given: Any, X: Any, name: str = "sample_weight") -> Array:
    """Return sample weights in float64, ones where None is given.

    Raises ValueError unless they are finite, not negative, one for each row of X.
    """
    with reading(name):
        w = check_sample_weight(
            as_plain(name, given), X, dtype=np.float64, ensure_non_negative=True
        )
        if not np.isfinite(w).all():  # a single number is not looked at
            raise ValueError(f"Input {name} contains NaN or infinity, got {given!r}.")
        if not np.isfinite(w.sum()):
            raise ValueError(f"{name} sums to infinity: divide it by a constant.")
        return w
