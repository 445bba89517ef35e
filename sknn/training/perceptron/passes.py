"""One pass over the samples: window by window, one step of Python per mistake.

A window of rows is scored by one product. Its first mistake is the next one of the
online rule; the weights take their step there, and the next window begins behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array, largest
from sknn.training.perceptron.chunks import Chunk, exact_scores, rows_of
from sknn.training.perceptron.motion import Motion, motion_of
from sknn.training.perceptron.pocket import Pocket
from sknn.training.perceptron.rule import Rule
from sknn.training.perceptron.state import State, Weights
from sknn.training.perceptron.targets import BinaryRows, Mistake, RowTargets
from sknn.training.perceptron.windows import window_of

_ROUNDING = 1e-12  # of sums, over the sum of the sizes of their terms
_NO_LIMIT = 1 << 30


@dataclass
class Tally:
    """What a pass has counted, one number per problem.

    Parameters
    ----------
    mistakes : list of int
        Samples that brought an update.
    losses : list of float
        Sum of the distances of negative margins from zero.
    penalties : ndarray
        Sum over the samples of the penalty on the weights before them, where norms are
        watched.
    """

    mistakes: list[int]
    losses: list[float]
    penalties: Array

    @classmethod
    def zeros(cls, n_problems: int) -> Tally:
        """Return an empty tally."""
        return cls([0] * n_problems, [0.0] * n_problems, np.zeros(n_problems))


class Passes:
    """Passes over samples.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The samples; a sparse matrix in canonical CSR.
    rule : Rule
        The step.
    n_functions : int
        Number of linear functions.
    largest_update : float or None, default=None
        Largest size of an update; None if sums are exact, so that ties need no care.
    """

    def __init__(
        self,
        X: Any,
        rule: Rule,
        n_functions: int,
        largest_update: float | None = None,
    ) -> None:
        self.rule, self.source = rule, rows_of(X)
        self.window = window_of(X, rule, n_functions)
        self.motion = motion_of(rule, X, n_functions, self.source.largest)
        self._largest = largest(X)
        self._growth = 0.0
        if rule.rests and largest_update is not None:
            terms = 1.0 + self._largest * self._largest * _longest_row(X)
            self._growth = largest_update * terms * self.source.largest

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
        visit = Visit(self.motion, state, Tally.zeros(targets.n_problems), pocket)
        n = self.source.X.shape[0] if order is None else len(order)
        for start in range(0, n, self.source.largest):
            stop = min(n, start + self.source.largest)
            rows = slice(start, stop) if order is None else order[start:stop]
            mistakes = visit.go(
                self.source.chunk(rows),
                targets.take(rows),
                self.window.rows,
                self._tolerance(state.weights),
            )
            self.window.saw(mistakes, stop - start)
        self.motion.finish(state)
        return visit.tally

    def _tolerance(self, weights: Weights) -> float:
        """Return how small a margin of the next chunk can be by rounding only."""
        if not self._growth:
            return 0.0
        terms = self._largest * np.abs(weights.coef).sum()
        terms += np.abs(weights.intercept).sum() + self._growth
        return _ROUNDING * float(terms)


class Visit:
    """A pass in progress.

    Parameters
    ----------
    motion : Motion
        How weights move.
    state : State
        What moves.
    tally : Tally
        What is counted.
    pocket : Pocket or None
        Keeps the best weights.
    """

    def __init__(
        self, motion: Motion, state: State, tally: Tally, pocket: Pocket | None
    ) -> None:
        self.motion, self.state, self.tally, self.pocket = motion, state, tally, pocket
        self._rate = motion.rule.intercept_rate
        plain = motion.rule.rests and state.average is None and pocket is None
        self._follows = not plain

    def go(
        self, chunk: Chunk, targets: RowTargets, length: int, tolerance: float
    ) -> int:
        """Visit the rows of a chunk and return the mistakes.

        Windows have the usual `length`; one without a mistake doubles that of the next.
        """
        if not self._follows and isinstance(targets, BinaryRows):
            return self._go_plainly(chunk, targets, length, tolerance)
        motion, state, limit = self.motion, self.state, np.full((), tolerance)
        at, n, n_mistakes, usual = 0, chunk.n_rows, 0, length
        while at < n:
            stop = min(n, at + min(length, motion.longest, self._room()))
            margins = targets.margins(motion.scores(chunk, state, at, stop), at)
            wrong = np.less_equal(margins, limit)
            first = wrong.argmax()
            is_found = wrong.item(first)
            width = margins.size // len(margins)
            ahead = int(first) // width if is_found else stop - at
            self._follow(chunk, at, ahead)
            at += ahead
            length = usual if is_found else 2 * length
            if is_found:
                found = self._decided(margins[ahead], tolerance, chunk, targets, at)
                if not tolerance or found.min() <= 0.0:
                    self._learn(chunk, at, targets.mistakes(found, at))
                    n_mistakes += 1
                else:
                    self._follow(chunk, at, 1)
                at += 1
        return n_mistakes

    def _go_plainly(
        self, chunk: Chunk, targets: BinaryRows, length: int, tolerance: float
    ) -> int:
        """Do what `go` does for one function that rests, at half the cost.

        Calls are most of what a mistake costs, so this loop makes as few as it can.
        """
        weights, limit = self.state.weights, np.full((), tolerance)
        coef, intercept = weights.coef[0], weights.intercept[:1].reshape(())
        sides, updates = targets.sides, targets.updates
        products, less_equal = chunk.products, np.less_equal
        at, n, n_found, n_updates, loss = 0, chunk.n_rows, 0, 0, 0.0
        usual = length
        while at < n:
            margins = products(coef, at, at + length)
            margins += intercept
            margins *= sides[at : at + length]
            wrong = less_equal(margins, limit)
            first = int(wrong.argmax())
            if not wrong.item(first):
                at += len(margins)
                length *= 2
                continue
            at += first
            length = usual
            margin = margins.item(first)
            if margin > -tolerance:
                margin = self._decided(margins[first], tolerance, chunk, targets, at)
            if margin <= 0.0:
                update = updates.item(at)
                chunk.add(coef, at, update)
                intercept[()] = intercept.item() + self._rate * update
                n_updates += update != 0.0
                n_found += 1
                loss -= margin
            at += 1
        self.tally.mistakes[0] += n_updates
        self.tally.losses[0] += float(loss)
        return n_found

    def _room(self) -> int:
        """Return how many samples may pass before the average begins, if it does."""
        average = self.state.average
        return (average.waiting or _NO_LIMIT) if average is not None else _NO_LIMIT

    def _decided(
        self,
        margins: Any,
        tolerance: float,
        chunk: Chunk,
        targets: RowTargets,
        row: int,
    ) -> Any:
        """Return the margins of a row such that rounding does not decide their signs.

        Ties are common where features are counts or decimals. They come out as by
        single steps, which sum up terms in their order.
        """
        if not tolerance or np.abs(margins).min() > tolerance:
            return margins
        scores = exact_scores(chunk, self.state.weights, row)
        return targets.margins(scores[None], row)[0]

    def _learn(self, chunk: Chunk, row: int, mistakes: list[Mistake]) -> None:
        """Count what goes wrong at a row and let it pass."""
        motion, state, updated = self.motion, self.state, []
        changes: list[tuple[int, float]] = []
        for problem, loss, some in mistakes:
            self.tally.losses[problem] += loss
            if some:
                self.tally.mistakes[problem] += 1
                updated.append(problem)
                changes += some
        if self.pocket is not None:
            motion.finish(state)
            self.pocket.end_runs(state.weights, updated)
        self._count_penalties(1)
        motion.learn(state, chunk, row, changes)
        if state.average is not None:
            motion.finish(state)
            state.average.add(state.weights)

    def _follow(self, chunk: Chunk, start: int, n: int) -> None:
        """Let rows pass that are no mistakes."""
        if n == 0 or not self._follows:
            return
        state, average = self.state, self.state.average
        self._count_penalties(n)
        total = None if average is None or average.waiting else average.total
        self.motion.follow(state, chunk, start, n, total)
        if total is not None:
            total.intercept += n * state.weights.intercept
        if average is not None:
            average.seen += n
        if self.pocket is not None:
            self.pocket.go_on(n)

    def _count_penalties(self, n: int) -> None:
        """Add the penalties before `n` samples, and let the norms shrink meanwhile."""
        norms, rule, powers = self.state.norms, self.motion.rule, self.motion.powers
        if norms is None:
            return
        each = rule.l2 * powers.square_sums[n] * norms.squares
        each += rule.l1 * powers.sums[n] * norms.sizes
        is_joint = len(self.tally.penalties) < len(each)
        self.tally.penalties += each.sum() if is_joint else each
        norms.shrink(powers.of[n])


def _longest_row(X: Any) -> int:
    """Return the largest number of values in a row."""
    return int(np.diff(X.indptr).max()) if sparse.issparse(X) else X.shape[1]
