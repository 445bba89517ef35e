"""Averages of the weights along training, which often predict better than the last.

They live in the training state beside the optimiser's memory, and change no step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sknn._array import Array
from sknn._params import Params, check_in_range
from sknn.training.state import TrainingState


@dataclass
class Averaging(Params):
    """Base of all averages: nothing is averaged.

    An average of one's own overrides `after_step` or `after_epoch` and calls `add`.
    """

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""

    def after_step(self, values: Array, state: TrainingState) -> None:
        """Look at the parameters after a step."""

    def after_epoch(self, values: Array, state: TrainingState) -> None:
        """Look at the parameters after an epoch."""

    def add(self, values: Array, state: TrainingState, share: float) -> None:
        """Let `values` make up this share of the average in `state`, in place."""
        if state.average is None:
            state.average = values.copy()
        else:
            difference = np.subtract(values, state.average)
            difference *= values.dtype.type(share)
            state.average += difference
        state.n_averaged += 1


@dataclass
class EMA(Averaging):
    r"""Exponential moving average over all steps.

    :math:`a \leftarrow d\,a + (1 - d)\,p` with :math:`d = \min(decay, (1 + t)/(10 +
    t))` at step `t`, so that early weights are soon forgotten.

    Parameters
    ----------
    decay : float, default=0.999
        Share of the average that is kept at each step, in [0, 1).

    References
    ----------
    Polyak & Juditsky, "Acceleration of stochastic approximation by averaging", SIAM
    Journal on Control and Optimization 30, 1992.
    """

    decay: float = 0.999

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        check_in_range(self, "decay", 0.0, 1.0)

    def after_step(self, values: Array, state: TrainingState) -> None:
        """Look at the parameters after a step."""
        t = state.n_averaged
        self.add(values, state, 1 - min(self.decay, (1 + t) / (10 + t)))


@dataclass
class SWA(Averaging):
    """Stochastic weight averaging: the plain mean of the last epochs' weights.

    Running statistics of batch normalisation are averaged with the weights.

    Parameters
    ----------
    start : float or int, default=0.75
        The epochs before averaging begins: a share of `max_iter` below 1, or a number
        of epochs since the first fit, with which a fit in parts equals one in whole.

    References
    ----------
    Izmailov et al., "Averaging weights leads to wider optima and better
    generalization", UAI 2018, algorithm 1.
    """

    start: float = 0.75

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        check_in_range(self, "start", 0.0)

    def after_epoch(self, values: Array, state: TrainingState) -> None:
        """Look at the parameters after an epoch."""
        if state.epoch > self._first(state):
            self.add(values, state, 1 / (state.n_averaged + 1))

    def _first(self, state: TrainingState) -> float:
        if self.start >= 1 or self.start == 0:
            return self.start
        if state.n_epochs is None:
            raise ValueError(
                f"average=SWA(start={self.start}) is a share of max_iter, which "
                "partial_fit does not know: give start as a number of epochs."
            )
        return state.first_epoch + self.start * state.n_epochs


AVERAGES: dict[str, type[Averaging]] = {"ema": EMA, "swa": SWA}
