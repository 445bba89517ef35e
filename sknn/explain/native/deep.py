"""DeepLIFT over a background (DeepSHAP), and linear models as its simplest case."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial.legendre import leggauss

from sknn.explain._problem import Problem
from sknn.explain.native.game import Average, Game, Pooled, find_game
from sknn.explain.native.head import Head
from sknn.explain.native.rules import Multipliers, Record, propagate, record
from sknn.explain.native.source import NotNativeError
from sknn.layers import Activation, LayerNorm

if TYPE_CHECKING:
    import shap

Array = Any
_BLOCK_BYTES = 1 << 20  # of one array over pairs of rows and units
_NODES = 64  # of the quadrature along softmax


def deep(problem: Problem) -> shap.Explanation:
    r"""Share out each difference from a background row by DeepLIFT's rescale rule.

    Each activation passes back the ratio of its differences,
    :math:`(a(z_x) - a(z_b)) / (z_x - z_b)`, instead of a slope; the values are means
    over the background, and add up to the output exactly. They are Shapley values for
    one hidden layer that is linear between all pairs of rows; in general they are not,
    but cost one pass through the network.

    Parameters
    ----------
    problem : Problem
        The model, a network of sknn at its end; the rows and the background.

    Returns
    -------
    explanation : shap.Explanation
        Values.

    Raises
    ------
    ValueError
        If the model is no network of sknn, or mixes columns before the network.

    Warns
    -----
    UserWarning
        For probabilities of several classes, and for layer normalisation, whose rules
        are not elementwise.

    References
    ----------
    Shrikumar, Greenside & Kundaje, "Learning important features through propagating
    activation differences", ICML 2017, section 3.5.1; Lundberg & Lee, "A unified
    approach to interpreting model predictions", NeurIPS 2017, section 4.2.
    """
    start = time.perf_counter()
    game = native_game(problem, "deep")
    _warn_of_joint_rules(members_of(game)[0])
    values = np.mean([deep_values(member) for member in members_of(game)], axis=0)
    return problem.to_explanation(
        values,
        np.tile(game.base_values(), (len(values), 1)),
        seconds=time.perf_counter() - start,
    )


def linear(problem: Problem) -> shap.Explanation:
    """Compute the exact Shapley values of a linear model.

    Parameters
    ----------
    problem : Problem
        The model, a network of sknn without hidden layers or a linear model at its
        end; the rows and the background.

    Returns
    -------
    explanation : shap.Explanation
        Values.

    Raises
    ------
    ValueError
        If the model is not linear in its columns.
    """
    start = time.perf_counter()
    game = native_game(problem, "linear")
    if not isinstance(game, Game) or not is_linear(game):
        raise ValueError(
            "method='linear' needs a model without hidden layers, and the margin or a "
            "prediction without a link. Use method='permutation' or 'deep'."
        )
    return problem.to_explanation(
        deep_values(game),
        np.tile(game.base_values(), (len(game.X), 1)),
        seconds=time.perf_counter() - start,
    )


def members_of(game: Game | Average) -> tuple[Game, ...]:
    """Return the games that a game is the mean of, or the game itself."""
    return game.games if isinstance(game, Average) else (game,)


def native_game(problem: Problem, method: str) -> Game | Average:
    """Return the game of a network; raise ValueError naming the method without one."""
    try:
        game = find_game(problem)
        if isinstance(game, Pooled):
            raise NotNativeError(
                "the probabilities are those of an average of scores. Explain the "
                "scores with output='margin'"
            )
        return game
    except NotNativeError as error:
        raise ValueError(
            f"method={method!r} works from within a network of sknn, but {error}. Use "
            "method='permutation'."
        ) from error


def is_linear(game: Game) -> bool:
    """Tell whether outputs are linear in the cells."""
    layers = [layer for layer, _, _ in game.network.walk()]
    bent = [
        layer
        for layer in layers
        if isinstance(layer, LayerNorm)
        or (isinstance(layer, Activation) and layer.name != "identity")
    ]
    return game.first == 0 and not bent and game.head.kind == "identity"


def deep_values(game: Game) -> Array:
    """Return the values (n, p, C)."""
    layers = game.network.layers[game.first :]
    views = game.network.views[game.first :]
    x, b = (record(layers, views, cells) for cells in (game.X, game.background))
    raw_x = x[-1].y if x else game.X
    raw_b = b[-1].y if b else game.background
    widest = max([raw_x.shape[1], *(r.x.shape[1] for r in x[1:])])
    n_outputs = game.head.A.shape[1]
    pair_bytes = widest * len(game.background) * game.X.itemsize
    size = max(1, _BLOCK_BYTES // pair_bytes)
    values = np.empty((len(game.X), n_outputs, game.X.shape[1]))
    for first in range(0, len(values), size):
        rows = slice(first, first + size)
        m = head_multipliers(game.head, raw_x[rows], raw_b)
        own = [r.of(rows) for r in x]
        values[rows] = _cells(own, b, m, game.X[rows], game.background)
    return sum_by_player(values, game)


def _cells(
    x: list[Record], b: list[Record], m: Multipliers, cells: Array, background: Array
) -> Array:
    """Return the mean over the background of each cell's share, (n, C, m)."""
    if x and _is_kernel(x[0]):
        m = propagate(x[1:], b[1:], m)
        if m.pairs is not None and m.pairs.ndim == 3:
            return _before_kernel(x[0].views["W"], m, cells, background)
    elif x:
        m = propagate(x, b, m)
        return _mean_shares(m.full, cells, background)
    W = x[0].views["W"] if x else None
    full = m.full
    if W is not None and full.shape[2] > 1:
        # Sums over the background come before the kernel, which is as wide again.
        own = np.matmul(full.mean(axis=2), W.T) * cells[:, None]
        other = np.matmul(background.T, full)  # (n, C, m, h)
        return own - np.einsum("ncmh,mh->ncm", other, W / full.shape[2])
    full = full if W is None else np.matmul(full, W.T)
    return _mean_shares(full, cells, background)


