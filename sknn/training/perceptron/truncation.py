"""Passes with an l1 penalty, which moves weights at every sample.

Until the next mistake the weights of plain rows move on a path that is known in
advance, so that mistake is looked for in a window of rows at once. Sparse rows move
only the weights of the features that they store, each at its own pace: they take a step
of Python for every sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.training.perceptron.passes import Tally
from sknn.training.perceptron.pocket import Pocket
from sknn.training.perceptron.rule import Rule
from sknn.training.perceptron.state import Norms, State
from sknn.training.perceptron.targets import RowTargets

_SHORTEST, _LONGEST, _NUMBERS = 2, 256, 1 << 15


def truncate(coef: Array, paid: Array, due: float) -> None:
    """Move weights towards zero by what they still owe, in place."""
    signs = np.sign(coef)
    moved = signs * np.maximum(np.abs(coef) - (due + signs * paid), 0.0)
    paid += moved - coef
    coef[...] = moved


class Path:
    """Where weights go while no mistake occurs.

    Parameters
    ----------
    coef, paid : ndarray of shape (n_functions, n_features)
        Weights and what they have paid, at the start.
    due : float
        What samples have demanded of each weight before the start.
    rule : Rule
        The step.
    n : int
        Number of samples to look ahead.
    """

    def __init__(
        self, coef: Array, paid: Array, due: float, rule: Rule, n: int
    ) -> None:
        self.start, self.paid, self.shrink = coef, paid, rule.shrink
        # Sums in the order of single steps, to the last digit.
        self.dues = np.add.accumulate(np.r_[due, np.full(n, rule.truncation)])
        self.signs = np.sign(coef)
        steps = np.arange(n)[:, None, None]
        owed = self.dues[1] + self.signs * paid
        powers = self.shrink**steps
        sizes = powers * (self.shrink * np.abs(coef) - owed)
        sizes -= self._later_dues(n)[:, None, None]
        np.maximum(sizes, 0.0, out=sizes)
        # weights[t]: behind t samples
        self.weights = np.concatenate([coef[None], sizes * self.signs])

    def _later_dues(self, n: int) -> Array:
        """Return what is taken behind the first sample, at each later one."""
        if self.shrink == 1.0:
            return self.dues[1:] - self.dues[1]
        powers = self.shrink ** np.arange(n)
        step = self.dues[1] - self.dues[0]
        return step * np.concatenate([[0.0], np.cumsum(powers[:-1])])

    def paid_behind(self, n: int) -> Array:
        """Return what weights have paid behind `n` samples."""
        if n == 0:
            return self.paid
        paid = np.where(self.signs == 0.0, self.paid, -self.signs * self.dues[n])
        gone = (self.signs != 0.0) & (self.weights[n] == 0.0)
        if gone.any():
            paid[gone] = self._paid_by_gone(gone, n)
        return paid

    def _paid_by_gone(self, gone: Array, n: int) -> Array:
        """Return what weights have paid that reached zero, where they stay."""
        weights, signs = self.weights[: n + 1, gone], self.signs[gone]
        last = np.count_nonzero(weights, axis=0) - 1  # steps before the one to zero
        before = np.where(last == 0, self.paid[gone], -signs * self.dues[last])
        return before - self.shrink * weights[last, np.arange(len(last))]


class TruncatingPass:
    """Passes over samples with an l1 penalty; what both kinds share.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The samples.
    rule : Rule
        The step.
    penalties : bool, default=False
        Whether to sum up the penalty for the objective.
    """

    def __init__(self, X: Any, rule: Rule, penalties: bool = False) -> None:
        self.X, self.rule, self.penalties = X, rule, penalties

    def run(
        self,
        state: State,
        targets: RowTargets,
        order: Array | None = None,
        pocket: Pocket | None = None,
    ) -> Tally:
        """Pass over the samples once and change `state` in place.

        The parameters are those of `BlockPass.run`.
        """
        tally = Tally.zeros(targets.n_problems)
        order = np.arange(self.X.shape[0]) if order is None else order
        start = 0
        while start < len(order):
            start += self._go(state, targets, order[start:], tally, pocket)
        return tally

    def _go(
        self,
        state: State,
        targets: RowTargets,
        order: Array,
        tally: Tally,
        pocket: Pocket | None,
    ) -> int:
        """Pass some of the samples; return how many."""
        raise NotImplementedError

    def _updates(
        self, targets: RowTargets, margins: Array, row: int, tally: Tally
    ) -> Array:
        """Count the mistakes of a row and return its updates."""
        updates = targets.updates(margins, np.array([row]))
        tally.mistakes += targets.count(updates)
        tally.losses += targets.losses(margins[row : row + 1])
        return updates[0]

    def _count_penalties(self, tally: Tally, norms: Norms, n: int) -> None:
        """Add the penalties before `n` samples, and let the norms shrink meanwhile."""
        rule, powers = self.rule, self.rule.shrink ** np.arange(n + 1)
        if self.penalties:
            each = rule.l2 * norms.squares * (powers[:n] ** 2).sum()
            each += rule.l1 * norms.sizes * powers[:n].sum()
            one = len(tally.penalties) < len(each)
            tally.penalties += each.sum() if one else each
        norms.shrink(powers[n])


class WindowPass(TruncatingPass):
    """Passes over plain rows: a window of rows at once, up to the next mistake."""

    _density = 0.5

    def _go(
        self,
        state: State,
        targets: RowTargets,
        order: Array,
        tally: Tally,
        pocket: Pocket | None,
    ) -> int:
        """Pass a window, up to and with its first mistake; return how many samples."""
        rows = order[: self._length(state)]
        x = self.X[rows].astype(np.float64, copy=False)
        targets = targets.take(rows)
        weights = state.weights
        path = Path(weights.coef, state.paid, state.due, self.rule, len(rows))
        scores = np.einsum("tkf,tf->tk", path.weights[:-1], x) + weights.intercept
        margins = targets.margins(scores)
        wrong = (margins <= 0.0).reshape(len(rows), -1).any(axis=1)
        first = int(wrong.argmax()) if wrong.any() else len(rows)
        self._follow(state, path, first, tally)
        found = first < len(rows)
        if found:
            updates = self._updates(targets, margins, first, tally)
            if pocket is not None:
                pocket.end_runs(weights, updates, first)
            self._learn(state, x[first], updates, tally)
        elif pocket is not None:
            pocket.go_on(first)
        self._density = 0.8 * self._density + 0.2 * (found / (first + found))
        return first + found

    def _length(self, state: State) -> int:
        """Return how far to look ahead: to where the next mistake may be expected."""
        waiting = 0 if state.average is None else state.average.waiting
        length = min(1.0 / self._density, _NUMBERS / state.weights.coef.size, _LONGEST)
        return min(max(int(length), _SHORTEST), waiting or _LONGEST)

    def _follow(self, state: State, path: Path, n: int, tally: Tally) -> None:
        """Let `n` samples pass that are no mistakes."""
        self._count_penalties(tally, state.norms, n)
        average = state.average
        if average is not None:
            if not average.waiting:
                average.total.coef += path.weights[1 : n + 1].sum(axis=0)
                average.total.intercept += n * state.weights.intercept
            average.seen += n
        state.paid = path.paid_behind(n)
        state.due = float(path.dues[n])
        state.weights.coef[...] = path.weights[n]

    def _learn(self, state: State, x: Array, updates: Array, tally: Tally) -> None:
        """Let a sample pass that is a mistake."""
        self._count_penalties(tally, state.norms, 1)
        weights, changed = state.weights, np.flatnonzero(updates)
        weights.coef *= self.rule.shrink
        weights.coef += np.outer(updates, x)
        weights.intercept += self.rule.intercept_rate * updates
        state.norms.renew(changed, weights.coef[changed])
        state.due += self.rule.truncation
        truncate(weights.coef, state.paid, state.due)
        if state.average is not None:
            state.average.add(weights)


class SparsePass(TruncatingPass):
    """Passes over sparse rows, one by one: a weight pays when its feature occurs.

    Shrinking is a factor of all weights, so that a step costs only its own features.
    """

    _factor = 1.0

    def run(
        self,
        state: State,
        targets: RowTargets,
        order: Array | None = None,
        pocket: Pocket | None = None,
    ) -> Tally:
        """Pass over the samples once and change `state` in place."""
        tally = super().run(state, targets, order, pocket)
        self._multiply_out(state)
        return tally

    def _go(
        self,
        state: State,
        targets: RowTargets,
        order: Array,
        tally: Tally,
        pocket: Pocket | None,
    ) -> int:
        """Pass one sample."""
        features, x = self._row(order[0])
        coef = state.weights.coef.T[features].T * self._factor
        targets = targets.take(order[:1])
        margins = targets.margins((coef @ x + state.weights.intercept)[None])
        updates = np.zeros(len(coef))
        if margins.min() <= 0.0:
            updates = self._updates(targets, margins, 0, tally)
        if pocket is not None:
            self._multiply_out(state)
            pocket.end_runs(state.weights, updates, 0)
        self._count_penalties(tally, state.norms, 1)
        self._learn(state, features, x, coef, updates)
        return 1

    def _row(self, row: int) -> tuple[Array, Array]:
        entries = slice(self.X.indptr[row], self.X.indptr[row + 1])
        return self.X.indices[entries], self.X.data[entries].astype(np.float64)

    def _learn(
        self, state: State, features: Array, x: Array, coef: Array, updates: Array
    ) -> None:
        self._shrink(state)
        coef = self.rule.shrink * coef + np.outer(updates, x)
        state.weights.intercept += self.rule.intercept_rate * updates
        changed = np.flatnonzero(updates)
        state.norms.renew(changed, coef[changed])
        state.due += self.rule.truncation
        paid = state.paid.T[features].T
        truncate(coef, paid, state.due)
        state.weights.coef.T[features] = coef.T / self._factor
        state.paid.T[features] = paid.T
        if state.average is not None:
            self._multiply_out(state)
            state.average.add(state.weights)

    def _shrink(self, state: State) -> None:
        self._factor *= self.rule.shrink
        if self._factor < 1e-9:
            self._multiply_out(state)

    def _multiply_out(self, state: State) -> None:
        if self._factor != 1.0:
            state.weights.coef *= self._factor
            self._factor = 1.0


def truncating_pass(X: Any, rule: Rule, penalties: bool = False) -> TruncatingPass:
    """Return the passes for a plain array or a CSR array."""
    kind = SparsePass if sparse.issparse(X) else WindowPass
    return kind(X, rule, penalties)
