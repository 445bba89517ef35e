"""The pocket: the best weights that were seen, by their weighted training mistakes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sknn._array import Array
from sknn.training.perceptron.blocks import Settled
from sknn.training.perceptron.state import Weights

# Weighted training mistakes of weights, given some of the problems: one number each.
Errors = Callable[[Weights, Array], Array]


class Pocket:
    """Keeps the weights of each problem that make the fewest training mistakes.

    Weights are tried at the end of each epoch, and when they got through a longer run
    of samples without a mistake than any before. Each try costs a product of the
    training data with these weights.

    Parameters
    ----------
    errors : callable
        Returns the weighted training mistakes of weights for some problems.
    weights : Weights
        The first in the pocket.
    n_problems : int
        Number of problems; a single one owns all functions.

    References
    ----------
    Gallant, S. I. (1990). Perceptron-based learning algorithms. IEEE Transactions on
    Neural Networks 1, 179-191: the pocket algorithm with ratchet.
    """

    def __init__(self, errors: Errors, weights: Weights, n_problems: int) -> None:
        self._errors = errors
        self._several = n_problems > 1
        self.best = weights.select()
        self.active = np.arange(n_problems)
        self.mistakes = errors(weights, self.active)
        self._runs = np.zeros(n_problems, dtype=int)
        self._records = np.zeros(n_problems, dtype=int)

    def offer(self, weights: Weights) -> None:
        """Try the weights of all active problems."""
        mistakes = self._errors(weights, self.active)
        for i, problem in enumerate(self.active.tolist()):
            if mistakes[i] < self.mistakes[problem]:
                self._take(problem, mistakes[i], weights.select(self._own(i)))

    def look(self, weights: Weights, settled: Settled) -> None:
        """Try the weights behind the longest run in a block, where it is a record.

        `weights` are those before the block.
        """
        wrong = settled.updates != 0.0
        if not self._several:
            wrong = wrong.any(axis=1, keepdims=True)
        for i in range(len(self.active)):
            ends = settled.rows[wrong[:, i]]
            self._look_at(i, ends, weights, settled)

    def _look_at(self, i: int, ends: Array, weights: Weights, settled: Settled) -> None:
        problem, n_rows = self.active[i], settled.block.n_rows
        if not len(ends):
            self._runs[problem] += n_rows
            return
        runs = np.diff(ends, prepend=-1) - 1
        runs[0] += self._runs[problem]
        self._runs[problem] = n_rows - 1 - ends[-1]
        longest = int(runs.argmax())
        if runs[longest] > self._records[problem]:
            self._records[problem] = runs[longest]
            self._try(i, int(ends[longest]), weights, settled)

    def _try(self, i: int, end: int, weights: Weights, settled: Settled) -> None:
        """Try the weights before row `end` of a block."""
        own, known = self._own(i), settled.rows < end
        candidate = weights.select(own)
        updates = settled.updates[known][:, own]
        settled.block.advance(candidate, settled.rows[known], updates, 0, end)
        self._offer(i, candidate)

    def go_on(self, n: int) -> None:
        """Let `n` samples pass without a mistake."""
        self._runs[self.active] += n

    def end_runs(self, weights: Weights, updates: Array, n: int) -> None:
        """Let `n` samples pass and then one with these updates; try record runs.

        `weights` are those before the last of the samples.
        """
        self.go_on(n)
        wrong = updates != 0.0 if self._several else [updates.any()]
        for i, problem in enumerate(self.active.tolist()):
            if not wrong[i]:
                self._runs[problem] += 1
                continue
            if self._runs[problem] > self._records[problem]:
                self._records[problem] = self._runs[problem]
                self._offer(i, weights.select(self._own(i)))
            self._runs[problem] = 0

    def _offer(self, i: int, candidate: Weights) -> None:
        mistakes = self._errors(candidate, self.active[[i]])[0]
        if mistakes < self.mistakes[self.active[i]]:
            self._take(self.active[i], mistakes, candidate)

    def _own(self, i: int) -> slice:
        """Return the functions of active problem `i` among those under training."""
        return slice(i, i + 1) if self._several else slice(None)

    def _take(self, problem: int, mistakes: float, weights: Weights) -> None:
        self.mistakes[problem] = mistakes
        self.best.replace(self._own(problem), weights)
