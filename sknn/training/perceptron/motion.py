"""How weights move: at samples on the right side, and at mistakes.

Until the next mistake weights stay, or shrink, or shrink and are truncated, each in a
way that is known in advance. So the samples of a window are scored at once as if there
was no mistake among them, and the scores up to the first mistake are right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.training.perceptron.chunks import Chunk, DenseChunk
from sknn.training.perceptron.rule import Powers, Rule
from sknn.training.perceptron.state import State, Weights

Changes = list[tuple[int, float]]  # functions and their updates

_SMALLEST_FACTOR = 1e-9


class Motion:
    """What all kinds have in common.

    Parameters
    ----------
    rule : Rule
        The step.
    longest : int
        Samples of the longest window.
    """

    def __init__(self, rule: Rule, longest: int) -> None:
        self.rule, self.longest = rule, longest
        self.powers = Powers(rule.shrink, longest)

    def scores(self, chunk: Chunk, state: State, start: int, stop: int) -> Array:
        """Return the scores of rows if none of them is a mistake.

        The state is the one before the row `start`.
        """
        raise NotImplementedError

    def follow(
        self, state: State, chunk: Chunk, start: int, n: int, total: Weights | None
    ) -> None:
        """Let `n` rows from `start` on pass that are no mistakes.

        Adds the weights behind each of them to `total`, where it is given.
        """
        raise NotImplementedError

    def learn(self, state: State, chunk: Chunk, row: int, changes: Changes) -> None:
        """Let a row pass that is a mistake, and renew the norms that it changes."""
        raise NotImplementedError

    def finish(self, state: State) -> None:
        """Bring weights up to date that lag behind."""

    def _move_intercept(self, state: State, changes: Changes) -> None:
        for function, update in changes:
            state.weights.intercept[function] += self.rule.intercept_rate * update


class Resting(Motion):
    """No penalty: weights stay until a mistake."""

    def scores(self, chunk: Chunk, state: State, start: int, stop: int) -> Array:
        """Return the scores of rows if none of them is a mistake."""
        scores = chunk.products(state.weights.coef, start, stop)
        scores += state.weights.intercept
        return scores

    def follow(
        self, state: State, chunk: Chunk, start: int, n: int, total: Weights | None
    ) -> None:
        """Let `n` rows pass that are no mistakes."""
        if total is not None:
            total.coef += n * state.weights.coef

    def learn(self, state: State, chunk: Chunk, row: int, changes: Changes) -> None:
        """Let a row pass that is a mistake."""
        for function, update in changes:
            chunk.add(state.weights.coef[function], row, update)
        self._move_intercept(state, changes)


class Shrinking(Motion):
    """An l2 penalty: a factor that all weights have in common falls.

    The factor is kept apart, so that a step costs no more than the features of its row.
    """

    _factor = 1.0

    def scores(self, chunk: Chunk, state: State, start: int, stop: int) -> Array:
        """Return the scores of rows if none of them is a mistake."""
        scores = chunk.products(state.weights.coef, start, stop)
        scores *= (self._factor * self.powers.of[: stop - start])[:, None]
        scores += state.weights.intercept
        return scores

    def follow(
        self, state: State, chunk: Chunk, start: int, n: int, total: Weights | None
    ) -> None:
        """Let `n` rows pass that are no mistakes."""
        if total is not None:
            sums = self._factor * (self.powers.sums[n + 1] - 1.0)
            total.coef += sums * state.weights.coef
        self._factor *= self.powers.of.item(n)
        if self._factor < _SMALLEST_FACTOR:
            self.finish(state)

    def learn(self, state: State, chunk: Chunk, row: int, changes: Changes) -> None:
        """Let a row pass that is a mistake."""
        self.follow(state, chunk, row, 1, None)
        coef, factor = state.weights.coef, self._factor
        features, _ = chunk.support(row)
        for function, update in changes:
            chunk.add(coef[function], row, update / factor)
            if state.norms is not None:
                state.norms.renew(function, factor * coef[function][features])
        self._move_intercept(state, changes)

    def finish(self, state: State) -> None:
        """Multiply the factor out."""
        state.weights.coef *= self._factor
        self._factor = 1.0


class Truncating(Motion):
    """An l1 penalty on plain rows: the path of all weights is known up to a mistake."""

    _path: Path

    def scores(self, chunk: Chunk, state: State, start: int, stop: int) -> Array:
        """Return the scores of rows if none of them is a mistake."""
        assert isinstance(chunk, DenseChunk)
        self._path = Path(state, self.rule, self.powers, stop - start)
        weights, x = self._path.weights[:-1], chunk.x[start:stop]
        return np.einsum("tkf,tf->tk", weights, x) + state.weights.intercept

    def follow(
        self, state: State, chunk: Chunk, start: int, n: int, total: Weights | None
    ) -> None:
        """Let `n` rows pass that are no mistakes."""
        if total is not None:
            total.coef += self._path.weights[1 : n + 1].sum(axis=0)
        state.paid = self._path.paid_behind(n)
        state.due = self._path.dues.item(n)
        state.weights.coef[...] = self._path.weights[n]

    def learn(self, state: State, chunk: Chunk, row: int, changes: Changes) -> None:
        """Let a row pass that is a mistake."""
        coef = state.weights.coef
        coef *= self.rule.shrink
        for function, update in changes:
            chunk.add(coef[function], row, update)
            if state.norms is not None:
                state.norms.renew(function, coef[function])
        self._move_intercept(state, changes)
        state.due += self.rule.truncation
        truncate(coef, state.paid, state.due)


class SparseTruncating(Shrinking):
    """An l1 penalty on sparse rows: a weight pays when its feature occurs.

    Each weight moves at its own pace, so that windows have a single row.
    """

    def follow(
        self, state: State, chunk: Chunk, start: int, n: int, total: Weights | None
    ) -> None:
        """Let `n` rows pass, none or one, that are no mistakes."""
        if n:
            self._pass_by(state, chunk, start, [])
        if n and total is not None:
            self.finish(state)
            total.coef += state.weights.coef

    def learn(self, state: State, chunk: Chunk, row: int, changes: Changes) -> None:
        """Let a row pass that is a mistake."""
        self._pass_by(state, chunk, row, changes)
        self._move_intercept(state, changes)

    def _pass_by(self, state: State, chunk: Chunk, row: int, changes: Changes) -> None:
        super().follow(state, chunk, row, 1, None)
        state.due += self.rule.truncation
        features, values = chunk.support(row)
        columns, factor = state.weights.coef.T, self._factor
        coef = factor * columns[features].T
        for function, update in changes:
            coef[function] += update * values
            if state.norms is not None:
                state.norms.renew(function, coef[function])
        paid = state.paid.T[features].T
        truncate(coef, paid, state.due)
        columns[features] = coef.T / factor
        state.paid.T[features] = paid.T


class Path:
    """Where truncated weights go while no mistake occurs.

    Parameters
    ----------
    state : State
        That at the start.
    rule : Rule
        The step.
    powers : Powers
        Of its factor.
    n : int
        Number of samples to look ahead.
    """

    def __init__(self, state: State, rule: Rule, powers: Powers, n: int) -> None:
        coef, self.paid, self.shrink = state.weights.coef, state.paid, rule.shrink
        # One after the other, as single steps sum them up.
        self.dues = np.full(n + 1, rule.truncation)
        self.dues[0] = state.due
        np.add.accumulate(self.dues, out=self.dues)
        self.signs = np.sign(coef)
        first = self.shrink * np.abs(coef) - (self.dues[1] + self.signs * self.paid)
        sizes = powers.of[:n, None, None] * first
        sizes -= self._later_dues(powers, n)[:, None, None]
        np.maximum(sizes, 0.0, out=sizes)
        # weights[t] are those behind t samples
        self.weights = np.concatenate([coef[None], sizes * self.signs])

    def _later_dues(self, powers: Powers, n: int) -> Array:
        """Return what is taken behind the first sample, at each later one."""
        if self.shrink == 1.0:
            return self.dues[1:] - self.dues[1]
        return (self.dues[1] - self.dues[0]) * powers.sums[:n]

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
        last = np.count_nonzero(weights, axis=0) - 1  # samples before the one to zero
        before = np.where(last == 0, self.paid[gone], -signs * self.dues[last])
        return before - self.shrink * weights[last, np.arange(len(last))]


def truncate(coef: Array, paid: Array, due: float) -> None:
    """Move weights towards zero by what they still owe, in place."""
    signs = np.sign(coef)
    moved = signs * np.maximum(np.abs(coef) - (due + signs * paid), 0.0)
    paid += moved - coef
    coef[...] = moved


def motion_of(rule: Rule, X: Any, n_functions: int, longest: int) -> Motion:
    """Return how the weights of a rule move in windows of at most `longest` rows."""
    if not rule.truncates:
        return Resting(rule, longest) if rule.rests else Shrinking(rule, longest)
    if sparse.issparse(X):
        return SparseTruncating(rule, 1)
    return Truncating(rule, max(longest // n_functions, 1))
