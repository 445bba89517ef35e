"""When to stop: patience over the training loss or over a validation score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sknn._array import Array
from sknn.schedules import Curve
from sknn.training.state import TrainingState


@dataclass(frozen=True)
class Patience:
    """Counts epochs without improvement, as scikit-learn does.

    Parameters
    ----------
    tol : float
        Smallest change that counts as an improvement.
    n_iter_no_change : int or inf
        Epochs without improvement that are borne; one more ends patience.
    """

    tol: float
    n_iter_no_change: float

    def watch_loss(self, state: TrainingState, loss: float) -> None:
        """Update the counter and the best loss with the loss of an epoch."""
        worse = loss > state.best_loss - self.tol
        state.no_improvement_count = state.no_improvement_count + 1 if worse else 0
        state.best_loss = loss if loss < state.best_loss else state.best_loss

    def watch_score(self, state: TrainingState, score: float, values: Array) -> None:
        """Update the counter, the best score and the best weights."""
        worse = score < state.best_score + self.tol
        state.no_improvement_count = state.no_improvement_count + 1 if worse else 0
        if score > state.best_score:
            state.best_score = score
            state.best_epoch = state.epoch
            state.best_values = keep(values, state.best_values)

    def exhausted(self, state: TrainingState) -> bool:
        """Tell whether patience has run out."""
        return state.no_improvement_count > self.n_iter_no_change


@dataclass(frozen=True)
class CyclePatience(Patience):
    """Ends training after a cycle of the learning rate without an improvement.

    Parameters
    ----------
    tol : float
        Smallest change that counts as an improvement.
    n_iter_no_change : inf
        Within a cycle everything is borne.
    curve : Curve
        The schedule, which says where cycles end.
    """

    curve: Curve

    def exhausted(self, state: TrainingState) -> bool:
        """Tell whether a cycle ends here that has brought nothing."""
        total, start = self.curve.total, 0
        if total is None:
            total, start = state.n_epochs, state.first_epoch
        if total is None:
            return False
        ends = [start + round(total * share) for share in self.curve.cycle_ends]
        if state.epoch not in ends[1:]:
            return False
        length = state.epoch - ends[ends.index(state.epoch) - 1]
        return state.no_improvement_count >= length


def keep(values: Array, into: Array | None) -> Array:
    """Return a copy of `values`, in the array `into` if there is one."""
    if into is None:
        return values.copy()
    np.copyto(into, values)
    return into
