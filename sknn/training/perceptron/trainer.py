"""The trainer: a generator of epochs of the perceptron rule.

It changes the state in place and ends when every problem has stopped or the last epoch
is over; whoever draws from it may stop earlier by not asking for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.training.perceptron.passes import Passes, Tally
from sknn.training.perceptron.pocket import Pocket
from sknn.training.perceptron.rule import Rule
from sknn.training.perceptron.state import State, Weights
from sknn.training.perceptron.targets import RowTargets, Targets

_AT_ONCE = 4096

# Scores of weights on validation data, given some of the problems: one number each.
Score = Callable[[Weights, Array], Array]


@dataclass(frozen=True)
class Samples:
    """What is learned from.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        Features: a plain array in C order, or a sparse matrix in canonical CSR.
    codes : ndarray of shape (n_samples,)
        Index of the class of each sample.
    weights : ndarray of shape (n_samples,)
        Weights of the samples.
    """

    X: Any
    codes: Array
    weights: Array

    def take(self, rows: Array | slice) -> Samples:
        """Return some of the samples."""
        return Samples(self.X[rows], self.codes[rows], self.weights[rows])


@dataclass(frozen=True)
class Epoch:
    """What one pass over the samples came to.

    Parameters
    ----------
    number : int
        Counted from 1.
    mistakes : int
        Samples that brought an update, summed over the problems.
    loss : float
        Mean over samples of the distances of negative margins from zero, summed over
        the problems.
    score : float or None
        Mean over problems of the validation score, if there is one.
    separates : bool
        Whether each problem went through its last epoch without an update.
    is_last : bool
        Whether no epoch follows.
    """

    number: int
    mistakes: int
    loss: float
    score: float | None
    separates: bool
    is_last: bool


@dataclass(frozen=True)
class Stopping:
    """When a problem stops.

    Parameters
    ----------
    max_iter : int
        Largest number of epochs.
    tol : float or None, default=None
        Smallest improvement of the objective, or of the score, that counts; None makes
        all epochs.
    n_iter_no_change : int, default=5
        Epochs without an improvement after which a problem stops.
    score : callable or None, default=None
        Returns validation scores, which are watched instead of the objective.
    """

    max_iter: int
    tol: float | None = None
    n_iter_no_change: int = 5
    score: Score | None = None


class Training:
    """Epochs of the perceptron rule over some samples.

    Parameters
    ----------
    samples : Samples
        What is learned from.
    targets : OneVsRest or Joint
        The problems.
    rule : Rule
        The step.
    state : State
        Where to start; changed in place.
    stopping : Stopping
        When problems stop.
    rows : ndarray of int or None, default=None
        The samples to train on; None takes all.
    rng : RandomState or None, default=None
        Puts the samples into a new order for each epoch; None keeps theirs.
    pocket : Pocket or None, default=None
        Keeps the best weights.
    """

    def __init__(
        self,
        samples: Samples,
        targets: Targets,
        rule: Rule,
        state: State,
        stopping: Stopping,
        rows: Array | None = None,
        rng: np.random.RandomState | None = None,
        pocket: Pocket | None = None,
    ) -> None:
        self.samples, self.targets, self.rule = samples, targets, rule
        self.state, self.stopping = state, stopping
        self.rng, self.pocket = rng, pocket
        n = targets.n_problems
        if rng is not None and rows is None:
            rows = np.arange(len(samples.codes))
        self._order = None if rows is None else rows.copy()
        self._n = len(samples.codes) if rows is None else len(rows)
        self._passes = self._make_passes()
        self._rows_of: tuple[bytes, RowTargets] | None = None
        # What each problem's last epoch came to.
        self._mistakes = np.ones(n, dtype=int)
        self._losses, self._values = np.zeros(n), np.zeros(n)
        self._best, self._waits = np.full(n, np.inf), np.zeros(n, dtype=int)
        self._scale = 1.0

    def _make_passes(self) -> Passes:
        samples, weights = self.samples, self.state.weights
        steps = self.rule.eta0 * self.targets.class_weight, samples.weights
        start = weights.coef, weights.intercept
        is_exact = (
            self.rule.rests
            and self.rule.intercept_rate in (0.0, 1.0)
            and are_binary_fractions(*steps, *start, bits=8)
            and are_binary_fractions(samples.X)
        )
        update = None if is_exact else float(steps[0].max() * steps[1].max())
        return Passes(samples.X, self.rule, len(weights.coef), update)

    def epochs(self) -> Iterator[Epoch]:
        """Yield an epoch at a time, until every problem has stopped.

        Raises
        ------
        ValueError
            If weights grow beyond all bounds.
        """
        active = np.arange(self.targets.n_problems)
        for number in range(1, self.stopping.max_iter + 1):
            self._pass_over(active)
            if not self.state.weights.is_finite():
                raise ValueError(
                    f"Floating-point under-/overflow occurred at epoch #{number}. "
                    "Scaling input data with StandardScaler or MinMaxScaler might help."
                )
            seen, active = active, active[~self._stop(active)]
            is_last = not len(active) or number == self.stopping.max_iter
            yield self._describe(number, seen, is_last)
            if is_last:
                return

    def _describe(self, number: int, seen: Array, is_last: bool) -> Epoch:
        scores = -self._values if self.stopping.score is not None else None
        return Epoch(
            number,
            mistakes=int(self._mistakes[seen].sum()),
            loss=float(self._losses[seen].sum() / self._n),
            score=None if scores is None else float(scores.mean()),
            separates=not self._mistakes.any(),
            is_last=is_last,
        )

    def _pass_over(self, active: Array) -> None:
        """Train the active problems for one epoch and note what became of each."""
        if self.rng is not None and self._order is not None:
            self.rng.shuffle(self._order)
        # A rule that rests at samples on the right side stays where it is, once an
        # epoch had no mistake: the epochs to come are known without a pass.
        settled = self.rule.rests & (self._mistakes[active] == 0)
        moving, resting = active[~settled], active[settled]
        if len(moving):
            self._train(moving)
        if len(resting) and self.state.average is not None:
            functions = self._functions(resting)
            average = self.state.average.select(functions)
            average.add(self.state.weights.select(functions), self._n)
            self.state.average.replace(functions, average)

    def _train(self, problems: Array) -> None:
        everything = len(problems) == self.targets.n_problems
        functions = self._functions(problems)
        state = self.state if everything else self.state.select(functions)
        if self.pocket is not None:
            self.pocket.active = problems
        with np.errstate(over="ignore", invalid="ignore"):
            tally = self._passes.run(
                state, self._targets_of(problems), self._order, self.pocket
            )
        if not everything:
            self.state.replace(functions, state)
        if self.pocket is not None:
            self.pocket.offer(state.weights)
        self._note(problems, tally, state.weights)

    def _note(self, problems: Array, tally: Tally, weights: Weights) -> None:
        self._mistakes[problems] = tally.mistakes
        self._losses[problems] = tally.losses
        values = (np.array(tally.losses) + tally.penalties) / self._n
        if self.stopping.score is not None:
            # as scikit-learn: the weights without the factor that the l2 penalty has
            # made of it since it was last multiplied out; see tests/parity
            self._scale = scale_behind(self._scale, self.rule.shrink, self._n)
            bare = Weights(weights.coef / self._scale, weights.intercept)
            values = -self.stopping.score(bare, problems)
        self._values[problems] = values

    def _stop(self, problems: Array) -> Array:
        """Tell which of the problems stop."""
        if self.stopping.tol is None:
            return np.zeros(len(problems), dtype=bool)
        values, best = self._values[problems], self._best[problems]
        worse = values > best - self.stopping.tol
        self._waits[problems] = np.where(worse, self._waits[problems] + 1, 0)
        self._best[problems] = np.minimum(best, values)
        return self._waits[problems] >= self.stopping.n_iter_no_change

    def _functions(self, problems: Array) -> Any:
        """Return the functions that belong to some of the problems."""
        one_each = self.targets.n_problems == len(self.state.weights.coef)
        return problems if one_each else slice(None)

    def _targets_of(self, problems: Array) -> RowTargets:
        key = problems.tobytes()
        if self._rows_of is None or self._rows_of[0] != key:
            targets = self.targets.select(problems)
            samples, eta0 = self.samples, self.rule.eta0
            self._rows_of = key, targets.rows(samples.codes, samples.weights, eta0)
        return self._rows_of[1]


def scale_behind(scale: float, factor: float, n: int, smallest: float = 1e-9) -> float:
    """Return a scale that `n` samples have multiplied by `factor`.

    It returns to one whenever it falls below `smallest`.
    """
    if factor == 1.0 or factor < smallest:
        return 1.0
    while n:
        chunk = np.full(min(n, 4096), factor)
        chunk[0] *= scale
        scales = np.multiply.accumulate(chunk)
        small = np.flatnonzero(scales < smallest)
        passed = small[0] + 1 if len(small) else len(chunk)
        scale = 1.0 if len(small) else float(scales[-1])
        n -= passed
    return scale


def are_binary_fractions(*arrays: Any, bits: int = 0) -> bool:
    """Tell whether all numbers have at most so many binary digits behind the point.

    Sums of such numbers are exact in any order, as long as they are not enormous.
    """
    unit = 2.0**bits
    for array in arrays:
        values = array.data if sparse.issparse(array) else np.asarray(array)
        for start in range(0, len(values), _AT_ONCE):  # most data fail at once
            scaled = values[start : start + _AT_ONCE] * unit
            if not (np.rint(scaled) == scaled).all():
                return False
    return True
