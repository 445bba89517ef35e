"""Losses for numbers of any sign, one raw column per output and no link.

Deviances of positive targets, quantiles and densities have rooms of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sknn._array import Array
from sknn._params import check_in_range
from sknn.losses.base import Loss
from sknn.tape import Tape


@dataclass
class SquaredError(Loss):
    r"""Half the squared error, :math:`\frac12 \sum_k (y_k - raw_k)^2`."""

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        np.subtract(raw, y, out=gradient)
        values = np.square(gradient, out=tape.empty("values", raw.shape, raw))
        values *= 0.5
        return values


@dataclass
class AbsoluteError(Loss):
    r"""The absolute error, :math:`\sum_k |y_k - raw_k|`; predicts medians.

    The gradient has the same size near and far. Where a prediction is exact, it is 0.
    """

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        np.subtract(raw, y, out=gradient)
        values = np.absolute(gradient, out=tape.empty("values", raw.shape, raw))
        np.sign(gradient, out=gradient)
        return values


@dataclass
class Huber(Loss):
    r"""Huber's loss: squared error up to `delta`, absolute error beyond.

    Of the residual :math:`r = y - raw` it is :math:`\frac12 r^2` where
    :math:`|r| \le \delta`, else :math:`\delta\,(|r| - \frac12\delta)`; summed over
    outputs.

    Parameters
    ----------
    delta : float, default=1.0
        Residual from which on errors count linearly, in the units of y; greater than 0.

    References
    ----------
    Huber, "Robust estimation of a location parameter", Annals of Mathematical
    Statistics 35, 1964.
    """

    delta: float = 1.0

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        check_in_range(self, "delta", 0.0, closed="neither")

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        # With c the residual r cut off at ±delta, both branches are c (r - c / 2).
        values = np.subtract(raw, y, out=tape.empty("values", raw.shape, raw))
        np.minimum(values, tape.number(self.delta, raw), out=gradient)
        np.maximum(gradient, tape.number(-self.delta, raw), out=gradient)
        half = tape.empty("half", raw.shape, raw)
        values -= np.multiply(gradient, tape.number(0.5, raw), out=half)
        values *= gradient
        return values
