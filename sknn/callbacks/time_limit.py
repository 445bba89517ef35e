"""A limit on the time of a fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sknn._params import Params, check_in_range
from sknn.callbacks.base import Callback, EpochInfo


@dataclass
class TimeLimit(Params, Callback):
    """Ends training with the epoch in which the time is up.

    The estimators' parameter `max_time` makes one.

    Parameters
    ----------
    seconds : float
        Largest time of one call of `fit`, from its first epoch on.
    """

    seconds: float

    def __post_init__(self) -> None:
        """Check the limit."""
        check_in_range(self, "seconds", np.nextafter(0.0, 1.0))

    def __call__(self, epoch: EpochInfo) -> bool:
        """Tell whether the time is up.

        Parameters
        ----------
        epoch : EpochInfo
            What it has come to.

        Returns
        -------
        stop : bool
            True ends training here.
        """
        return epoch.elapsed >= self.seconds
