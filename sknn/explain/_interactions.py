"""Shapley interactions: what two columns do together beyond what each does alone.

Counts coalitions of a `Game`, all of them or a balanced sample; draws nothing.
"""

from __future__ import annotations

import time
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._faithfulness import check_count
from sknn.explain._masking import CELLS
from sknn.explain._optional import require
from sknn.explain._perturb import Game, prepare
from sknn.explain._seeds import seed_of

if TYPE_CHECKING:
    import shap

__all__ = ["interactions"]

MAX_EXACT = 12  # players whose 2**12 coalitions are all asked for


def interactions(
    estimator: Any,
    X: Any,
    *,
    background: Any,
    order: int = 2,
    index: str = "shapley",
    output: str = "auto",
    target: Any = None,
    rounds: int = 1,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
) -> shap.Explanation:
    r"""Divide each output among the columns and the pairs of columns.

    The effect of a pair is its Shapley interaction index, half of it in either of the
    places (i, j) and (j, i); what remains of a column's Shapley value is its main
    effect, on the diagonal:

    .. math:: \Phi_{ij} = \frac{1}{2} \sum_{S \subseteq N \setminus \{i, j\}}
              \frac{|S|! \, (d - |S| - 2)!}{(d - 1)!}
              \left( v(S_{ij}) - v(S_i) - v(S_j) + v(S) \right), \qquad
              \Phi_{ii} = \phi_i - \sum_{j \neq i} \Phi_{ij}

    where v(S) is the output averaged over the background with the columns S shown.
    Rows of the matrix add up to Shapley values, the matrix to f(x) less the base value.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted model; a black box.
    X : table of shape (n, d)
        The rows to explain.
    background : table of shape (B, d)
        The rows to compare with, all of which are used.
    order : {2}, default=2
        How many columns interact.
    index : {"shapley", "taylor"}, default="shapley"
        "shapley" is the index above, as in shap's explainer of trees. "taylor" is the
        Shapley-Taylor index [3]_, as in shap's exact explainer: a main effect is what
        a column does alone, ``v({i}) - v({})``, all the rest belongs to pairs.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        As for `explain`.
    target : label, int, list or "predicted", optional
        As for `explain`.
    rounds : int, default=1
        Passes over the background where coalitions are sampled.
    random_state : int, Generator or RandomState, optional
        Seed of the sample.

    Returns
    -------
    explanation : shap.Explanation
        `values` of shape (n, d, d) for one output and (n, d, d, outputs) for several,
        with `base_values` and names as `explain` gives them. `error_std` holds the
        standard errors, None if every row was exact.

    Notes
    -----
    A row in which at most 12 columns differ from the background is exact and takes
    ``2**columns`` predictions per background row. For more columns, each background
    row serves walks in which every pair is adjacent equally often, about ``d**2``
    predictions per round (``2 * d**2`` if d is odd). Both add up exactly. Standard
    errors include the spread of the background, which is not left to chance, and so
    err on the safe side.

    The two indices add up to the same output, but the rows of "taylor" are not Shapley
    values. "taylor" is not sampled: it is refused for more than 12 columns.

    References
    ----------
    .. [1] Grabisch and Roubens, "An axiomatic approach to the concept of interaction
           among players in cooperative games", Int. J. Game Theory 28, 1999.
    .. [2] Lundberg, Erion and Lee, "Consistent Individualized Feature Attribution for
           Tree Ensembles", 2018, SHAP interaction values.
    .. [3] Sundararajan, Dhamdhere and Agarwal, "The Shapley Taylor Interaction Index",
           ICML 2020, the index of order 2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import PolynomialFeatures
    >>> from sknn.explain import interactions
    >>> X = np.random.default_rng(0).normal(size=(50, 2))
    >>> product = make_pipeline(PolynomialFeatures(2), LinearRegression())
    >>> product = product.fit(X, X[:, 0] * X[:, 1])
    >>> found = interactions(product, [[3.0, 1.0]], background=[[0.0, 0.0]])
    >>> found.values[0].round(6) + 0.0
    array([[0. , 1.5],
           [1.5, 0. ]])
    """
    if order != 2:
        raise NotImplementedError(
            f"order must be 2, got {order!r}: no other interactions are built yet"
        )
    if index not in ("shapley", "taylor"):
        raise ValueError(f"index must be 'shapley' or 'taylor', got {index!r}")
    check_count("rounds", rounds)
    shap = require("shap")
    start = time.perf_counter()
    game = prepare(estimator, X, background, output=output, target=target)
    seed = seed_of(random_state)
    found = [_explain_row(game, i, index, rounds, seed) for i in range(len(game.X))]
    values, errors = (np.stack([row[part] for row in found]) for part in range(2))
    is_narrow = game.n_outputs == 1
    names = game.model.output.names if game.chosen is None else None
    table = game.model.table
    return shap.Explanation(
        values=values[..., 0] if is_narrow else values,
        base_values=game.base()[:, 0] if is_narrow else game.base(),
        data=game.X.copy(),
        display_data=table.display(game.X),
        feature_names=table.names,
        output_names=names[0] if names and is_narrow else names and list(names),
        error_std=(errors[..., 0] if is_narrow else errors) if errors.any() else None,
        compute_time=time.perf_counter() - start,
    )


