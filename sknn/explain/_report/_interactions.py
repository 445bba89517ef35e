"""The pairs of columns that matter most together, where they can be had.

Reads the numbers of `sknn.explain.interactions`; computes none.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from sknn.explain._formats import format_of
from sknn.explain._report._subject import Subject

__all__ = ["MOST_COLUMNS", "top_pairs"]

MOST_COLUMNS = 12  # there are d(d - 1)/2 pairs, and each takes predictions
KEPT_PAIRS = 30
NOISE = 1e-9  # of the largest effect: what rounding leaves of no interaction
ROWS = 20
PREDICTIONS = 2_000_000  # of all rows together; a small network makes them in seconds


def top_pairs(
    subject: Subject, indices: np.ndarray, output: str, seed: int
) -> dict[str, Any]:
    """Return the strongest pairs, or a sentence on why there are none."""
    d = len(subject.names)
    if d < 2 or d > MOST_COLUMNS:
        wanted = f"between 2 and {MOST_COLUMNS} columns; here there are {d}"
        return {"omitted": f"Left out: pairs are looked at for {wanted}."}
    interactions = _find_function()
    if interactions is None:
        return {"omitted": "Left out: this version of sknn has no interactions."}
    per_row = 2**d * subject.background.shape[0]
    n = int(np.clip(PREDICTIONS // per_row, 1, min(ROWS, len(indices))))
    evenly = np.linspace(0, len(indices) - 1, n).astype(int)
    try:
        found = interactions(
            subject.estimator,
            format_of(subject.X).rows(subject.X, indices[evenly]),
            background=subject.background,
            output=output,
            target=subject.target,
            random_state=seed,
        )
    except ValueError as error:
        return {"omitted": f"Left out: {error}"}
    return _strongest(np.asarray(found.values, dtype=np.float64), subject.names, n)


def _find_function() -> Callable[..., Any] | None:
    try:
        return importlib.import_module("sknn.explain.importance").interactions
    except (ImportError, AttributeError):
        return None


def _strongest(values: np.ndarray, names: tuple[str, ...], n: int) -> dict[str, Any]:
    """Rank pairs by their mean absolute value in (n, d, d) or (n, d, d, outputs)."""
    strength = np.abs(values + np.swapaxes(values, 1, 2))  # a pair has two places
    strength = strength.mean(axis=(0, *range(3, strength.ndim)))
    first, second = np.triu_indices(len(names), 1)
    by_pair = strength[first, second]
    if by_pair.max() <= NOISE * np.abs(values).max():
        return {"omitted": "None: the model adds up what each column does alone."}
    pairs = [
        {"first": names[first[k]], "second": names[second[k]], "strength": by_pair[k]}
        for k in np.argsort(-by_pair, kind="stable")[:KEPT_PAIRS].tolist()
    ]
    what = (
        "How far two columns together move the output beyond what each does alone: "
        f"absolute Shapley interactions, on average over {n} rows"
        + (" and all classes." if values.ndim > 3 else ".")
    )
    return {"pairs": pairs, "what": what}
