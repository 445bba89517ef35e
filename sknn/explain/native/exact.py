"""Shapley values by all coalitions of the columns."""

from __future__ import annotations

import functools
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._problem import Problem
from sknn.explain.native.game import Mixtures, game_of

if TYPE_CHECKING:
    import shap

Array = Any
MAX_PLAYERS = 16
_CELLS = 1 << 17  # numbers of a block of coalitions, which should stay in the cache


def exact(problem: Problem) -> shap.Explanation:
    r"""Compute Shapley values from all coalitions, without an error of sampling.

    .. math:: \phi_j = \sum_{S \not\ni j} \frac{|S|!\,(p - |S| - 1)!}{p!}
              \left(v(S \cup j) - v(S)\right)

    for each background row on its own, over the columns in which it differs from the
    explained row: to the others it gives nothing.

    Parameters
    ----------
    problem : Problem
        The model, the rows and the background; at most 16 columns may differ.

    Returns
    -------
    explanation : shap.Explanation
        Values.

    Raises
    ------
    ValueError
        If a row differs in more than 16 columns from a background row.

    References
    ----------
    Shapley, "A value for n-person games", Contributions to the Theory of Games 2, 1953,
    equation 12.
    """
    start = time.perf_counter()
    game = game_of(problem)
    values = np.stack([_exact_row(game, i) for i in range(len(problem.X))])
    return problem.to_explanation(
        values,
        np.tile(game.base_values(), (len(values), 1)),
        seconds=time.perf_counter() - start,
    )


def _exact_row(game: Mixtures, i: int) -> Array:
    differs = game.differs(i)
    most = int(differs.sum(axis=1).max(initial=0))
    if most > MAX_PLAYERS:
        n = len(game.background)
        raise ValueError(
            f"method='exact' takes up to {MAX_PLAYERS} columns that differ from the "
            f"background, but row {i} of X has {most}: it would take {n * 2**most:,} "
            "predictions. Use method='permutation', or fewer groups of columns."
        )
    values: Any = 0.0
    # Background rows that differ in the same columns play the same game: their outputs
    # are summed up first.
    patterns, which = np.unique(differs, axis=0, return_inverse=True)
    for k, pattern in enumerate(patterns):
        players = np.flatnonzero(pattern)
        outputs = _summed_outputs(game, i, np.flatnonzero(which.ravel() == k), players)
        own = np.zeros((game.n_players, outputs.shape[-1]))
        own[players] = shapley_values(outputs)
        values = values + own
    return values / len(differs)


def _summed_outputs(game: Mixtures, i: int, b: Array, players: Array) -> Array:
    """Return the sum over background rows of the outputs of coalitions, (2 ** p, C)."""
    size = max(1, _CELLS // (2 ** len(players) * game.width))
    total: Any = 0.0
    for first in range(0, len(b), size):
        part = game.coalitions(i, b[first : first + size], players)
        total = total + part.sum(axis=0)
    return total


def shapley_values(outputs: Array) -> Array:
    """Return the values (p, C) of a game from the outputs (2 ** p, C) of coalitions.

    Bit k of the index says whether player k takes part.
    """
    p = len(outputs).bit_length() - 1
    values = np.empty((p, outputs.shape[-1]))
    if not p:
        return values
    sizes = _coalition_sizes(p - 1)
    weights = np.array([1 / (p * math.comb(p - 1, size)) for size in range(p)])[sizes]
    for k in range(p):
        split = outputs.reshape(2 ** (p - 1 - k), 2, 2**k, -1)
        gains = (split[:, 1] - split[:, 0]).reshape(2 ** (p - 1), -1)
        values[k] = weights @ gains
    return values


@functools.cache
def _coalition_sizes(p: int) -> Array:
    """Return the number of players in each coalition of p players."""
    sizes = np.zeros(1, dtype=int)
    for _ in range(p):
        sizes = np.concatenate([sizes, sizes + 1])
    return sizes
