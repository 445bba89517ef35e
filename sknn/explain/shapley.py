"""Shapley values of the original columns, through the explainers of the shap package.

Holds the walk over the rows; what a masked row is lies in `_masking`.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._masking import TableMasker
from sknn.explain._optional import require
from sknn.explain._problem import Problem

if TYPE_CHECKING:
    import shap

__all__ = ["permutation"]

PAIRS_PER_ROUND = 10
LARGE_BACKGROUND = 1000
_GLOBAL_RNG = threading.Lock()


def permutation(problem: Problem) -> shap.Explanation:
    """Estimate Shapley values by walks that show the columns in a random order.

    Each of the ``10 * rounds`` walks runs through a random order of the columns
    forwards and backwards (antithetic sampling), so that every walk, and their mean,
    adds up to the model's output exactly. Every column is one player.

    Parameters
    ----------
    problem : Problem
        The model, the rows and the background.

    Returns
    -------
    explanation : shap.Explanation
        Values, and in `error_std` the standard error of each.

    Notes
    -----
    A row draws its orders from a generator of its own, seeded by `random_state` and
    the row's values: neither the other rows nor their order change its explanation.
    shap draws from NumPy's global generator, which is borrowed for each row under a
    lock and given back as it was.
    """
    _warn_of_cost(problem)
    start = time.perf_counter()
    walks = [_walk(problem, i) for i in range(len(problem.X))]
    base = problem.model(problem.background).mean(axis=0)
    values = np.stack([row.mean(axis=0) for row in walks])
    errors = np.stack([_standard_error(row) for row in walks])
    return problem.to_explanation(
        values,
        np.tile(base, (len(values), 1)),
        error_std=errors,
        seconds=time.perf_counter() - start,
    )


def _walk(problem: Problem, i: int) -> np.ndarray:
    """Return the contributions of one row by walk, (walks, d, C)."""
    masker = TableMasker(problem.background)
    row = problem.X[i]
    n_varying = int((~masker.invariants(row)).any(axis=0).sum())
    with borrowed_global_rng():
        explainer = require("shap").PermutationExplainer(
            problem.model, masker, seed=problem.row_seed(i)
        )
        walks = [
            explainer.explain_row(
                row,
                max_evals=2 * n_varying + 1,  # one pair of walks
                main_effects=False,
                error_bounds=False,
                batch_size=masker.masks_per_call,
                outputs=None,
                silent=True,
            )["values"]
            for _ in range(PAIRS_PER_ROUND * problem.rounds)
        ]
    return np.stack(walks)


def _standard_error(walks: np.ndarray) -> np.ndarray:
    return walks.std(axis=0, ddof=1) / np.sqrt(len(walks))


@contextmanager
def borrowed_global_rng() -> Iterator[None]:
    """Let other packages seed and use NumPy's global generator, then restore it."""
    with _GLOBAL_RNG:
        state: Any = np.random.get_state()  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002


def _warn_of_cost(problem: Problem) -> None:
    n_background, d = problem.background.shape
    if n_background > LARGE_BACKGROUND:
        per_row = PAIRS_PER_ROUND * problem.rounds * (2 * d + 1) * n_background
        warnings.warn(
            f"background has {n_background} rows, so that each explained row takes up "
            f"to {per_row:,} predictions; 100 to 1000 rows are usually enough",
            UserWarning,
            stacklevel=4,
        )
