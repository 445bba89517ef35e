r"""Deviances of targets that are not negative: Poisson, gamma and Tweedie.

All predict by :math:`\mu = e^{raw}` and are 0 where the prediction is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import xlogy

from sknn._array import Array
from sknn._params import check_in_range
from sknn.losses.base import Loss, lies_within, require
from sknn.tape import Tape

# A deviance is taken as it is where raw lies within these; further out, where exp and
# then the optimiser's squares of it would overflow, it goes on as its tangent.
_LIMITS = {np.dtype(np.float32): 40.0, np.dtype(np.float64): 300.0}


@dataclass
class _Deviance(Loss):
    """What the deviances share: the log link, and the tangents far from the target."""

    link: ClassVar[str] = "exp"

    def deviance(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return half the deviance of each sample; write its derivative."""
        raise NotImplementedError

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        if lies_within(raw, _LIMITS[raw.dtype]):
            return self.deviance(y, raw, gradient, tape)
        bounded = _bounded(y, raw)
        values = self.deviance(y, bounded, gradient, tape)
        values += gradient * (raw - bounded)
        return values

    def link_inverse(self, raw: Array) -> Array:
        """Return predictions, a column per output; may write over `raw`."""
        # No finite score predicts zero or infinity: metrics would refuse them.
        info = np.finfo(raw.dtype)
        with np.errstate(over="ignore"):
            np.exp(raw, out=raw)
        return np.clip(raw, info.tiny, info.max, out=raw)


@dataclass
class Poisson(_Deviance):
    r"""Half the Poisson deviance, :math:`y \log\frac{y}{\mu} - y + \mu`.

    The prediction is :math:`\mu = e^{raw}`, and `y` must not be negative.
    """

    def deviance(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return half the deviance of each sample; write its derivative."""
        values = np.multiply(y, raw, out=tape.empty("values", raw.shape, raw))
        np.exp(raw, out=gradient)
        np.subtract(xlogy(y, y), values, out=values)
        np.subtract(gradient, y, out=gradient)
        values += gradient
        return values

    def check_targets(self, y: Array) -> None:
        """Raise ValueError where a target lies outside the loss's domain."""
        require(
            y >= 0,
            f"loss='poisson' needs targets y >= 0, got {_smallest(y)}. Use "
            "loss='squared_error' for targets below zero.",
        )


@dataclass
class Gamma(_Deviance):
    r"""Half the gamma deviance, :math:`\log\frac{\mu}{y} + \frac{y}{\mu} - 1`.

    The prediction is :math:`\mu = e^{raw}`, and `y` must be positive. Only the ratio of
    target and prediction counts: the loss does not depend on the units of y.
    """

    def deviance(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return half the deviance of each sample; write its derivative."""
        # By u = log(mu / y): value u + e^-u - 1, derivative 1 - e^-u.
        values = tape.empty("values", raw.shape, raw)
        np.subtract(raw, np.log(y), out=values)
        np.negative(values, out=gradient)
        np.exp(gradient, out=gradient)
        np.subtract(tape.number(1.0, raw), gradient, out=gradient)
        values -= gradient
        return values

    def check_targets(self, y: Array) -> None:
        """Raise ValueError where a target lies outside the loss's domain."""
        require(
            y > 0,
            f"loss='gamma' needs targets y > 0, got {_smallest(y)}. Use "
            "loss='tweedie' or loss='poisson' for targets that are zero, "
            "loss='squared_error' for targets below zero.",
        )


@dataclass
class Tweedie(_Deviance):
    r"""Half the Tweedie deviance, with a variance of :math:`\mu^p`, `p` from 1 to 2.

    :math:`\frac{y^{2-p}}{(1-p)(2-p)} - \frac{y\,\mu^{1-p}}{1-p} +
    \frac{\mu^{2-p}}{2-p}`, where the prediction is :math:`\mu = e^{raw}`. For targets
    that are zero or positive, such as amounts of rain or of damage.

    Parameters
    ----------
    power : float, default=1.5
        `p`, between 1 and 2. At its ends the loss is `Poisson` (1) and `Gamma` (2),
        which takes no zeros.

    References
    ----------
    Jørgensen, "Exponential dispersion models", Journal of the Royal Statistical
    Society B 49, 1987.
    """

    power: float = 1.5

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        check_in_range(self, "power", 1.0, 2.0, closed="both")

    def deviance(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return half the deviance of each sample; write its derivative."""
        end = _ENDS.get(self.power)
        if end is not None:
            return end.deviance(y, raw, gradient, tape)
        a, b = 2 - self.power, self.power - 1
        # mu^a / a + y mu^-b / b less its smallest value, at mu = y; derived by raw,
        # either term loses its divisor.
        values, other = (tape.empty(s, raw.shape, raw) for s in ("values", "other"))
        np.multiply(raw, tape.number(a, raw), out=values)
        np.exp(values, out=values)
        np.multiply(raw, tape.number(-b, raw), out=other)
        np.exp(other, out=other)
        other *= y
        np.subtract(values, other, out=gradient)
        values *= tape.number(1 / a, raw)
        values += np.multiply(other, tape.number(1 / b, raw), out=other)
        values -= np.power(y, tape.number(a, raw)) * tape.number(1 / (a * b), raw)
        return values

    def check_targets(self, y: Array) -> None:
        """Raise ValueError where a target lies outside the loss's domain."""
        require(
            y > 0 if self.power == 2 else y >= 0,
            f"loss='tweedie' with power={self.power} needs targets y "
            f"{'>' if self.power == 2 else '>='} 0, got {_smallest(y)}. Use a power "
            "below 2 for targets that are zero, loss='squared_error' for targets below "
            "zero.",
        )


_ENDS: dict[float, _Deviance] = {1: Poisson(), 2: Gamma()}


def _bounded(y: Array, raw: Array) -> Array:
    """Return `raw`, not further than the limit below log(y) or above log(1 + y)."""
    limit = _LIMITS[raw.dtype]
    lowest = np.log(np.maximum(y, np.finfo(raw.dtype).tiny)) - limit
    highest = np.log1p(y) + limit
    # From twice the limit on, exp itself would overflow.
    return np.clip(raw, np.maximum(lowest, -2 * limit), np.minimum(highest, 2 * limit))


def _smallest(y: Array) -> str:
    return f"a smallest value of {float(np.min(y))}"
