"""One pass over the samples without an l1 penalty, block by block."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.training.perceptron.blocks import Settled, rows_of
from sknn.training.perceptron.norms import squares_before, squares_over_supports
from sknn.training.perceptron.pocket import Pocket
from sknn.training.perceptron.rule import Rule, Tables
from sknn.training.perceptron.settling import Window, settle
from sknn.training.perceptron.state import Average, State
from sknn.training.perceptron.targets import RowTargets
from sknn.training.perceptron.ties import Ties


@dataclass
class Tally:
    """What a pass has counted, one number per problem.

    Parameters
    ----------
    mistakes : ndarray of int
        Samples that brought an update.
    losses : ndarray
        Sum of the distances of negative margins from zero.
    penalties : ndarray
        Sum over the samples of the penalty on the weights before them; zero where the
        pass was not asked for it.
    """

    mistakes: Array
    losses: Array
    penalties: Array

    @classmethod
    def zeros(cls, n_problems: int) -> Tally:
        """Return an empty tally."""
        return cls(np.zeros(n_problems, dtype=int), *np.zeros((2, n_problems)))


class BlockPass:
    """Passes over samples without an l1 penalty.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The samples; a sparse matrix in canonical CSR.
    rule : Rule
        The step.
    n_functions : int
        Number of linear functions.
    penalties : bool, default=False
        Whether to sum up the penalty for the objective.
    sums_are_exact : bool, default=False
        Whether sums come out the same in any order, so that ties need no care.
    """

    def __init__(
        self,
        X: Any,
        rule: Rule,
        n_functions: int,
        penalties: bool = False,
        sums_are_exact: bool = False,
    ) -> None:
        self.source = rows_of(X)
        self.window = _window(X, n_functions)
        self.penalties = penalties and rule.shrink != 1.0
        self._is_sparse = sparse.issparse(X)
        self._largest = self.source.largest
        if self._is_sparse:
            self._largest = min(self._largest, _rows_with_digits(rule.shrink))
        self.tables = Tables(rule, self._largest)
        self._ties = Ties(X) if rule.rests and not sums_are_exact else None

    def run(
        self,
        state: State,
        targets: RowTargets,
        order: Array | None = None,
        pocket: Pocket | None = None,
    ) -> Tally:
        """Pass over the samples once and change `state` in place.

        Parameters
        ----------
        state : State
            Where to start, and the result.
        targets : BinaryRows, OneVsRestRows or JointRows
            Those of all samples.
        order : ndarray of int or None, default=None
            The samples to visit in their order; None visits all as they are.
        pocket : Pocket or None, default=None
            Keeps the best weights of long runs without a mistake.

        Returns
        -------
        tally : Tally
            Mistakes and losses of each problem.
        """
        tally = Tally.zeros(targets.n_problems)
        if self._ties is not None:
            self._ties.begin(state.weights)
        n = self.source.X.shape[0] if order is None else len(order)
        start = 0
        while start < n:
            stop = min(n, start + self._rows(state))
            rows = slice(start, stop) if order is None else order[start:stop]
            settled = self._settle(state, targets.take(rows), rows)
            if pocket is not None:
                pocket.look(state.weights, settled)
            self._learn(state, settled, tally)
            start += settled.block.n_rows
        return tally

    def _rows(self, state: State) -> int:
        """Return the rows of the next block."""
        rows = self._largest
        if self._is_sparse:
            rows = min(rows, self.window.rows)  # parts of sparse blocks are dear
        waiting = 0 if state.average is None else state.average.waiting
        return min(rows, waiting) if waiting else rows

    def _settle(self, state: State, targets: RowTargets, rows: Any) -> Settled:
        block = self.source.block(rows, self.tables)
        settled = settle(block, targets, state.weights, self.window)
        if self._ties is not None:
            settled = self._ties.decide(state.weights, settled)
        return settled

    def _learn(self, state: State, settled: Settled, tally: Tally) -> None:
        """Count the mistakes of a block and take the state behind it."""
        rows = settled.rows
        if len(rows):
            tally.mistakes += settled.targets.count(settled.updates)
            tally.losses += settled.targets.losses(settled.margins[rows])
        if state.average is not None:
            self._accumulate(state.average, state, settled)
        if len(rows) or self.tables.shrinks:
            self._advance(state, settled, tally)

    def _accumulate(self, average: Average, state: State, settled: Settled) -> None:
        block = settled.block
        if not average.waiting:
            block.accumulate(
                average.total, state.weights, settled.rows, settled.updates
            )
        average.seen += block.n_rows

    def _advance(self, state: State, settled: Settled, tally: Tally) -> None:
        block, weights = settled.block, state.weights
        # as scikit-learn, for its number of epochs; see tests/parity
        over_supports = self._is_sparse and len(tally.losses) == len(weights.coef)
        rule = self.tables.rule
        if self.penalties and not over_supports:
            squares = squares_before(weights, settled, len(tally.losses))
            tally.penalties += rule.l2 * squares
        rows, updates = settled.rows, settled.updates
        block.advance(weights, rows, updates, 0, block.n_rows, in_order=rule.rests)
        if self.penalties and over_supports:
            squares = squares_over_supports(state.norms.squares, settled)
            tally.penalties += rule.l2 * squares


def _window(X: Any, n_functions: int) -> Window:
    """Return a window for the costs, in nanoseconds, that were measured once."""
    if sparse.issparse(X):
        stored = X.nnz / max(X.shape[0], 1)
        return Window(overhead=100_000.0, per_row=0.7 * stored + 2.0 * n_functions)
    per_row = 0.12 * X.shape[1] + 2.0 * n_functions
    return Window(overhead=10_000.0, per_row=per_row)


def _rows_with_digits(shrink: float) -> int:
    """Return the number of rows over which powers of the factor keep their digits."""
    if shrink in (0.0, 1.0):
        return 1 << 30 if shrink else 1
    return int(max(math.log(1e-9) / math.log(shrink), 1))
