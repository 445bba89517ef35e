"""Whether an explanation stays when the seed, or the row by a little, is another.

These metrics explain again; what is compared within one explanation lies elsewhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sknn.explain._agreement import rank_correlation
from sknn.explain._explain import explain
from sknn.explain._faithfulness import check_count
from sknn.explain._perturb import Game, attributions, narrow, prepare
from sknn.explain._seeds import seed_of

if TYPE_CHECKING:
    import shap

__all__ = ["Stability", "sensitivity_max", "stability"]

Explainer = Callable[[Any, int], Any]


class Stability(NamedTuple):
    """How alike the explanations of several seeds are, by row (and output)."""

    rank_correlation: np.ndarray
    relative_change: np.ndarray


def sensitivity_max(
    estimator: Any,
    X: Any,
    explanation: shap.Explanation,
    *,
    background: Any,
    explainer: Explainer | None = None,
    radius: float = 0.02,
    n_samples: int = 10,
    columns: Sequence[str] | None = None,
    relative: bool = True,
    output: str = "auto",
    target: Any = None,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    **explain_options: Any,
) -> np.ndarray:
    r"""Measure the largest change of an explanation when a row moves a little.

    .. math:: \max_{\|y - x\| \leq r} \| \phi(y) - \phi(x) \|_2

    Far above the share by which the row itself moved, the explanation tells of this
    one point (or of chance, see `stability`) and not of rows like it.

    Parameters
    ----------
    estimator : estimator or Pipeline
        The fitted model that was explained.
    X : table of shape (n, d)
        The rows that were explained.
    explanation : shap.Explanation
        What `explain` returned for them, or a cut through its outputs.
    background : table of shape (B, d)
        The rows to compare with; their standard deviations scale the perturbations.
    explainer : callable, optional
        ``explainer(X, seed)`` returns a shap.Explanation of other rows. None calls
        `explain` with the `explain_options`.
    radius : float, default=0.02
        Largest perturbation of a column, in standard deviations.
    n_samples : int, default=10
        Perturbed copies of each row among which the largest change is sought.
    columns : sequence of str, optional
        Numeric columns to perturb; None for all of them. Leave out those that hold
        codes.
    relative : bool, default=True
        Divide by the norm of the row's own attributions.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        As it was given to `explain`.
    target : label, int, list or "predicted", optional
        As it was given to `explain`; None reads it from the explanation.
    random_state : int, Generator or RandomState, optional
        Seed of the perturbations and of the explanations of perturbed rows.
    **explain_options
        Keywords that `explanation` was made with, such as ``method="lime"``.

    Returns
    -------
    sensitivity : ndarray of shape (n,) or (n, outputs)
        A share, or in units of the output; 0 is best.

    Notes
    -----
    The ball of the paper is a box here, drawn from uniformly; the maximum over
    samples is a lower bound. Strings, categories and missing values stay, integers
    move if they round to another, zeros of sparse matrices stay zero.

    References
    ----------
    .. [1] Yeh et al., "On the (In)fidelity and Sensitivity of Explanations",
           NeurIPS 2019, equation 2.
    """
    game = prepare(
        estimator, X, background, output=output, target=target, explanation=explanation
    )
    values = attributions(game, explanation, "explanation")
    check_count("n_samples", n_samples)
    if not radius > 0:
        raise ValueError(f"radius must be above 0, got {radius!r}")
    seed = seed_of(random_state)
    explainer = _explainer(explainer, estimator, game, output, explain_options)
    nearby = _nearby(game, columns, radius, n_samples, seed)
    found = explainer(game.model.table.decode(np.concatenate(nearby)), seed)
    moved = _values_of(found, (n_samples, *values.shape))
    change = np.linalg.norm(moved - values, axis=2).max(axis=0)
    return narrow(_ratio(change, values) if relative else change, explanation)


def stability(
    estimator: Any,
    X: Any,
    *,
    background: Any,
    explainer: Explainer | None = None,
    n_seeds: int = 5,
    output: str = "auto",
    target: Any = None,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    **explain_options: Any,
) -> Stability:
    """Measure how alike explanations are that differ only in their seed.

    Below a rank correlation of 0.9, or with values that change by more than you would
    act on, spend more (`rounds`, `num_samples`) before you read the explanation.

    Parameters
    ----------
    estimator : estimator or Pipeline
        The fitted model to explain.
    X : table of shape (n, d)
        The rows to explain.
    background : table of shape (B, d)
        The rows to compare with.
    explainer : callable, optional
        ``explainer(X, seed)`` returns a shap.Explanation. None calls `explain` with
        the `explain_options`.
    n_seeds : int, default=5
        How often to explain; all pairs are compared.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        As for `explain`.
    target : label, int, list or "predicted", optional
        As for `explain`.
    random_state : int, Generator or RandomState, optional
        Seed of the seeds.
    **explain_options
        Keywords for `explain`, such as ``method="lime"``.

    Returns
    -------
    stability : named tuple of ndarrays of shape (n,) or (n, outputs)
        `rank_correlation`: Spearman's, of the absolute values, mean over pairs; 1 is
        best. `relative_change`: distance of two explanations, mean over pairs, as a
        share of the norm of the mean explanation; 0 is best.

    Notes
    -----
    An explanation can be stable and wrong: a biased method repeats its bias. Look at
    `infidelity`, too.
    """
    game = prepare(estimator, X, background, output=output, target=target)
    check_count("n_seeds", n_seeds, least=2)
    explainer = _explainer(explainer, estimator, game, output, explain_options)
    seeds = np.random.SeedSequence(seed_of(random_state)).generate_state(n_seeds)
    table = game.model.table.decode(game.X)
    found = [explainer(table, int(seed)) for seed in seeds]
    shape = (1, *game.X.shape, game.n_outputs)
    runs = np.concatenate([_values_of(run, shape) for run in found])
    pairs = list(itertools.combinations(runs, 2))
    ranks = np.mean([rank_correlation(a, b) for a, b in pairs], axis=0)
    change = np.mean([np.linalg.norm(a - b, axis=1) for a, b in pairs], axis=0)
    change = _ratio(change, runs.mean(axis=0))
    return Stability(narrow(ranks, found[0]), narrow(change, found[0]))


def _explainer(
    explainer: Explainer | None,
    estimator: Any,
    game: Game,
    output: str,
    options: dict[str, Any],
) -> Explainer:
    if explainer is not None:
        if options or not callable(explainer):
            raise TypeError(
                "explainer must be a callable that takes X and a seed, and no options "
                f"beside it, got {explainer!r} and {sorted(options)}"
            )
        return explainer
    background = game.model.table.decode(game.background)

    def explain_again(X: Any, seed: int) -> Any:
        return explain(
            estimator,
            X,
            background=background,
            output=output,
            target=game.target,
            random_state=seed,
            **options,
        )

    return explain_again


def _values_of(explanation: Any, shape: tuple[int, ...]) -> np.ndarray:
    values = np.asarray(explanation.values, dtype=np.float64)
    if values.size != np.prod(shape):
        raise ValueError(
            f"explainer must return values for {shape[0] * shape[1]} rows, {shape[2]} "
            f"columns and {shape[3]} outputs, got shape {values.shape}"
        )
    return values.reshape(shape)


def _nearby(
    game: Game,
    columns: Sequence[str] | None,
    radius: float,
    n_samples: int,
    seed: int,
) -> np.ndarray:
    """Return perturbed codes (n_samples, n, d), the same for a row in any company."""
    table = game.model.table
    moves = np.array([column.is_numeric for column in table.columns])
    if columns is not None:
        numeric = [name for name, can in zip(table.names, moves, strict=True) if can]
        unknown = [name for name in columns if name not in numeric]
        if unknown or isinstance(columns, str):
            raise ValueError(
                f"columns must be a list of numeric columns of X, got {columns!r}"
            )
        moves = np.isin(table.names, list(columns))
    reach = np.zeros(len(moves))
    reach[moves] = radius * _spread(game.background[:, moves])
    rows = [_draws(game, i, n_samples, seed) for i in range(len(game.X))]
    moved = game.X + reach * np.stack(rows, axis=1)
    if table.form.label == "sparse matrix":
        moved[:, game.X == 0] = 0.0
    return moved


def _draws(game: Game, i: int, n_samples: int, seed: int) -> np.ndarray:
    entropy = [seed, game.model.table.fingerprint(game.X[i])]
    rng = np.random.default_rng(np.random.SeedSequence(entropy))
    return rng.uniform(-1.0, 1.0, (n_samples, game.X.shape[1]))


def _spread(codes: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each column's present values, 0 if none."""
    present = ~np.isnan(codes)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, codes, 0.0).sum(axis=0) / count
    squares = np.where(present, (codes - mean) ** 2, 0.0).sum(axis=0) / count
    return np.sqrt(squares)


def _ratio(change: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Divide (n, C) by the norms of attributions (n, d, C); 0 / 0 is 0."""
    norm = np.linalg.norm(values, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(change == 0, 0.0, change / norm)
