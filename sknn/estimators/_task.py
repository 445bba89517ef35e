"""What ``task="auto"`` makes of y."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from scipy import sparse


def resolve_task(task: str, y: Any, classes: Any = None) -> str:
    """Return 'classification' or 'regression' for targets `y`.

    Parameters
    ----------
    task : {'auto', 'classification', 'regression'}
        Anything but 'auto' is returned as it is.
    y : array-like
        Targets as the user gave them.
    classes : array-like or None
        Labels given to ``partial_fit``, which then classifies.

    Returns
    -------
    task : str
        Floats are numbers, unless all are the same. Strings, objects, booleans and
        categories are labels. Integers are labels if they have at most
        ``max(20, sqrt(n))`` different values, or as a matrix of several columns if
        they are all 0 or 1.
    """
    if task != "auto":
        return task
    if classes is not None or sparse.issparse(y) or _kind(y) in "bOUST":
        return "classification"
    values = np.asarray(y)
    if _kind(y) == "f":
        return _resolve_floats(values)
    if values.ndim == 2 and values.shape[1] > 1:
        binary = np.isin(values, (0, 1)).all()
        return "classification" if binary else "regression"
    return _resolve_integers(values.ravel())


def _resolve_floats(values: Any) -> str:
    if values.ndim == 1 and len(values) and (values == values[0]).all():
        # One class predicts a constant exactly; a regression only comes near it.
        _warn(f"y is float and always {values[0]!r}", "classification")
        return "classification"
    if values.ndim == 1 and np.isin(values, (0.0, 1.0)).all():
        _warn("y is float and holds only 0 and 1", "regression")
    return "regression"


def _resolve_integers(values: Any) -> str:
    n_values = len(np.unique(values))
    limit = max(20.0, math.sqrt(len(values)))
    task = "classification" if n_values <= limit else "regression"
    if limit / 2 < n_values <= 2 * limit:
        _warn(f"y is integer with {n_values} different values", task)
    return task


def _warn(what: str, taken: str) -> None:
    warnings.warn(
        f"{what}: task='auto' takes this for {taken}. Set task='classification' or "
        "task='regression' to say which is meant.",
        UserWarning,
        stacklevel=2,
    )


def _kind(y: Any) -> str:
    """Return the kind of y's dtype, of pandas' own dtypes too."""
    kind = getattr(getattr(y, "dtype", None), "kind", None)
    return kind if isinstance(kind, str) else np.asarray(y).dtype.kind
