"""Methods made of gradients: at the row itself, and along straight lines to it."""

from __future__ import annotations

import numbers
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial.legendre import leggauss

from sknn.explain._problem import Problem
from sknn.explain.native.deep import members_of, native_game, sum_by_player
from sknn.explain.native.game import Average, Game
from sknn.explain.native.head import Head
from sknn.layers.containers import chain_backward, chain_forward
from sknn.tape import Tape

if TYPE_CHECKING:
    import shap

Array = Any
_BLOCK_ROWS = 4096


def gradient(problem: Problem) -> shap.Explanation:
    r"""Multiply the gradient at each row with its difference from the mean background.

    The cheapest method and the crudest: it knows the model at the row itself only, and
    its values add up to the output for linear models only.

    Parameters
    ----------
    problem : Problem
        The model, a network of sknn at its end; the rows and the background.

    Returns
    -------
    explanation : shap.Explanation
        Values.

    References
    ----------
    Shrikumar et al., "Not just a black box", 2016 (gradient times input).
    """
    start = time.perf_counter()
    game = native_game(problem, "gradient")

    def values(member: Game) -> Array:
        mean = member.background.mean(axis=0)
        return gradients(member, member.X) * (member.X - mean)[:, None]

    return _explained(problem, game, values, game.base_values(), start)


def integrated_gradients(problem: Problem, *, n_nodes: int = 50) -> shap.Explanation:
    r"""Integrate the gradient along the line from the mean background row to each row.

    :math:`\phi_j = (x_j - b_j) \int_0^1 \partial_j f(b + t (x - b))\,dt`, by
    Gauss-Legendre quadrature. The base value is the output at the mean row, which need
    not be like any row there is.

    Parameters
    ----------
    problem : Problem
        The model, a network of sknn at its end; the rows and the background.
    n_nodes : int, default=50
        Nodes of the quadrature; what it misses is the error of the sum of the values.

    Returns
    -------
    explanation : shap.Explanation
        Values.

    References
    ----------
    Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", ICML 2017,
    equation 1.
    """
    start = time.perf_counter()
    game = native_game(problem, "integrated_gradients")

    def mean(member: Game) -> Array:
        return member.background.mean(axis=0, keepdims=True)

    base = np.mean([m.outputs(mean(m))[0] for m in members_of(game)], axis=0)
    return _explained(
        problem, game, lambda m: _along_lines(m, mean(m), n_nodes), base, start
    )


def expected_gradients(problem: Problem, *, n_nodes: int = 8) -> shap.Explanation:
    r"""Integrate the gradient along the lines from all background rows to each row.

    The mean of `integrated_gradients` over all background rows as baselines, without
    sampling. For one hidden layer it equals `deep`.

    Parameters
    ----------
    problem : Problem
        The model, a network of sknn at its end; the rows and the background.
    n_nodes : int, default=8
        Nodes of the quadrature; what it misses is the error of the sum of the values.

    Returns
    -------
    explanation : shap.Explanation
        Values.

    References
    ----------
    Erion et al., "Improving performance of deep learning models with axiomatic
    attribution priors and expected gradients", Nature Machine Intelligence 3, 2021,
    equation 3.
    """
    start = time.perf_counter()
    game = native_game(problem, "expected_gradients")
    return _explained(
        problem,
        game,
        lambda m: _along_lines(m, m.background, n_nodes),
        game.base_values(),
        start,
    )


def _explained(
    problem: Problem,
    game: Game | Average,
    values_of: Callable[[Game], Array],
    base: Array,
    start: float,
) -> shap.Explanation:
    """Return the explanation by the mean of what `values_of` gives for each member."""
    values = [sum_by_player(values_of(member), member) for member in members_of(game)]
    return problem.to_explanation(
        np.mean(values, axis=0),
        np.tile(base, (len(game.X), 1)),
        seconds=time.perf_counter() - start,
    )


def _along_lines(game: Game, baselines: Array, n_nodes: int) -> Array:
    """Return the mean over the baselines of integrated gradients, (n, C, m)."""
    if not isinstance(n_nodes, numbers.Integral) or n_nodes < 1:
        raise ValueError(f"n_nodes must be an integer of at least 1, got {n_nodes!r}")
    nodes, weights = leggauss(int(n_nodes))
    t = ((1 + nodes) / 2)[:, None, None]
    weights = (weights / 2 / len(baselines)).repeat(len(baselines))
    values = np.empty((len(game.X), game.head.A.shape[1], game.X.shape[1]))
    for i, x in enumerate(game.X):
        points = (t * x + (1 - t) * baselines).reshape(-1, len(x))
        slopes = gradients(game, points.astype(game.X.dtype))
        differences = np.tile(x - baselines, (len(nodes), 1)) * weights[:, None]
        values[i] = np.einsum("pcm,pm->cm", slopes, differences)
    return values


def gradients(game: Game, cells: Array) -> Array:
    """Return the gradients (n, C, m) of the outputs by the cells."""
    parts = [
        _gradients_of_block(game, cells[first : first + _BLOCK_ROWS])
        for first in range(0, len(cells), _BLOCK_ROWS)
    ]
    return np.concatenate(parts)


def _gradients_of_block(game: Game, cells: Array) -> Array:
    layers = game.network.layers[game.first :]
    views = game.network.views[game.first :]
    tapes = Tape(recording=True).layers(len(layers))
    raw = chain_forward(layers, cells, views, tapes)[0].copy()
    n_outputs = game.head.A.shape[1]
    found = np.empty((len(cells), n_outputs, cells.shape[1]), dtype=cells.dtype)
    slopes = head_slopes(game.head, raw).astype(cells.dtype)
    for c in range(n_outputs):
        dy = np.ascontiguousarray(slopes[:, c])
        found[:, c] = chain_backward(layers, dy, views, None, tapes)
    return found


def head_slopes(head: Head, raw: Array) -> Array:
    """Return the gradients (n, C, n_raw) of the outputs by the raw scores."""
    A = head.A.T
    if head.kind == "identity":
        return np.broadcast_to(A, (len(raw), *A.shape))
    if head.kind == "other":
        raise ValueError(
            "methods made of gradients have no slope for this loss's link. Use "
            "method='permutation'."
        )
    f = head.inverse(raw.astype(np.float64))
    if head.kind == "softmax":
        weighted = f[:, None] * A
        return weighted - weighted.sum(axis=-1, keepdims=True) * f[:, None]
    return A * (f * (1 - f) if head.kind == "logistic" else f)[:, None]
