"""Tables that fit the model: its columns by name, and a background to compare with.

Refuses what does not fit and names the columns; changes no values.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from sknn.explain._formats import as_table, format_of

__all__ = ["align", "as_fitted", "choose_background", "column_names", "fitted_names"]

DRAWN_ROWS = 100


def fitted_names(estimator: Any) -> list[str] | None:
    """Return the column names that the model was fitted on, if it knows them."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else list(names)


def align(estimator: Any, X: Any, name: str, columns: Sequence[Any] | None) -> Any:
    """Return X with the columns named in `columns`, in that order.

    An array takes these names as its own; None asks only for the right width.
    """
    X = as_table(X, name)
    form = format_of(X)
    if form.names is None:
        _check_width(estimator, X, name)
        if columns is None or form.label != "array":
            return X
        return _name_columns(X, columns)
    found = list(form.names)
    expected = found if columns is None else list(columns)
    _check_names(found, expected, name)
    if columns is None:
        _check_width(estimator, X, name)
    return form.select(X, expected)


def choose_background(estimator: Any, X: Any, background: Any, seed: int) -> Any:
    """Align the given background with X, or draw one of at most 100 rows from X."""
    form = format_of(X)
    if background is None:
        return _draw_rows(X, seed)
    background = align(estimator, background, "background", form.names)
    label = format_of(background).label
    if label != form.label:
        raise ValueError(
            f"background is a {label} and X a {form.label}; "
            "give both as the same kind of table"
        )
    if background.shape[1] != X.shape[1]:
        raise ValueError(
            f"background has {background.shape[1]} columns and X {X.shape[1]}"
        )
    return background


def column_names(estimator: Any, X: Any) -> list[str]:
    """Return one text per column of an aligned table."""
    names = format_of(X).names
    if names is None:
        names = fitted_names(estimator) or [f"x{j}" for j in range(X.shape[1])]
    return [str(name) for name in names]


def as_fitted(estimator: Any, background: Any, X: Any) -> tuple[Any, Any]:
    """Make arrays of numeric frames if the model was fitted on arrays."""
    was_array = hasattr(estimator, "n_features_in_") and fitted_names(estimator) is None
    if was_array and _is_numeric_frame(X) and _is_numeric_frame(background):
        return background.to_numpy(), X.to_numpy()
    return background, X


def _is_numeric_frame(X: Any) -> bool:
    dtypes = list(getattr(X, "dtypes", []))
    is_plain = [isinstance(dtype, np.dtype) and dtype.kind in "iuf" for dtype in dtypes]
    return bool(dtypes) and all(is_plain)


def _draw_rows(X: Any, seed: int) -> Any:
    n = X.shape[0]
    warnings.warn(
        f"background=None: {min(n, DRAWN_ROWS)} of the {n} rows of X become the "
        "background that predictions are compared with; pass background= with rows "
        "of the training data to choose it",
        UserWarning,
        stacklevel=4,
    )
    if n <= DRAWN_ROWS:
        return X
    rows = np.random.default_rng(seed).choice(n, DRAWN_ROWS, replace=False)
    return format_of(X).rows(X, np.sort(rows))


def _name_columns(X: np.ndarray, names: Sequence[Any]) -> Any:
    import pandas as pd

    return pd.DataFrame(X, columns=list(names)).infer_objects()


def _check_width(estimator: Any, X: Any, name: str) -> None:
    expected = getattr(estimator, "n_features_in_", None)
    if expected is not None and X.shape[1] != expected:
        raise ValueError(
            f"{name} has {X.shape[1]} columns, but {type(estimator).__name__} was "
            f"fitted on {expected}"
        )


def _check_names(found: list, expected: list, name: str) -> None:
    repeated = sorted({str(label) for label in found if found.count(label) > 1})
    if repeated:
        raise ValueError(f"{name} has more than one column named {repeated}")
    missing = [label for label in expected if label not in found]
    extra = [label for label in found if label not in expected]
    if missing or extra:
        raise ValueError(
            f"{name} must have the columns that the model was fitted on; "
            f"missing: {missing}, not among them: {extra}"
        )
