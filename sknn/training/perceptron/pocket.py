"""The pocket: the best weights that were seen, by their weighted training mistakes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sknn._array import Array
from sknn.training.perceptron.state import Weights

# Weighted training mistakes of weights, given some of the problems: one number each.
Errors = Callable[[Weights, Array], Array]


class Pocket:
    """Keeps the weights of each problem that make the fewest training mistakes.

    Weights are tried at the end of each epoch, and when they got through a longer run
    of samples without an update than any before. Each try costs a product of the
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

    def go_on(self, n: int) -> None:
        """Let `n` samples pass without an update."""
        self._runs[self.active] += n

    def end_runs(self, weights: Weights, updated: list[int]) -> None:
        """Let a sample pass that updates some of the active problems.

        `weights` are those before it; they are tried where a run is a record.
        """
        self.go_on(1)
        for i in updated:
            problem = int(self.active[i])
            run = self._runs[problem] - 1
            if run > self._records[problem]:
                self._records[problem] = run
                self._try(i, problem, weights.select(self._own(i)))
            self._runs[problem] = 0

    def _try(self, i: int, problem: int, candidate: Weights) -> None:
        mistakes = self._errors(candidate, self.active[[i]])[0]
        if mistakes < self.mistakes[problem]:
            self._take(problem, mistakes, candidate)

    def _own(self, i: int) -> slice:
        """Return the functions of active problem `i` among those under training."""
        return slice(i, i + 1) if self._several else slice(None)

    def _take(self, problem: int, mistakes: float, weights: Weights) -> None:
        self.mistakes[problem] = mistakes
        self.best.replace(self._own(problem), weights)
