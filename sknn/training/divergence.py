"""Divergence: what shows it, what may have caused it, and the way back from it.

Only looks and copies; what is to be done about it is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sknn._array import Array, largest
from sknn.losses import Loss
from sknn.network import Network
from sknn.tape import Tape
from sknn.training.batches import Batches
from sknn.training.state import TrainingState

SAMPLE_SIZE = 256
# Raw predictions within these are no reason for a loss not to be finite.
_MODERATE = 100.0


def all_finite(values: Array) -> bool:
    """Tell whether no entry is infinite or NaN."""
    flat = values.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        # One product decides most cases, at a tenth of the cost of both extremes.
        if np.isfinite(flat.dot(flat)):
            return True
    return bool(np.isfinite([flat.min(), flat.max()]).all())


@dataclass
class SafePoint:
    """The parameters and counters of an epoch that training can go back to.

    Parameters
    ----------
    values : ndarray of shape (n_parameters,)
        A copy of the parameters.
    average : ndarray or None
        A copy of their average.
    counters : dict of int
        Of the training state.
    """

    values: Array
    average: Array | None
    counters: dict[str, int]

    @classmethod
    def of(cls, values: Array, state: TrainingState) -> SafePoint:
        """Return a safe point with copies of what there is now."""
        average = None if state.average is None else state.average.copy()
        return cls(values.copy(), average, _counters(state))

    def move(self, values: Array, state: TrainingState) -> None:
        """Let this be the point to go back to."""
        np.copyto(self.values, values)
        if state.average is None or self.average is None:
            self.average = None if state.average is None else state.average.copy()
        else:
            np.copyto(self.average, state.average)
        self.counters = _counters(state)

    def restore(self, values: Array, state: TrainingState) -> None:
        """Go back, in place; the optimiser's memory starts anew."""
        np.copyto(values, self.values)
        state.average = None if self.average is None else self.average.copy()
        for name, count in self.counters.items():
            setattr(state, name, count)
        state.forget_memory(values)


def _counters(state: TrainingState) -> dict[str, int]:
    names = ("samples", "epoch", "n_averaged")
    return {name: getattr(state, name) for name in names}


# Losses to compare with ------------------------------------------------------------


def first_loss(network: Network, loss: Loss, batches: Batches) -> float:
    """Return the loss before the first step, to compare those of epochs with.

    It is the larger one of this network's and of raw predictions of zero, over all
    samples: a start that is very good would make every step look like divergence.
    """
    own = zero = 0.0
    with np.errstate(all="ignore"):
        for X, y, w in batches.epoch(None):
            raw = _raw_in_training(network, X, w)
            own += _loss_of(loss, y, raw, w) * len(raw)
            zero += _loss_of(loss, y, np.zeros_like(raw), w) * len(raw)
    return max(own, zero) / batches.n_samples


def loss_of_sample(network: Network, loss: Loss, batches: Batches) -> float:
    """Return the loss under the present parameters, over up to 256 samples.

    An epoch's own loss is taken batch by batch before each step, so that it knows
    nothing of where the last step has led; with one batch it knows of no step.
    """
    with np.errstate(all="ignore"):
        X, y, w = batches.sample(SAMPLE_SIZE)
        return _loss_of(loss, y, _raw_in_training(network, X, w), w)


def predicts(network: Network, batches: Batches) -> bool:
    """Tell whether predictions of the same samples are finite and nothing overflows."""
    with np.errstate(all="ignore"):
        X, _, _ = batches.sample(SAMPLE_SIZE)
    with np.errstate(over="raise", invalid="raise"):
        try:
            return all_finite(network.predict(X))
        except FloatingPointError:
            return False


def loss_of_zeros(network: Network, loss: Loss, batches: Batches) -> float:
    """Return the loss of raw predictions of zero, over the same samples."""
    with np.errstate(all="ignore"):
        X, y, w = batches.sample(SAMPLE_SIZE)
        return _loss_of(loss, y, _zeros(network, X.shape[0]), w)


def exceeds(loss: float, reference: float, factor: float) -> bool:
    """Tell whether a loss is `factor` times a reference, which may be negative."""
    if reference == 0 or not np.isfinite(reference):
        return False
    return loss - reference > (factor - 1) * abs(reference)


def loss_is_to_blame(network: Network, loss: Loss, batches: Batches) -> bool:
    """Tell whether value or gradient of the loss is not finite where it should be."""
    with np.errstate(all="ignore"):
        X, y, w = batches.sample(SAMPLE_SIZE)
        return any(
            not _is_finite(loss, y, raw, w) for raw in _moderate_raws(network, X)
        )


def _moderate_raws(network: Network, X: Array) -> Iterator[Array]:
    yield _zeros(network, X.shape[0])
    raw = network.predict(X)
    if largest(raw) <= _MODERATE:  # which NaN is not
        yield raw


def _is_finite(loss: Loss, y: Array, raw: Array, w: Array | None) -> bool:
    gradient = np.empty_like(raw)
    value = loss.value_and_gradient(y, raw, w, gradient, Tape())
    return bool(np.isfinite(value)) and all_finite(gradient)


def _raw_in_training(network: Network, X: Array, w: Array | None) -> Array:
    """Return raw predictions as in training, with dropout that is always the same."""
    # Seeding RandomState's own generator would cost more than the rest of the pass.
    rng = np.random.RandomState(np.random.SFC64(0))
    tape = Tape(training=True, rng=rng)
    tape.sample_weight = w
    return network.forward(X, tape)


def _zeros(network: Network, n_samples: int) -> Array:
    return np.zeros((n_samples, network.widths[-1]), network.values.dtype)


def _loss_of(loss: Loss, y: Array, raw: Array, w: Array | None) -> float:
    return float(loss.value_and_gradient(y, raw, w, np.empty_like(raw), Tape()))
