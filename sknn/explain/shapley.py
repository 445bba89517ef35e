"""The explainers of the shap package, on the user's own columns.

Asks them row by row, on codes and with seeds of our own; the native methods, which
compute the same values faster, are in `native` and `kernel`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._masking import PointerModel, TableMasker, column_tree
from sknn.explain._optional import require
from sknn.explain._problem import Problem
from sknn.explain.native.deep import is_linear, native_game, sum_by_player
from sknn.explain.native.game import Game
from sknn.explain.native.gradients import gradients

if TYPE_CHECKING:
    import shap

__all__ = ["SHAP_METHODS", "borrowed_global_rng", "shap_method"]

Array = Any

MAX_PLAYERS = 16
PAIRS_PER_ROUND = 10
_GLOBAL_RNG = threading.Lock()


def exact(problem: Problem, *, interactions: bool = False) -> shap.Explanation:
    r"""Compute Shapley values, or interactions, by shap's ExactExplainer.

    Parameters
    ----------
    problem : Problem
        The model, the rows and the background; a row may differ from it in at most 16
        columns.
    interactions : bool, default=False
        Whether to split the outputs up by pairs of columns: the diagonal holds what a
        column does alone, :math:`v(\{j\}) - v(\emptyset)`, the places jk and kj half
        of the interaction each. The sum over all of a row's pairs is its output, the
        sum over one column is not its Shapley value.

    Returns
    -------
    explanation : shap.Explanation
        Values, (n, d, d) or (n, d, d, C) with interactions.

    Raises
    ------
    ValueError
        If a row differs from the background in more than 16 columns.

    References
    ----------
    Sundararajan, Dhamdhere & Agarwal, "The Shapley Taylor interaction index", ICML
    2020, equation 3, for two columns.
    """
    counter = TableMasker(problem.background, problem.players.owner)
    counts = [counter.n_varying(row) for row in problem.X]
    for i, count in enumerate(counts):
        if count > MAX_PLAYERS:
            raise ValueError(
                f"method='shap:Exact' takes up to {MAX_PLAYERS} columns that differ "
                f"from the background, but row {i} of X has {count}: it would take "
                f"{2**count * len(problem.background):,} predictions. Use "
                "method='permutation'."
            )

    def explain_row(i: int) -> Array:
        masker = TableMasker(
            problem.background, problem.players.owner, n_masks=2 ** counts[i]
        )
        explainer = require("shap").ExactExplainer(problem.model, masker)
        return explainer.explain_row(
            problem.X[i],
            max_evals=None,
            main_effects=False,
            error_bounds=False,
            batch_size=masker.masks_per_call,
            outputs=None,
            interactions=2 if interactions else 1,
            silent=True,
        )["values"]

    return _by_row(problem, explain_row)


def permutation(problem: Problem, *, max_evals: int | None = None) -> shap.Explanation:
    """Estimate Shapley values by shap's PermutationExplainer.

    Each walk shows the columns in a random order, and hides them again in the same
    order. Its background rows all go the same way, which takes more walks than those
    of "permutation" for the same error.

    Parameters
    ----------
    problem : Problem
        The model, the rows and the background.
    max_evals : int, optional
        Coalitions per row; a walk through d columns takes 2 d + 1 of them. None for
        ten walks per round.

    Returns
    -------
    explanation : shap.Explanation
        Values, and where there are several walks the standard error in `error_std`.

    Raises
    ------
    ValueError
        If `max_evals` does not suffice for one walk.
    """
    start = time.perf_counter()
    counter = TableMasker(problem.background, problem.players.owner)
    lengths = [2 * counter.n_varying(row) + 1 for row in problem.X]
    n_walks = [PAIRS_PER_ROUND * problem.rounds] * len(lengths)
    if max_evals is not None:
        _check_budget("max_evals", max_evals, max(lengths), "one walk")
        n_walks = [max_evals // length for length in lengths]
    walks = [_walk(problem, i, lengths[i], n_walks[i]) for i in range(len(problem.X))]
    errors = None
    if min(n_walks) > 1:
        errors = [row.std(axis=0, ddof=1) / np.sqrt(len(row)) for row in walks]
    return problem.to_explanation(
        np.stack([row.mean(axis=0) for row in walks]),
        _base_values(problem),
        error_std=None if errors is None else np.stack(errors),
        seconds=time.perf_counter() - start,
    )


def _walk(problem: Problem, i: int, length: int, n_walks: int) -> Array:
    """Return the contributions of one row by walk, (walks, d, C)."""
    masker = TableMasker(problem.background, problem.players.owner)
    with _shap_at_work(problem.row_seed(i)):
        explainer = require("shap").PermutationExplainer(
            problem.model, masker, seed=problem.row_seed(i)
        )
        walks = [
            explainer.explain_row(
                problem.X[i],
                max_evals=length,
                main_effects=False,
                error_bounds=False,
                batch_size=masker.masks_per_call,
                outputs=None,
                silent=True,
            )["values"]
            for _ in range(n_walks)
        ]
    return np.stack(walks)


def kernel(
    problem: Problem,
    *,
    nsamples: int | None = None,
    l1_reg: bool | float | str = False,
) -> shap.Explanation:
    """Estimate Shapley values by shap's KernelExplainer.

    Parameters
    ----------
    problem : Problem
        The model, the rows and the background.
    nsamples : int, optional
        Coalitions per row; None for 2048 and two for each column, per round.
    l1_reg : False, "num_features(k)", "aic", "bic" or float, default=False
        How shap chooses the columns that get a value at all. Its own default,
        "num_features(10)", gives nothing to all columns but ten.

    Returns
    -------
    explanation : shap.Explanation
        Values; shap makes zeros of those below 1e-10.

    Raises
    ------
    ValueError
        If `nsamples` does not suffice for two coalitions per column, or `l1_reg` is
        none of these.

    References
    ----------
    Lundberg & Lee, "A unified approach to interpreting model predictions", NeurIPS
    2017, theorem 2.
    """
    _check_l1_reg(l1_reg)
    counter = TableMasker(problem.background, problem.players.owner)

    def explain_row(i: int) -> Array:
        q = counter.n_varying(problem.X[i])
        n = (2 * q + 2048) * problem.rounds if nsamples is None else nsamples
        least = max(1, min(2 * q, 2**q - 2))
        _check_budget("nsamples", n, least, f"{q} columns")
        return _by_pointers(problem, i, "KernelExplainer", nsamples=n, l1_reg=l1_reg)

    return _by_row(problem, explain_row)


def sampling(problem: Problem, *, nsamples: int | None = None) -> shap.Explanation:
    """Estimate Shapley values by shap's SamplingExplainer.

    Parameters
    ----------
    problem : Problem
        The model, the rows and the background.
    nsamples : int, optional
        Differences per row, each of two predictions; None for 2000, or 20 for each
        column if those are more, per round.

    Returns
    -------
    explanation : shap.Explanation
        Values. They add up to the output up to a millionth of what they missed it by
        before shap's correction.

    Raises
    ------
    ValueError
        If `nsamples` does not suffice for two differences per column, or if an output
        is the same whatever the columns are.

    References
    ----------
    Štrumbelj & Kononenko, "An efficient explanation of individual classifications
    using game theory", JMLR 11, 2010, algorithm 1.
    """
    counter = TableMasker(problem.background, problem.players.owner)

    def explain_row(i: int) -> Array:
        q = counter.n_varying(problem.X[i])
        n = max(2000, 20 * q) * problem.rounds if nsamples is None else nsamples
        _check_budget("nsamples", n, max(1, 2 * q), f"{q} columns")
        with np.errstate(all="ignore"):
            values = _by_pointers(problem, i, "SamplingExplainer", nsamples=n)
        if not np.isfinite(values).all():
            raise ValueError(
                "method='shap:Sampling' divides by the spread of an output's "
                f"differences, and row {i} of X has an output without any. Use "
                "method='permutation'."
            )
        return values

    return _by_row(problem, explain_row)


def _by_pointers(problem: Problem, i: int, name: str, **settings: Any) -> Array:
    """Return the values (d, C) of one row by an explainer that takes no masker."""
    rows = np.concatenate([problem.X[i : i + 1], problem.background])
    model = PointerModel(problem.model, rows, problem.players.owner)
    explainer = getattr(require("shap"), name)(model, model.background())
    return explainer.explain(np.zeros((1, len(problem.players.names))), **settings)


def partition(
    problem: Problem,
    *,
    max_evals: int | None = None,
    clustering: str | np.ndarray = "correlation",
) -> shap.Explanation:
    """Compute Owen values by shap's PartitionExplainer.

    A tree of the columns says which act together: credit is shared between the two
    branches of each node, then within them. Where the budget ends, the columns of a
    branch share alike.

    Parameters
    ----------
    problem : Problem
        The model, the rows and the background.
    max_evals : int, optional
        Coalitions per row, at least 4; None for 500 per round.
    clustering : str or ndarray of shape (d - 1, 4), default="correlation"
        The tree as scipy.cluster.hierarchy writes it, or a metric of
        scipy.spatial.distance for complete linkage of the background's columns. For
        columns that are not numeric the codes are compared; groups need a tree.

    Returns
    -------
    explanation : shap.Explanation
        Values, and the tree in `clustering`.

    Raises
    ------
    ValueError
        If there is one column only, a parameter does not fit, or groups have no tree.

    References
    ----------
    Owen, "Values of games with a priori unions", Mathematical Economics and Game
    Theory, 1977.
    """
    tree = _tree(problem, clustering)
    n = 500 * problem.rounds if max_evals is None else max_evals
    _check_budget("max_evals", n, 4, "the uppermost branches")
    masker = TableMasker(problem.background, problem.players.owner, clustering=tree)

    def explain_row(i: int) -> Array:
        explainer = require("shap").PartitionExplainer(problem.model, masker)
        return explainer.explain_row(
            problem.X[i],
            max_evals=n,
            main_effects=False,
            error_bounds=False,
            outputs=None,
            silent=True,
            batch_size=min(10, masker.masks_per_call),  # shap's own is 10
            fixed_context=None,
        )["values"]

    trees = np.tile(tree, (len(problem.X), 1, 1))
    return _by_row(
        problem, explain_row, partial(require("shap").Explanation, clustering=trees)
    )


def linear(problem: Problem) -> shap.Explanation:
    """Compute the Shapley values of a linear model by shap's LinearExplainer.

    Parameters
    ----------
    problem : Problem
        The model, linear and behind preprocessing that works column by column; the
        rows and the background.

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
    game = native_game(problem, "shap:Linear")
    if not isinstance(game, Game) or not is_linear(game):
        raise ValueError(
            "method='shap:Linear' needs a model without hidden layers, and the margin "
            "or a prediction without a link. Use method='permutation'."
        )
    coef = gradients(game, game.X[:1])[0]
    intercept = game.outputs(np.zeros_like(game.X[:1]))[0]
    shap = require("shap")
    masker = shap.maskers.Independent(game.background, max_samples=len(game.background))
    with _shap_at_work(problem.seed):
        values = shap.LinearExplainer((coef, intercept), masker).shap_values(game.X)
    by_output = np.moveaxis(values.reshape(*game.X.shape, -1), -1, 1)
    return problem.to_explanation(
        sum_by_player(by_output, game),
        _base_values(problem),
        seconds=time.perf_counter() - start,
    )


