"""Divergence: seen by one number, undone by going back to the last finite epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sknn._array import Array
from sknn.losses import Loss
from sknn.network import Network
from sknn.tape import Tape
from sknn.training.batches import Batches
from sknn.training.state import TrainingState

SAMPLE_SIZE = 256


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


def first_loss(network: Network, loss: Loss, batches: Batches) -> float:
    """Return the loss before the first step, to compare later ones with.

    It is the larger one of this network's and of raw predictions of zero, over up to
    256 samples: a start that is very good would make every step look like divergence.
    """
    X, y, w = batches.sample(SAMPLE_SIZE)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        raw = network.predict(X)
        return max(_loss_of(loss, y, raw, w), _loss_of(loss, y, np.zeros_like(raw), w))


def _loss_of(loss: Loss, y: Array, raw: Array, w: Array | None) -> float:
    return float(loss.value_and_gradient(y, raw, w, np.empty_like(raw), Tape()))


def loss_is_to_blame(network: Network, loss: Loss, batches: Batches) -> bool:
    """Tell whether predictions are finite where the loss is not."""
    X, y, w = batches.sample(SAMPLE_SIZE)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        raw = network.predict(X)
        if not all_finite(raw):
            return False
        return not np.isfinite(_loss_of(loss, y, raw, w))