def _explain_row(
    game: Game, i: int, index: str, rounds: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrix of row i and its standard errors, (d, d, C)."""
    row = game.X[i]
    equal = (row == game.background) | (np.isnan(row) & np.isnan(game.background))
    players = np.flatnonzero(~equal.all(axis=0))  # the rest makes no difference
    if len(players) <= MAX_EXACT:
        part = _exact(game, i, players, index)
        error = np.zeros_like(part)
    elif index == "taylor":
        raise ValueError(
            f"index='taylor' takes at most {MAX_EXACT} columns that differ from the "
            f"background, got {len(players)} in row {i}; use index='shapley', or a "
            "model of fewer columns"
        )
    else:
        entropy = [seed, game.model.table.fingerprint(row)]
        rng = np.random.default_rng(np.random.SeedSequence(entropy))
        part, error = _sampled(game, i, players, rounds, rng)
    d = game.X.shape[1]
    values, errors = np.zeros((2, d, d, game.n_outputs))
    values[np.ix_(players, players)] = part
    errors[np.ix_(players, players)] = error
    return values, errors


def _exact(game: Game, i: int, players: np.ndarray, index: str) -> np.ndarray:
    p = len(players)
    shown = np.ones((2**p, game.X.shape[1]), dtype=bool)
    shown[:, players] = np.indices((2,) * p).reshape(p, 2**p).T
    worth = game.worth(i, shown).reshape(*(2,) * p, -1)  # an axis for each player
    single = np.zeros((p, game.n_outputs))
    pairs = np.zeros((p, p, game.n_outputs))
    for j in range(p):
        gain = np.diff(worth, axis=j)
        single[j] = _mean(gain, np.eye(p)[0] if index == "taylor" else np.ones(p))
        for k in range(j):
            # Taylor's weight falls with what is shown already, down to a single pair
            by_size = np.ones(p - 1) if index == "shapley" else np.arange(p - 1, 0, -1)
            pairs[j, k] = pairs[k, j] = _mean(np.diff(gain, axis=k), by_size)
    if index == "shapley":
        return _matrix(single, pairs)
    return pairs / 2 + np.eye(p)[:, :, None] * single


def _mean(gain: np.ndarray, by_size: np.ndarray) -> np.ndarray:
    """Average over coalitions of the others: within each size, then by its weight."""
    m = len(by_size) - 1
    size = np.indices((2,) * m).reshape(m, 2**m).sum(axis=0)
    per_set = by_size / by_size.sum() / [comb(m, k) for k in range(m + 1)]
    return per_set[size] @ gain.reshape(2**m, -1)


def _matrix(shapley: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Halve the pairs (p, p, C) and put main effects on the diagonal."""
    matrix = pairs / 2
    places = np.arange(len(shapley))
    matrix[places, places] = shapley - matrix.sum(axis=1)
    return matrix


def _sampled(
    game: Game, i: int, players: np.ndarray, rounds: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over sweeps and its standard error, (p, p, C)."""
    mean, squares = np.zeros((2, len(players), len(players), game.n_outputs))
    for n in range(rounds * len(game.background)):
        b = game.background[n % len(game.background)]
        step = _sweep(game, i, players, b, rng) - mean
        mean += step / (n + 1)
        squares += step**2 * n / (n + 1)
    if n == 0:
        return mean, np.full_like(mean, np.nan)
    return mean, np.sqrt(squares / n / (n + 1))


def _sweep(
    game: Game, i: int, players: np.ndarray, b: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Estimate the matrix against one background row by walks through all pairs."""
    p = len(players)
    walks = rng.permutation(p)[_paths(p)]
    shapley = np.zeros((p, game.n_outputs))
    pairs = np.zeros((p, p, game.n_outputs))
    step = max(1, CELLS // (2 * p * len(b)))
    for start in range(0, len(walks), step):
        block = walks[start : start + step]
        chain, beside = _walk(game, i, players, b, block)
        np.add.at(shapley, block, np.diff(chain, axis=1))
        first, second = block[:, :-1], block[:, 1:]
        gain = chain[:, 2:] - chain[:, 1:-1] - beside + chain[:, :-2]
        np.add.at(pairs, (first, second), gain)
        np.add.at(pairs, (second, first), gain)
    meetings = 2 * len(walks) / p  # of each pair
    return _matrix(shapley / len(walks), pairs / meetings)


def _walk(
    game: Game, i: int, players: np.ndarray, b: np.ndarray, walks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the outputs along walks (w, p), and beside each step but the last.

    Along: the first k players are shown, (w, p + 1, C). Beside: the first k and the
    one after the next, (w, p - 1, C).
    """
    w, p = walks.shape
    place = np.argsort(walks, axis=1)[:, None, :]
    step = np.arange(p + 1)[:, None]
    along = place < step
    beside = along[:, : p - 1] | (place == step[: p - 1] + 1)
    shown = np.ones((w, 2 * p, len(b)), dtype=bool)
    shown[:, :, players] = np.concatenate([along, beside], axis=1)
    rows = np.where(shown, game.X[i], b)
    values = game.outputs(i, rows.reshape(-1, len(b))).reshape(w, 2 * p, -1)
    return values[:, : p + 1], values[:, p + 1 :]


def _paths(p: int) -> np.ndarray:
    """Return walks through p points, in which all pairs are equally often neighbours.

    A zigzag has every distance between its steps; turned around the circle of points
    it meets every pair once (p even) or twice (p odd).
    """
    zigzag = np.empty(p, dtype=np.intp)
    zigzag[0::2] = np.arange((p + 1) // 2)
    zigzag[1::2] = p - 1 - np.arange(p // 2)
    turns = np.arange(p // 2 if p % 2 == 0 else p)
    return (zigzag + turns[:, None]) % p