# The explainers by the names that `explain` knows them by.
SHAP_METHODS: dict[str, Callable[..., shap.Explanation]] = {
    "shap:Exact": exact,
    "shap:Permutation": permutation,
    "shap:Kernel": kernel,
    "shap:Sampling": sampling,
    "shap:Partition": partition,
    "shap:Linear": linear,
}
# Those that need a network of another package, and what there is instead.
_NATIVE_ONLY = {"shap:Deep": "deep", "shap:Gradient": "expected_gradients"}


def shap_method(name: str) -> Callable[..., shap.Explanation]:
    """Return the method of this name: a function of a Problem and keywords of its own.

    Parameters
    ----------
    name : str
        One of `SHAP_METHODS`.

    Returns
    -------
    method : callable
        ``method(problem, **options) -> shap.Explanation``.

    Raises
    ------
    ValueError
        If there is none; says what to use in place of shap's Deep and Gradient.
    """
    if name in _NATIVE_ONLY:
        raise ValueError(
            f"method={name!r} explains networks of PyTorch and TensorFlow only. Use "
            f"method={_NATIVE_ONLY[name]!r}, which is the same method for ours."
        )
    if name not in SHAP_METHODS:
        raise ValueError(f"method must be one of {[*SHAP_METHODS]}, got {name!r}")
    return SHAP_METHODS[name]


