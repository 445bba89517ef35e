"""The candidates of a search: in the order of their ranks, with labels."""

from __future__ import annotations

import numbers
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from sknn._array import Array


def candidates(
    search: Any, n_best: int | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """Return label and parameters of each candidate that has a score, best first."""
    results = _results(search)
    _check_count(n_best)
    ranks, scores = _ranks(search, results)
    scored = np.flatnonzero(np.isfinite(scores))
    left_out = len(scores) - len(scored)
    if not len(scored):
        raise ValueError("No candidate of the search has a score: all fits failed.")
    if left_out:
        warnings.warn(
            f"{left_out} candidates of the search have no score and are not drawn.",
            stacklevel=3,
        )
    # Halving tries the better ones again: their last round counts.
    rounds = np.asarray(results.get("iter", np.zeros(len(scores))))
    order = sorted(scored, key=lambda i: (-rounds[i], ranks[i]))
    distinct: list[dict[str, Any]] = []
    for i in order:
        if not any(_equal(results["params"][i], known) for known in distinct):
            distinct.append(results["params"][i])
    return list(zip(_labels(distinct), distinct, strict=True))[:n_best]


def _results(search: Any) -> dict[str, Any]:
    results = getattr(search, "cv_results_", None)
    if results is not None and hasattr(search, "estimator"):
        return results
    if hasattr(search, "estimator") and hasattr(search, "refit"):
        raise NotFittedError(
            f"This {type(search).__name__} is not fitted yet: call fit first."
        )
    raise TypeError(
        "search must be a fitted GridSearchCV, or another search with cv_results_, got "
        f"{type(search).__name__}."
    )


def _check_count(n_best: Any) -> None:
    whole = isinstance(n_best, numbers.Integral) and not isinstance(n_best, bool)
    if n_best is not None and (not whole or n_best < 1):
        raise ValueError(
            f"n_best must be an int of at least 1, or None, got {n_best!r}."
        )


def _ranks(search: Any, results: dict[str, Any]) -> tuple[Array, Array]:
    names = [key for key in results if key.startswith("rank_test_")]
    chosen = "rank_test_score"
    if chosen not in results:
        chosen = f"rank_test_{search.refit}"
    if chosen not in results:
        known = [name.removeprefix("rank_test_") for name in names]
        raise ValueError(
            f"The search has several scores, {known}, and refit={search.refit!r} does "
            "not say by which to rank. Set refit to one of them."
        )
    scores = np.asarray(results[chosen.replace("rank", "mean", 1)], dtype=float)
    return np.asarray(results[chosen]), scores


def _labels(params: list[dict[str, Any]]) -> list[str]:
    """Name candidates by the parameters that differ, without what all have in front."""
    names = list(dict.fromkeys(name for one in params for name in one))
    varying = [
        name
        for name in names
        if any(
            name not in one or not _same(one[name], params[0].get(name))
            for one in params
        )
    ]
    varying = varying or names
    short = {name: name.rpartition("__")[2] for name in varying}
    if len(set(short.values())) < len(short):
        short = {name: name for name in varying}
    return _distinct(
        [
            ", ".join(f"{short[k]}={_shown(v)}" for k, v in one.items() if k in short)
            for one in params
        ]
    )


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    if isinstance(value, numbers.Real) and not isinstance(
        value, bool | numbers.Integral
    ):
        text = f"{value:.4g}"
    if isinstance(value, str):
        text = value
    if hasattr(value, "get_params"):
        text = type(value).__name__
    return text if len(text) <= 40 else text[:39] + "…"


def _distinct(labels: list[str]) -> list[str]:
    """Add numbers to labels that would hide one another."""
    labels = [label or "candidate" for label in labels]
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        again = labels.count(label) > 1
        found.append(f"{label} ({seen[label]})" if again else label)
    return found


def _equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return type(one) is type(other) and bool(np.all(one == other))
    except (TypeError, ValueError):
        return False
