"""How alike two explanations of the same rows are.

Asks no model; which of the two is right is a question for the faithfulness metrics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

from sknn.explain._perturb import as_outputs, narrow

if TYPE_CHECKING:
    import shap

__all__ = ["Agreement", "agreement", "rank_correlation"]


class Agreement(NamedTuple):
    """How alike two explanations are, by row (and output)."""

    top_k: np.ndarray
    sign: np.ndarray
    rank_correlation: np.ndarray
    correlation: np.ndarray


def agreement(
    first: shap.Explanation, second: shap.Explanation, *, k: int | None = None
) -> Agreement:
    """Compare two explanations of the same rows column by column.

    Where good methods disagree, do not tell a story that only one of them supports;
    where they agree, they may still share an error.

    Parameters
    ----------
    first, second : shap.Explanation
        Explanations of the same rows, columns and outputs.
    k : int, optional
        How many of the columns with the largest absolute values matter to `top_k` and
        `sign`. None takes half of the columns, at most 5.

    Returns
    -------
    agreement : named tuple of ndarrays of shape (n,) or (n, outputs)
        `top_k`: share of the k largest columns that both have among them. `sign`:
        share of the k that both have with the same sign. `rank_correlation`:
        Spearman's, of the absolute values. `correlation`: Pearson's, of the values.
        1 is agreement in all four.

    Notes
    -----
    Correlations with an explanation of equal values throughout are 1 if both are
    equal, else 0.

    References
    ----------
    .. [1] Krishna et al., "The Disagreement Problem in Explainable Machine Learning: A
           Practitioner's Perspective", 2022: feature agreement, sign agreement and
           rank correlation.
    """
    a, b = as_outputs(first, "first"), as_outputs(second, "second")
    _check_alike(first, second)
    k = _top(k, a.shape[1])
    both = _largest(a, k) & _largest(b, k)
    parts = (
        both.mean(axis=1) * a.shape[1] / k,
        (both & (np.sign(a) == np.sign(b))).mean(axis=1) * a.shape[1] / k,
        rank_correlation(a, b),
        _correlation(a, b),
    )
    return Agreement(*(narrow(part, first) for part in parts))


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation of absolute values, (n, d, C) → (n, C)."""
    a, b = (rankdata(np.abs(values), axis=1) for values in (a, b))
    return _correlation(a, b)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    is_equal = (a == b).all(axis=1)
    a, b = (values - values.mean(axis=1, keepdims=True) for values in (a, b))
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    with np.errstate(invalid="ignore"):
        correlation = np.where(scale == 0, 0.0, (a * b).sum(axis=1) / scale)
    return np.where(is_equal, 1.0, correlation)


def _largest(values: np.ndarray, k: int) -> np.ndarray:
    """Mark the k columns with the largest absolute values; of equals the first."""
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    return np.argsort(order, axis=1) < k


def _top(k: int | None, d: int) -> int:
    if k is None:
        return max(1, min(5, d // 2))
    if not isinstance(k, int | np.integer) or isinstance(k, bool) or not 1 <= k <= d:
        raise ValueError(f"k must be an integer from 1 to {d} columns, got {k!r}")
    return int(k)


def _check_alike(first: shap.Explanation, second: shap.Explanation) -> None:
    for part in ("values", "feature_names", "output_names"):
        one: Any = getattr(first, part, None)
        other: Any = getattr(second, part, None)
        if part == "values":
            one, other = np.shape(one), np.shape(other)
        if one is not None and other is not None and not np.array_equal(one, other):
            what = "values of shape" if part == "values" else part
            raise ValueError(
                "first and second must explain the same rows, columns and outputs, "
                f"got {what} {one} and {other}"
            )