def _is_kernel(found: Record) -> bool:
    return type(found.layer).__name__ == "Dense"


def _before_kernel(W: Array, m: Multipliers, cells: Array, background: Array) -> Array:
    """Return the shares where outputs differ by a factor of each unit only.

    What pairs of rows contribute is summed up once for all outputs.
    """
    pairs, outputs = m.pairs, m.outputs
    assert pairs is not None
    B = pairs.shape[1]
    mean = pairs.mean(axis=1)
    own = np.matmul(mean[:, None] * outputs, W.T) * cells[:, None]
    other = np.matmul(background.T, pairs)  # (n, m, h)
    other *= W / B
    return own - np.matmul(outputs, other.swapaxes(-1, -2))


def _mean_shares(full: Array, cells: Array, background: Array) -> Array:
    """Return the mean over the background of multiplier times difference."""
    own = full.mean(axis=2) * cells[:, None]
    if full.shape[2] == 1:
        return own - full[:, :, 0] * background.mean(axis=0)
    return own - np.einsum("ncbm,bm->ncm", full, background) / len(background)


def sum_by_player(values: Array, game: Game) -> Array:
    """Return the sums of the cells of each player, (n, p, C)."""
    if np.array_equal(game.owner, np.arange(game.n_players)):
        return values.swapaxes(1, 2)
    members = game.owner[:, None] == np.arange(game.n_players)
    return (values @ members.astype(np.float64)).swapaxes(1, 2)


def head_multipliers(head: Head, raw_x: Array, raw_b: Array) -> Multipliers:
    """Return the multipliers of the outputs by the raw scores."""
    dtype = raw_x.dtype
    A = head.A.astype(dtype)
    if head.kind == "identity":
        return Multipliers(A.T.copy())
    if head.kind == "softmax":
        return Multipliers(A.T, _softmax_pairs(head, raw_x, raw_b).astype(dtype))
    if head.kind == "other":
        raise ValueError(
            "method='deep' has no rule for this loss's link. Use method='permutation'."
        )
    x, b = (raw.astype(np.float64) for raw in (raw_x, raw_b))
    difference = x[:, None] - b
    f_x, f_b = (head.inverse(raw.copy()) for raw in (x, b))
    ratio = f_x[:, None] - f_b
    close = np.abs(difference) < np.cbrt(np.finfo(np.float64).eps)
    np.divide(ratio, difference, out=ratio, where=~close)
    middle = (x[:, None] + b)[close] / 2
    f = head.inverse(middle[:, None].copy())[:, 0]
    ratio[close] = f * (1 - f) if head.kind == "logistic" else f
    return Multipliers(A.T.copy(), ratio.astype(dtype))


def _softmax_pairs(head: Head, raw_x: Array, raw_b: Array) -> Array:
    """Return the mean Jacobian of softmax along each pair's line, (n, C, B, K).

    Aumann and Shapley's way to share out a joint function: additive up to the error of
    a quadrature of 64 nodes, about 1e-11.
    """
    x, b = raw_x.astype(np.float64), raw_b.astype(np.float64)
    A = head.A
    total: Any = 0.0
    for node, weight in zip(*leggauss(_NODES), strict=True):
        t = (1 + node) / 2
        p = head.inverse((t * x[:, None] + (1 - t) * b).reshape(-1, x.shape[1]).copy())
        p = p.reshape(len(x), len(b), -1)
        chosen = p[:, None] * A.T[None, :, None]  # (n, C, B, K)
        centred = chosen - chosen.sum(axis=-1, keepdims=True) * p[:, None]
        total = total + weight / 2 * centred
    return total


def _warn_of_joint_rules(game: Game) -> None:
    if game.head.kind == "softmax":
        warnings.warn(
            "method='deep' shares softmax out along straight lines, which is additive "
            "but far from Shapley values. Use output='margin', or "
            "method='permutation'.",
            UserWarning,
            stacklevel=4,
        )
    if any(isinstance(layer, LayerNorm) for layer, _, _ in game.network.walk()):
        warnings.warn(
            "method='deep' shares layer normalisation out by a rule that is additive, "
            "but not elementwise: compare with method='permutation'.",
            UserWarning,
            stacklevel=4,
        )