def _by_row(
    problem: Problem, explain_row: Callable[[int], Array], kind: Any = None
) -> shap.Explanation:
    """Ask for each row (d, ..., C) under a seed of its own."""
    start = time.perf_counter()
    rows = []
    for i in range(len(problem.X)):
        with _shap_at_work(problem.row_seed(i)):
            rows.append(explain_row(i))
    return problem.to_explanation(
        np.stack(rows),
        _base_values(problem),
        seconds=time.perf_counter() - start,
        kind=kind,
    )


def _base_values(problem: Problem) -> Array:
    base = problem.model(problem.background).mean(axis=0)
    return np.tile(base, (len(problem.X), 1))


@contextmanager
def borrowed_global_rng() -> Iterator[None]:
    """Let other packages seed and use NumPy's global generator, then restore it."""
    with _GLOBAL_RNG:
        state: Any = np.random.get_state()  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002


@contextmanager
def _shap_at_work(seed: int) -> Iterator[None]:
    """Seed what shap draws from, and keep it from logging what it thinks of sizes."""
    with borrowed_global_rng():
        np.random.seed(seed)  # noqa: NPY002
        log = logging.getLogger("shap")
        level = log.level
        log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            log.setLevel(level)


def _check_budget(name: str, value: Any, least: int, what: str) -> None:
    is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_integer or value < least:
        raise ValueError(
            f"{name} must be an integer of at least {least}, which {what} take, got "
            f"{value!r}"
        )


def _check_l1_reg(l1_reg: Any) -> None:
    if isinstance(l1_reg, str):
        is_known = l1_reg in ("aic", "bic") or (
            l1_reg.startswith("num_features(") and l1_reg[13:-1].isdigit()
        )
    else:
        is_known = l1_reg is False or (l1_reg is not True and l1_reg >= 0)
    if not is_known:
        raise ValueError(
            "l1_reg must be False, 'num_features(k)', 'aic', 'bic' or a number of at "
            f"least 0, got {l1_reg!r}"
        )


def _tree(problem: Problem, clustering: Any) -> Array:
    d = len(problem.players.names)
    if d < 2:
        raise ValueError("method='shap:Partition' needs at least 2 columns, got 1")
    if isinstance(clustering, str):
        if not problem.players.are_columns:
            raise ValueError(
                f"clustering={clustering!r} compares columns, and groups have several: "
                "give the tree of the groups itself"
            )
        return column_tree(problem.background, clustering)
    tree = np.asarray(clustering, dtype=np.float64)
    if tree.shape != (d - 1, 4):
        raise ValueError(
            f"clustering must be a metric or a tree of shape {(d - 1, 4)}, got shape "
            f"{tree.shape}"
        )
    return tree
