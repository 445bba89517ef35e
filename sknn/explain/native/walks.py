"""Shapley values by walks through random orders of the columns."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._problem import Problem
from sknn.explain.native.game import Mixtures, game_of

if TYPE_CHECKING:
    import shap

Array = Any

# Pairs of walks from each background row in one round: two, to tell how much they
# differ, or as many as it takes for this number from all of them.
_FEWEST, _FROM_ALL = 2, 100
MAX_ROUNDS = 1000
_LARGE_BACKGROUND = 1000
_CELLS = 1 << 17  # numbers of a block of walks, which should stay in the cache


def permutation(problem: Problem) -> shap.Explanation:
    r"""Estimate Shapley values by walks that show the columns in a random order.

    From each background row `b` walks lead to the explained row, in orders drawn for
    it alone; each step shows one column, and what it moves the output by is that
    column's share. Every order is walked backwards, too (antithetic sampling). So the
    values add up to the model's output exactly, and which background rows there are
    adds nothing to the error.

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
    In a network the scores behind the first kernel are sums over the columns: a step
    adds one column's part to them, and only the layers behind are computed anew. A row
    draws from a generator of its own, seeded by `random_state` and the row's values:
    the other rows do not change its explanation.

    References
    ----------
    Castro, Gómez & Tejada, "Polynomial calculation of the Shapley value based on
    sampling", Computers & Operations Research 36, 2009; Mitchell et al., "Sampling
    permutations for Shapley value estimation", JMLR 23, 2022, section 4.1.
    """
    start = time.perf_counter()
    game = game_of(problem)
    _warn_of_cost(len(game.background))
    walked = [_walk_row(problem, game, i) for i in range(len(problem.X))]
    values, errors = (np.stack(part) for part in zip(*walked, strict=True))
    return problem.to_explanation(
        values,
        np.tile(game.base_values(), (len(values), 1)),
        error_std=errors,
        seconds=time.perf_counter() - start,
    )


def _walk_row(problem: Problem, game: Mixtures, i: int) -> tuple[Array, Array]:
    """Return values and standard errors of one row, (p, C) each."""
    rng = np.random.default_rng(problem.row_seed(i))
    n, p = len(game.background), game.n_players
    sums: Any = 0.0
    squares: Any = 0.0
    n_pairs, per_round = 0, max(_FEWEST, -(-_FROM_ALL // n))
    for n_rounds in range(1, MAX_ROUNDS + 1):
        orders = np.argsort(rng.random((n, per_round, p)), axis=-1)
        shares = _shares_of_round(game, i, orders)
        sums, squares = sums + shares.sum(axis=1), squares + (shares**2).sum(axis=1)
        n_pairs += per_round
        if n_rounds < problem.rounds:
            continue
        # the spread within each background row: between them nothing was drawn
        spread = np.maximum(squares - sums**2 / n_pairs, 0).sum(axis=0)
        errors = np.sqrt(spread / (n_pairs - 1) / n_pairs) / n
        if problem.tol is None or errors.max(initial=0.0) <= problem.tol:
            break
    return sums.sum(axis=0) / (n_pairs * n), errors


def _shares_of_round(game: Mixtures, i: int, orders: Array) -> Array:
    """Return what pairs of walks give each player, (B, pairs, p, C)."""
    n, pairs, p = orders.shape
    flat, b = orders.reshape(-1, p), np.repeat(np.arange(n), pairs)
    size = max(1, _CELLS // ((p + 1) * game.width))
    parts = [
        _shares_of_pairs(game, i, flat[k : k + size], b[k : k + size])
        for k in range(0, len(flat), size)
    ]
    return np.concatenate(parts).reshape(n, pairs, p, -1)


def _shares_of_pairs(game: Mixtures, i: int, orders: Array, b: Array) -> Array:
    """Return what each order and its opposite give each player, (W, p, C)."""
    forward, backward = game.walk(i, orders, b)
    # the step that shows the k-th player of an order is the last but k of its opposite
    gains = (np.diff(forward, axis=0) + np.diff(backward, axis=0)[::-1]) / 2
    shares = np.empty((*orders.shape, gains.shape[-1]))
    np.put_along_axis(shares, orders[:, :, None], gains.swapaxes(0, 1), axis=1)
    return shares


def _warn_of_cost(n_background: int) -> None:
    if n_background > _LARGE_BACKGROUND:
        warnings.warn(
            f"background has {n_background} rows, and walks lead from each of them to "
            "each explained row; 100 to 1000 rows are usually enough",
            UserWarning,
            stacklevel=4,
        )
