"""Losses that learn more of a distribution than its centre: quantiles, mean and spread.

They need several raw columns per output, which stand side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from sknn._array import Array
from sknn._params import check_in_range
from sknn.losses.base import Loss, lies_within, softplus
from sknn.tape import Tape


@dataclass
class Quantile(Loss):
    r"""The pinball loss, whose best prediction is a quantile, or several at once.

    :math:`q\,r` where the residual :math:`r = y - raw` is positive, else
    :math:`(q - 1)\,r`; summed over outputs and quantiles. Where a prediction is exact,
    its gradient is 0.

    Parameters
    ----------
    quantile : float or sequence of float, default=0.5
        Which quantile, between 0 and 1; or several, in ascending order.

    Notes
    -----
    Several quantiles never cross. Of the raw columns of an output, one for each
    quantile, the middle one (the upper of two) is its quantile; from there up and down,
    the others are the softplus of the steps from quantile to quantile.

    Predictions are medians: with several quantiles that of 0.5, interpolated linearly
    between its neighbours where it is not among them; where all lie on one side of 0.5,
    the nearest.

    References
    ----------
    Koenker & Bassett, "Regression quantiles", Econometrica 46, 1978. Park et al.,
    "Learning quantile functions without quantile crossing for distribution-free time
    series forecasting", AISTATS 2022, for quantiles as sums of positive increments.
    """

    quantile: float | Sequence[float] = 0.5

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        try:
            levels = self._levels(np.float64)
            steps = np.diff(levels, prepend=0.0, append=1.0)
            valid = levels.ndim == 1 and levels.size > 0 and bool(np.all(steps > 0))
        except (TypeError, ValueError):
            valid = False
        if not valid:
            raise ValueError(
                f"The 'quantile' parameter of {type(self).__name__} must be a number "
                "in (0, 1), or several of them in ascending order. "
                f"Got {self.quantile!r} instead."
            )

    def n_raw(self, n_outputs: int) -> int:
        """Return how many raw columns the loss needs for `n_outputs` targets."""
        return n_outputs * self._levels(np.float64).size

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        levels = self._levels(raw.dtype)
        if len(levels) == 1:
            values = tape.empty("values", raw.shape, raw)
            return _pinball(y, raw, levels, gradient, values)
        # Quantile by quantile, each a matrix of samples and outputs in one piece.
        columns = _by_quantile(raw, len(levels))
        predicted, slopes, values = (
            tape.empty(name, columns.shape, raw)
            for name in ("predicted", "slopes", "values")
        )
        _read_quantiles(columns, predicted)
        _pinball(y, predicted, levels.reshape(-1, *(1,) * raw.ndim), slopes, values)
        _pass_to_increments(slopes, columns)
        np.copyto(_by_quantile(gradient, len(levels)), slopes)
        return np.add.reduce(values, axis=0)

    def quantiles(self, raw: Array) -> Array:
        """Return the quantiles that raw predictions stand for.

        Parameters
        ----------
        raw : ndarray of shape (n_samples, n_raw)
            Raw predictions; left as they are.

        Returns
        -------
        quantiles : ndarray of shape (n_samples, n_outputs, n_quantiles)
            In ascending order; a single quantile is a last axis of length 1.
        """
        columns = _by_quantile(raw, len(self._levels(raw.dtype)))
        quantiles = np.empty(columns.shape[1:] + columns.shape[:1], raw.dtype)
        _read_quantiles(columns, _front(quantiles))
        return quantiles

    def link_inverse(self, raw: Array) -> Array:
        """Return medians, a column per output; may write over `raw`."""
        levels = self._levels(np.float64)
        if levels.size == 1:
            return raw
        quantiles = self.quantiles(raw)
        below = min(max(int(np.searchsorted(levels, 0.5)) - 1, 0), levels.size - 2)
        low, high = levels[below : below + 2]
        share = min(max(float((0.5 - low) / (high - low)), 0.0), 1.0)
        lower, upper = quantiles[..., below], quantiles[..., below + 1]
        return (1 - share) * lower + share * upper

    def _levels(self, dtype: Any) -> Array:
        return np.atleast_1d(np.asarray(self.quantile, dtype))


def _pinball(y: Array, raw: Array, q: Array, slopes: Array, values: Array) -> Array:
    """Return the pinball losses of quantiles; write both to buffers."""
    np.subtract(raw, y, out=values)
    np.heaviside(values, q, out=slopes)
    slopes -= q
    values *= slopes
    return values


def _by_quantile(columns: Array, size: int) -> Array:
    """Return a view with the `size` columns of each output on the first axis."""
    return _front(columns.reshape(*columns.shape[:-1], -1, size))


def _front(array: Array) -> Array:
    """Return a view with the last axis first."""
    return array.transpose(-1, *range(array.ndim - 1))


def _read_quantiles(raw: Array, out: Array) -> None:
    """Write quantiles to `out`: the middle raw one and sums of steps from there."""
    middle = len(raw) // 2
    if len(raw) > 1:
        softplus(raw, out)
    out[middle] = raw[middle]
    for i in range(middle + 1, len(raw)):
        np.add(out[i - 1], out[i], out=out[i])
    for i in range(middle - 1, -1, -1):
        np.subtract(out[i + 1], out[i], out=out[i])


def _pass_to_increments(slopes: Array, raw: Array) -> None:
    """Turn derivatives by quantiles into those by `raw`, in place."""
    middle = len(raw) // 2
    # A raw column moves its own quantile and all those further out.
    for i in range(len(raw) - 1, middle, -1):
        np.add(slopes[i - 1], slopes[i], out=slopes[i - 1])
    for i in range(middle):
        np.add(slopes[i + 1], slopes[i], out=slopes[i + 1])
    lower, upper = slopes[:middle], slopes[middle + 1 :]
    lower *= np.negative(expit(raw[:middle]))
    upper *= expit(raw[middle + 1 :])


# Deviations from the mean, in standard deviations, whose squares are taken.
_FARTHEST = 1e9


@dataclass
class GaussianNLL(Loss):
    r"""Negative log likelihood of a normal distribution with a spread of its own.

    :math:`\frac{(y - \mu)^2}{2\sigma^2} + \log\sigma + \frac12\log 2\pi`, summed over
    outputs. Of the two raw columns of an output the first is :math:`\mu`, and the
    second gives :math:`\sigma = \sigma_{min} + \log(1 + e^{raw})`.

    Parameters
    ----------
    sigma_min : float, default=0.001
        Smallest standard deviation, in the units of y; greater than 0. Without it the
        likelihood of targets that can be predicted exactly has no bound.

    Notes
    -----
    Far out the softplus grows like its argument, so that one bad step cannot make the
    spread huge, as it can where the logarithm is predicted. Targets are best brought
    to a standard deviation of about 1. Beyond 1e9 standard deviations from the mean the
    square goes on as its tangent, lest it overflow.

    References
    ----------
    Nix & Weigend, "Estimating the mean and variance of the target probability
    distribution", ICNN 1994. Lakshminarayanan et al., "Simple and scalable predictive
    uncertainty estimation using deep ensembles", NeurIPS 2017, who take the softplus
    and a minimum too.
    """

    sigma_min: float = 1e-3

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        check_in_range(self, "sigma_min", 0.0, closed="neither")

    def n_raw(self, n_outputs: int) -> int:
        """Return how many raw columns the loss needs for `n_outputs` targets."""
        return 2 * n_outputs

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        mean, spread = raw[..., ::2], raw[..., 1::2]
        sigma, slope, z, values = (
            tape.empty(name, mean.shape, raw)
            for name in ("sigma", "slope", "z", "values")
        )
        softplus(spread, sigma)
        np.subtract(spread, sigma, out=slope)
        np.exp(slope, out=slope)  # of the softplus: e^x / (1 + e^x)
        sigma += tape.number(self.sigma_min, raw)
        np.subtract(mean, y, out=z)
        z /= sigma
        near = z if lies_within(z, _FARTHEST) else np.clip(z, -_FARTHEST, _FARTHEST)
        np.divide(near, sigma, out=gradient[..., ::2])
        np.multiply(near, z, out=values)
        slope /= sigma
        np.subtract(slope, slope * values, out=gradient[..., 1::2])
        values *= tape.number(0.5, raw)
        if near is not z:
            values += 0.5 * near * (z - near)
        values += np.log(sigma, out=sigma)
        values += tape.number(0.5 * math.log(2 * math.pi), raw)
        return values

    def link_inverse(self, raw: Array) -> Array:
        """Return means, a column per output; may write over `raw`."""
        return raw[..., ::2]

    def standard_deviation(self, raw: Array) -> Array:
        """Return the standard deviations that raw predictions stand for.

        Parameters
        ----------
        raw : ndarray of shape (n_samples, 2 * n_outputs)
            Raw predictions; left as they are.

        Returns
        -------
        sigma : ndarray of shape (n_samples, n_outputs)
            Greater than or equal to `sigma_min`.
        """
        spread = raw[..., 1::2]
        sigma = softplus(spread, np.empty_like(spread))
        sigma += self.sigma_min
        return sigma
