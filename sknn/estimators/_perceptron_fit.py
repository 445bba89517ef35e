"""One fit of a perceptron: from checked data and parameters to fitted attributes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils.extmath import safe_sparse_dot

from sknn._array import Array
from sknn.estimators._callbacks import FitCallbacks
from sknn.estimators._targets import check_class_weight
from sknn.training.perceptron import (
    Average,
    Epoch,
    Joint,
    OneVsRest,
    Pocket,
    Rule,
    Samples,
    State,
    Stopping,
    Targets,
    Training,
    Weights,
)

# as scikit-learn: a sparse feature occurs less often than the intercept
_SPARSE_INTERCEPT_RATE = 0.01
_AT_ONCE = 4096


def make_rule(params: Any, X: Any) -> Rule:
    """Return the step that the parameters of an estimator describe."""
    rate = _SPARSE_INTERCEPT_RATE if sparse.issparse(X) else 1.0
    return Rule.with_penalty(
        params.penalty,
        params.alpha,
        params.l1_ratio,
        params.eta0,
        rate if params.fit_intercept else 0.0,
    )


def make_targets(params: Any, classes: Array, y: Array) -> Targets:
    """Return the problems between the classes."""
    check_class_weight(params.class_weight)
    weights = compute_class_weight(params.class_weight, classes=classes, y=y)
    joint = params.multi_class == "joint" and len(classes) > 2
    return Joint(weights) if joint else OneVsRest.of(weights)


def errors_on(
    samples: Samples, targets: Targets, rows: Array | None
) -> Callable[[Weights, Array], Array]:
    """Return a function that sums the weights of mistaken samples among `rows`."""
    n = len(samples.codes) if rows is None else len(rows)

    def errors(weights: Weights, problems: Array) -> Array:
        wrong = np.zeros(len(problems))
        some = targets.select(problems)
        for start in range(0, n, _AT_ONCE):
            few = slice(start, start + _AT_ONCE)
            part = samples.take(few if rows is None else rows[few])
            right = some.are_right(scores(part.X, weights), part.codes)
            costs = some.weights_of(part.codes) * part.weights[:, None]
            wrong += (costs * ~right).sum(axis=0)
        return wrong

    return errors


def score_on(samples: Samples, targets: Targets) -> Callable[[Weights, Array], Array]:
    """Return a function that computes the accuracy of each problem."""

    def score(weights: Weights, problems: Array) -> Array:
        raw = scores(samples.X, weights)
        right = targets.select(problems).are_right(raw, samples.codes)
        return np.average(right, axis=0, weights=samples.weights)

    return score


def scores(X: Any, weights: Weights) -> Array:
    """Return the scores of each function."""
    return safe_sparse_dot(X, weights.coef.T, dense_output=True) + weights.intercept


def split(params: Any, samples: Samples) -> tuple[Array, Array]:
    """Return the rows to train on and those to hold out, as scikit-learn draws them.

    The split is stratified where every class has two members and both sides have room
    for every class; otherwise it is plain.
    """
    from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

    n, fraction = len(samples.codes), params.validation_fraction
    counts = np.unique(samples.codes, return_counts=True)[1]
    held = int(np.ceil(fraction * n))
    if not 0 < held < n:
        raise ValueError(
            f"validation_fraction={fraction!r} holds out {held} of n_samples={n} and "
            "leaves none to train on. Lower it, give more samples or set "
            "early_stopping=False."
        )
    stratified = counts.min() >= 2 and len(counts) <= min(held, n - held)
    kind = StratifiedShuffleSplit if stratified else ShuffleSplit
    splitter = kind(test_size=fraction, random_state=params.random_state)
    train, test = next(splitter.split(np.zeros((n, 1)), samples.codes))
    if not samples.weights[test].any():
        raise ValueError(
            "The sample weights for validation set are all zero, consider using a"
            " different random state. Each class needs samples of positive weight."
        )
    return np.sort(train), np.sort(test)


def make_rng(random_state: Any) -> np.random.RandomState:
    """Return the generator of orders; as scikit-learn's, its seed is a single draw."""
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return np.random.RandomState(seed)


@dataclass
class PerceptronFit:
    """Training with the parameters of an estimator.

    Parameters
    ----------
    params : estimator
        Read for its constructor parameters.
    samples : Samples
        Training data.
    targets : OneVsRest or Joint
        The problems.
    weights : Weights
        Where to start; changed in place.
    average : Average or None
        The mean of earlier calls; changed in place.
    max_iter : int
        Largest number of epochs.
    best : Weights
        The first in the pocket, if there is one.
    """

    params: Any
    samples: Samples
    targets: Targets
    weights: Weights
    average: Average | None
    max_iter: int
    best: Weights

    def __post_init__(self) -> None:
        params, samples = self.params, self.samples
        train, score = self._split()
        if params.average and self.average is None:
            self.average = Average.none(int(params.average), self.weights)
        self.pocket = self._make_pocket(train) if params.pocket else None
        rule = make_rule(params, samples.X)
        self.training = Training(
            samples,
            self.targets,
            rule,
            State.at(self.weights, rule, self._watches_objective(), self.average),
            Stopping(self.max_iter, params.tol, params.n_iter_no_change, score),
            train,
            make_rng(params.random_state) if params.shuffle else None,
            self.pocket,
        )

    def _watches_objective(self) -> bool:
        return self.params.tol is not None and not self.params.early_stopping

    def _split(self) -> tuple[Array | None, Any]:
        """Return the rows to train on and the score on the others."""
        if not self.params.early_stopping:
            return None, None
        train, test = split(self.params, self.samples)
        return train, score_on(self.samples.take(test), self.targets)

    def _make_pocket(self, train: Array | None) -> Pocket:
        errors = errors_on(self.samples, self.targets, train)
        return Pocket(errors, self.best, self.targets.n_problems)

    def published(self) -> Weights:
        """Return the weights of this moment that predictions are made with."""
        if self.pocket is not None:
            return self.pocket.best
        return self.weights if self.average is None else self.average.of(self.weights)


def run(
    fit: PerceptronFit, callbacks: FitCallbacks, describe: Callable[..., dict[str, Any]]
) -> dict[str, Any]:
    """Train until the end, a callback or Ctrl-C; return the fitted attributes.

    Ctrl-C keeps the last complete epoch and warns; before the first it is raised.

    Parameters
    ----------
    fit : PerceptronFit
        What to train.
    callbacks : FitCallbacks
        Told of each epoch; may ask to stop.
    describe : callable
        Returns the fitted attributes behind an epoch, in arrays of their own.
    """
    learned: dict[str, Any] = {}
    curve = [*fit.params.mistakes_curve_]
    epochs = fit.training.epochs()

    def attributes() -> dict[str, Any]:
        return {**learned, "mistakes_curve_": [*curve]}

    try:
        while True:
            callbacks.epoch_begin()
            epoch = next(epochs)
            curve.append(epoch.mistakes)
            learned = describe(fit, epoch)
            _print(epoch, fit.params.verbose)
            if callbacks.epoch_end(attributes) or epoch.is_last:
                break
    except KeyboardInterrupt:
        if not learned:
            raise
        del curve[len(fit.params.mistakes_curve_) + learned["n_iter_"] :]
        warnings.warn("Training interrupted by user.", stacklevel=2)
    return attributes()


def _print(epoch: Epoch, verbose: Any) -> None:
    if not verbose:
        return
    score = "" if epoch.score is None else f", validation score = {epoch.score:f}"
    print(
        f"Epoch {epoch.number}, {epoch.mistakes} mistakes, "
        f"loss = {epoch.loss:.8f}{score}"
    )
