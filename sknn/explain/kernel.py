"""KernelSHAP: Shapley values by a regression on coalitions that all rows share."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from sknn.explain._problem import Problem
from sknn.explain.native.game import (
    Average,
    Game,
    Mixtures,
    Pooled,
    black_box,
    game_of,
)

if TYPE_CHECKING:
    import shap

__all__ = ["kernel"]

Array = Any

COALITIONS_PER_ROUND = 2048  # and two for each column
_FOLDS = 10  # of the jackknife
_CELLS = 1 << 19  # numbers of a block of mixtures


def kernel(problem: Problem, *, n_coalitions: int | None = None) -> shap.Explanation:
    r"""Estimate Shapley values by a weighted regression on coalitions (KernelSHAP).

    The values of a row minimise

    .. math:: \sum_S w_S \Bigl(v(S) - v(\emptyset) - \sum_{j \in S} \phi_j\Bigr)^2,
              \qquad \sum_S w_S \propto \frac{1}{|S| (p - |S|)} \text{ over a size},

    and add up to the output exactly; v(S) is the mean output over the background where
    the columns outside of S are hidden. Coalitions come with their complements. All of
    them are taken if the budget allows it, which gives the exact values; else those of
    the smallest and largest sizes, and a sample of the others.

    Parameters
    ----------
    problem : Problem
        The model, the rows and the background.
    n_coalitions : int, optional
        Coalitions per row, two or more for each column, and some more where sizes would
        go without; None for 2048 and two for each column, per round.

    Returns
    -------
    explanation : shap.Explanation
        Values, and in `error_std` the standard error of each: 0 where all coalitions
        were taken.

    Raises
    ------
    ValueError
        If there are fewer than two coalitions for each column.

    Notes
    -----
    Coalitions are drawn once for all rows that differ from the background in the same
    columns, from `random_state` and the number of these columns alone: what other rows
    there are changes nothing. In a network the scores behind the first kernel are a sum
    of the row's share and the background's, and the latter is computed once. Errors
    come from a jackknife over ten parts of the sample.

    References
    ----------
    Lundberg & Lee, "A unified approach to interpreting model predictions", NeurIPS
    2017, theorem 2; Covert & Lee, "Improving KernelSHAP: practical Shapley value
    estimation using linear regression", AISTATS 2021, equation 7 and section 4.2.
    """
    start = time.perf_counter()
    game = game_of(problem)
    if isinstance(game, Pooled):  # whose outputs are not sums of its members'
        game = black_box(problem)
    base = game.base_values()
    shape = (len(problem.X), game.n_players, len(base))
    values, errors = np.zeros(shape), np.zeros(shape)
    for players, rows in _alike(game, len(problem.X)):
        sample = _sample(problem, len(players), n_coalitions)
        found = _explain_alike(game, rows, players, sample, base)
        values[np.ix_(rows, players)], errors[np.ix_(rows, players)] = found
    return problem.to_explanation(
        values,
        np.tile(base, (len(values), 1)),
        error_std=errors,
        seconds=time.perf_counter() - start,
    )


def _alike(game: Mixtures, n_rows: int) -> list[tuple[Array, Array]]:
    """Return players, and the rows that differ from the background in these alone."""
    differs = np.stack([game.differs(i).any(axis=0) for i in range(n_rows)])
    kinds, kind = np.unique(differs, axis=0, return_inverse=True)
    return [
        (np.flatnonzero(found), np.flatnonzero(kind.ravel() == k))
        for k, found in enumerate(kinds)
    ]


@dataclass(frozen=True)
class Sample:
    """Coalitions, each followed by its complement, and the weights they have.

    Parameters
    ----------
    shown : ndarray of bool of shape (2 * n, p)
        The coalitions.
    size : ndarray of int of shape (2 * n,)
        The smaller number of players of each and its complement.
    fold : ndarray of int of shape (2 * n,)
        The part of the jackknife that leaves each out; -1 where a size is complete.
    """

    shown: Array
    size: Array
    fold: Array

    def weights(self, fold: int | None = None) -> Array:
        """Return the weight of each coalition, without a fold where one is given."""
        p = self.shown.shape[1]
        kept = (
            np.ones(len(self.size), dtype=bool) if fold is None else self.fold != fold
        )
        by_size = np.arange(p // 2 + 1)
        share = 1 / np.maximum(by_size * (p - by_size), 1)
        share[2 * by_size == p] /= 2  # these are their own complements' size
        count = np.bincount(self.size[kept], minlength=len(share))
        return np.where(kept, (share / np.maximum(count, 1))[self.size], 0.0)

    @property
    def folds(self) -> list[int]:
        """The parts of the jackknife, none where all coalitions are there."""
        return np.unique(self.fold[self.fold >= 0]).tolist()


def _sample(problem: Problem, p: int, n_coalitions: int | None) -> Sample:
    n = n_coalitions
    if n is None:
        n = (COALITIONS_PER_ROUND + 2 * p) * problem.rounds
    is_integer = isinstance(n, int | np.integer) and not isinstance(n, bool)
    if not is_integer or n < 2 * p or n < 1:
        raise ValueError(
            f"n_coalitions must be an integer of at least {max(1, 2 * p)}, two for "
            f"each of {p} columns, got {n_coalitions!r}"
        )
    rng = np.random.default_rng([problem.seed, p])
    firsts, folds = [np.zeros((0, p), dtype=bool)], [np.zeros(0, dtype=int)]
    for size, (n_pairs, is_complete) in enumerate(_pairs_by_size(p, n // 2), start=1):
        if is_complete:
            firsts.append(_every(p, size))
            folds.append(np.full(n_pairs, -1))
        else:
            firsts.append(_some(p, size, n_pairs, rng))
            folds.append(_folds(n_pairs, sum(map(len, folds))))
    first, fold = np.concatenate(firsts), np.concatenate(folds)
    shown = np.stack([first, ~first], axis=1).reshape(2 * len(first), p)
    return Sample(shown, first.sum(axis=1).repeat(2), fold.repeat(2))


def _folds(n_pairs: int, start: int) -> Array:
    """Spread the pairs of a size over the folds; a single one stays in all of them."""
    if n_pairs == 1:
        return np.array([-1])
    return (start + np.arange(n_pairs)) % _FOLDS


def _pairs_by_size(p: int, n_pairs: int) -> list[tuple[int, bool]]:
    """Return how many pairs of a coalition and its complement each size gets.

    For sizes 1 to p / 2, with whether these are all pairs there are. Size 1 always is
    complete, without which some columns might not be told apart.
    """
    sizes = range(1, p // 2 + 1)
    halves = [2 if 2 * s == p else 1 for s in sizes]
    every = [math.comb(p, s) // h for s, h in zip(sizes, halves, strict=True)]
    weights = [1 / (s * (p - s) * h) for s, h in zip(sizes, halves, strict=True)]
    if sum(every) <= n_pairs:
        return [(n, True) for n in every]
    complete: list[tuple[int, bool]] = []
    for k, n in enumerate(every):
        if k > 0 and n > n_pairs * weights[k] / sum(weights[k:]):
            break
        complete.append((n, True))
        n_pairs -= n
    rest = weights[len(complete) :]
    return complete + [(max(1, int(n_pairs * w / sum(rest))), False) for w in rest]


def _every(p: int, size: int) -> Array:
    """Return one coalition of each pair of this size, (n, p)."""
    members = np.array(list(combinations(range(p), size)))
    if 2 * size == p:
        members = members[members[:, 0] == 0]  # the others are the complements
    shown = np.zeros((len(members), p), dtype=bool)
    np.put_along_axis(shown, members, True, axis=1)
    return shown


def _some(p: int, size: int, n: int, rng: np.random.Generator) -> Array:
    """Return coalitions of n different pairs of this size, (n, p)."""
    found = np.zeros((0, p), dtype=bool)
    while len(found) < n:
        members = rng.random((n, p)).argsort(axis=1)[:, :size]
        shown = np.zeros((n, p), dtype=bool)
        np.put_along_axis(shown, members, True, axis=1)
        if 2 * size == p:
            shown ^= ~shown[:, :1]
        found = np.concatenate([found, shown])
        first = np.unique(np.packbits(found, axis=1), axis=0, return_index=True)[1]
        found = found[np.sort(first)]
    return found[:n]


def _explain_alike(
    game: Mixtures, rows: Array, players: Array, sample: Sample, base: Array
) -> tuple[Array, Array]:
    """Return values and standard errors of some rows, (len(rows), p, C) each."""
    members = game.games if isinstance(game, Average) else (game,)
    at_rows = [np.stack([g.outputs(g.X[i : i + 1])[0] for i in rows]) for g in members]
    gain = np.mean(at_rows, axis=0) - base
    if len(players) < 2:
        values = gain[:, None].repeat(len(players), axis=1)
        return values, np.zeros_like(values)
    worths = [_worths(member, rows, players, sample.shown) for member in members]
    y = np.mean(worths, axis=0) - base
    values = _solve(sample.shown, sample.weights(), y, gain)
    if not sample.folds:
        return values, np.zeros_like(values)
    parts = np.stack(
        [_solve(sample.shown, sample.weights(f), y, gain) for f in sample.folds]
    )
    n = len(parts)
    return values, np.sqrt((n - 1) / n * np.square(parts - parts.mean(0)).sum(0))


def _solve(shown: Array, w: Array, y: Array, gain: Array) -> Array:
    """Return the values (n, p, C) that fit the worths y (n, K, C) and sum to the gains.

    One factor serves all rows and outputs.
    """
    weighted = shown * w[:, None]
    factor = cho_factor(weighted.T @ shown)
    # row by row: in a batch the last bits could depend on the other rows
    free = np.stack([cho_solve(factor, weighted.T @ row) for row in y])
    along = cho_solve(factor, np.ones(shown.shape[1]))
    excess = (free.sum(axis=1) - gain) / along.sum()
    return free - along[:, None] * excess[:, None]


def _worths(game: Mixtures, rows: Array, players: Array, shown: Array) -> Array:
    """Return the mean outputs over the background of coalitions, (n, K, C)."""
    size = max(1, _CELLS // (len(game.background) * game.width))
    worths = (
        _of_sums if isinstance(game, Game) and game.begins_with_kernel else _of_cells
    )
    parts = [
        worths(game, rows, players, shown[first : first + size])
        for first in range(0, len(shown), size)
    ]
    return np.concatenate(parts, axis=1)


def _of_cells(game: Mixtures, rows: Array, players: Array, shown: Array) -> Array:
    every = np.zeros((len(shown), game.n_players + 1), dtype=bool)
    every[:, players] = shown
    cells = every[:, None, game.owner]
    found = []
    for i in rows:
        mixed = np.where(cells, game.X[i], game.background)
        outputs = game.outputs(mixed.reshape(-1, mixed.shape[-1]))
        found.append(outputs.reshape(*mixed.shape[:2], -1).mean(axis=1))
    return np.stack(found)


def _of_sums(game: Any, rows: Array, players: Array, shown: Array) -> Array:
    """Mix the scores behind the first kernel: what hides is the same for all rows."""
    shown = shown.astype(game.X.dtype)
    B, _, h = game._background_parts.shape
    by_player = game._background_parts[:, players].swapaxes(0, 1)
    taken = shown @ by_player.reshape(len(players), B * h)
    hidden = game._background_scores - taken.reshape(-1, B, h)
    scores = np.empty_like(hidden)
    found = []
    for i in rows:
        own = shown @ game._parts(game.X[i : i + 1])[0, players]
        np.add(hidden, own[:, None], out=scores)
        found.append(game._rest(scores).mean(axis=1))
    return np.stack(found)
