"""From a fitted estimator to its network, and which inputs belong to which column.

What preprocessing does is found by trying: cells are changed, and what moves belongs to
their column. Whether columns really pass through it one by one is then checked on rows
mixed of other rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sknn.explain._problem import Problem
from sknn.explain.native.foreign import (
    MixedColumnsError,
    NotNativeError,
    network_of,
)
from sknn.layers import (
    PBLD,
    PLR,
    Columns,
    Dropout,
    Embedding,
    PiecewiseLinear,
    Scale,
)
from sknn.network import Network

__all__ = ["NotNativeError", "Source", "find_parents", "front_of", "sources_of"]

Array = Any

_FRONTS = (Columns, Embedding, PLR, PBLD, PiecewiseLinear, Scale)
_PROBES = 8  # rows in which each column is changed
_MAX_PROBES = 64
_MIXTURES = 32
_CELLS = 2**24  # of a dense matrix of network inputs


@dataclass(frozen=True)
class Source:
    """A network, and the steps in front of it.

    Parameters
    ----------
    steps : tuple of transformer
        Fitted, in the order of their work.
    estimator : estimator
        What the network is of.
    network : Network
        It, or one with the parameters of another package's estimator.
    pools_scores : bool, default=False
        Whether it is one of several whose scores are averaged before the link.
    clips : bool, default=False
        Whether what it predicts is clipped.
    """

    steps: tuple[Any, ...]
    estimator: Any
    network: Network
    pools_scores: bool = False
    clips: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether the estimator is one of ours with a network in it."""
        return hasattr(self.estimator, "_network")

    @property
    def passes_as_is(self) -> bool:
        """Whether the columns of X are the network's inputs."""
        return not self.steps and getattr(self.estimator, "_columns", None) is None

    def mixed(self, why: str) -> NotNativeError:
        """Return the error to raise; one worth a warning where a network is hidden."""
        linear = len(self.network.layers) == 1
        return NotNativeError(why) if linear else MixedColumnsError(why)

    def inputs(self, X: Any) -> Array:
        """Return what the network sees of a table, (n, n_inputs) float64."""
        for step in self.steps:
            X = step.transform(X)
        Z = self.estimator._check_X(X) if self.is_ours else X
        if sparse.issparse(Z):
            if Z.shape[0] * Z.shape[1] > _CELLS:
                raise NotNativeError(
                    f"the network sees {Z.shape[1]} sparse columns, too many to fill in"
                )
            Z = Z.toarray()
        return np.asarray(Z, dtype=np.float64)


def sources_of(estimator: Any) -> list[Source]:
    """Find the network at the end of pipelines and searches; of ensembles, all."""
    steps: list[Any] = []
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps") and hasattr(estimator, "named_steps"):
            steps += [step for _, step in estimator.steps[:-1]]
            estimator = estimator.steps[-1][1]
        else:
            break
    steps = [s for s in steps if s is not None and not isinstance(s, str)]
    members = [estimator]
    if hasattr(estimator, "estimators_samples_"):  # an average, of ours or of others
        members = [m for m in estimator.estimators_ if hasattr(m, "_network")]
    pools = getattr(estimator, "_pools_scores", False)
    clips = getattr(estimator, "clip_predictions", False)
    return [
        Source(tuple(steps), m, network_of(m), pools, clips)
        for m in members or [estimator]
    ]


def find_parents(source: Source, problem: Problem) -> Array:
    """Return the column of X that each input of the network comes from; -1 for none.

    Raises
    ------
    NotNativeError
        If an input comes from several columns, or if mixed rows say so.
    """
    table, d = problem.table, problem.X.shape[1]
    if source.passes_as_is and table.is_plain:
        return np.arange(d)
    codes = np.concatenate([problem.background, problem.X])
    n = min(_MAX_PROBES, len(codes), max(_PROBES, _most_levels(problem)))
    rows = codes[np.linspace(0, len(codes) - 1, n).astype(int)]
    before = source.inputs(table.decode(rows))
    size = max(1, _CELLS // (n * max(d, before.shape[1])))
    moved = np.concatenate(
        [
            _moved_by(source, problem, rows, before, np.arange(j, min(j + size, d)))
            for j in range(0, d, size)
        ]
    )
    n_parents = moved.sum(axis=0)
    if (n_parents > 1).any():
        mixed = np.flatnonzero(moved[:, np.argmax(n_parents)])
        names = [table.names[j] for j in mixed[:4]]
        raise source.mixed(
            f"preprocessing mixes columns, such as {names}, before the network"
        )
    parents = np.where(n_parents == 1, moved.argmax(axis=0), -1)
    _check_on_mixtures(source, problem, parents)
    return parents


def _moved_by(
    source: Source, problem: Problem, rows: Array, before: Array, columns: Array
) -> Array:
    """Tell which inputs move with each of these columns, (n_columns, n_inputs)."""
    changed = np.repeat(rows[None], len(columns), axis=0)
    for k, j in enumerate(columns):
        column = np.concatenate([problem.background[:, j], problem.X[:, j]])
        changed[k, :, j] = _other_values(column, rows[:, j])
    table = problem.table.decode(changed.reshape(-1, rows.shape[1]))
    after = source.inputs(table).reshape(len(columns), len(rows), -1)
    same = (after == before) | (np.isnan(after) & np.isnan(before))
    return (~same).any(axis=1)


def _most_levels(problem: Problem) -> int:
    return max(
        [0, *(len(problem.table.columns[j].labels) for j in problem.table.coded)]
    )


def _other_values(column: Array, values: Array) -> Array:
    """Return for each value another one of the column, all in turn, NaN included."""
    levels = np.unique(column)  # NaN comes last, once
    if len(levels) < 2:
        return values
    places = np.linspace(0, len(levels) - 1, len(values)).astype(int)[::-1]
    same = (levels[places] == values) | (np.isnan(levels[places]) & np.isnan(values))
    return np.where(same, levels[places - 1], levels[places])


def _check_on_mixtures(source: Source, problem: Problem, parents: Array) -> None:
    rng = np.random.default_rng(0)
    n, d = min(_MIXTURES, 4 * len(problem.X)), problem.X.shape[1]
    one = problem.X[rng.integers(len(problem.X), size=n)]
    other = problem.background[rng.integers(len(problem.background), size=n)]
    from_one = rng.random((n, d)) < 0.5
    tables = [np.where(from_one, one, other), one, other]
    mixed, first, second = (source.inputs(problem.table.decode(t)) for t in tables)
    # what has no parent is the same in all rows, so that the last column will do
    expected = np.where(from_one[:, parents], first, second)
    scale = np.abs(expected).max(axis=0, initial=1.0)
    if not (np.abs(mixed - expected) <= 1e-9 * scale).all():
        raise source.mixed(
            "preprocessing does not pass the columns through one by one: rows mixed of "
            "two rows come out other than mixed"
        )


def front_of(network: Network, parents: Array) -> tuple[int, Array]:
    """Return how many layers work column by column, and the parents behind them."""
    first = 0
    for i, layer in enumerate(network.layers):
        if isinstance(layer, _FRONTS):
            try:
                parents = parents[layer.origins(len(parents))]
            except ValueError as error:
                raise NotNativeError(str(error)) from error
            first = i + 1
        elif isinstance(layer, Dropout):
            first = i + 1
        else:
            break
    return first, parents
