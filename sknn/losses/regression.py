"""Losses for numbers: squared error and Poisson deviance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import xlogy

from sknn._array import Array
from sknn.losses.base import Loss, require
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
class Poisson(Loss):
    r"""Half the Poisson deviance, :math:`y \log\frac{y}{\mu} - y + \mu`.

    The prediction is :math:`\mu = e^{raw}`, and `y` must not be negative.
    """

    link: ClassVar[str] = "exp"

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        values = np.multiply(y, raw, out=tape.empty("values", raw.shape, raw))
        np.exp(raw, out=gradient)
        np.subtract(xlogy(y, y), values, out=values)
        np.subtract(gradient, y, out=gradient)
        values += gradient
        return values

    def link_inverse(self, raw: Array) -> Array:
        """Return predictions from raw predictions; may write over `raw`."""
        return np.exp(raw, out=raw)

    def check_targets(self, y: Array) -> None:
        """Raise ValueError where a target lies outside the loss's domain."""
        require(
            y >= 0,
            "loss='poisson' needs targets y >= 0, got a smallest value of "
            f"{float(np.min(y))}. Use loss='squared_error' for targets below zero.",
        )
