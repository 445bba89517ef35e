"""Scaling of columns of numbers, learned from the training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sknn._array import Array

# Where the smooth clip bends: what lies within is hardly moved, nothing gets beyond.
_LIMIT = 3.0
# Nothing scaled gets further than 2 to this power: networks may calculate in float32.
_HUGE_EXPONENT = 100
_HUGE = 2.0**_HUGE_EXPONENT


@dataclass(frozen=True)
class NumericScaler:
    r"""Moves and stretches each column, and may bend its ends.

    'standard' subtracts the mean and divides by the standard deviation. 'robust'
    subtracts the median and divides by the distance of the quartiles (where that is
    zero by half the range), and then clips smoothly, :math:`z / \sqrt{1 + (z / 3)^2}`:
    outliers stay in order and come no further than 3. Constant columns become zero.

    Parameters
    ----------
    center, factor : ndarray of shape (n_columns,)
        What is subtracted, and what the rest is multiplied with.
    clips : bool
        Whether to clip smoothly then.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024, section 3, "robust scaling and smooth
    clipping".
    """

    center: Array
    factor: Array
    clips: bool

    @classmethod
    def learn(cls, numbers: Array, kind: str) -> NumericScaler:
        """Return the scaler of these columns, in which NaN is missing."""
        numbers = numbers.astype(np.float64, copy=False)
        # Squares, and differences of the largest numbers, would overflow.
        unit = _unit(numbers)
        numbers = numbers / unit
        # NumPy warns of columns without a number, which come out as zero. Not silenced
        # by `catch_warnings`, which changes the filters of other threads, too.
        numbers[:, np.isnan(numbers).all(axis=0)] = 0.0
        center, spread = (_standard if kind == "standard" else _robust)(numbers)
        # What is smaller has no finite inverse; NaN does not compare.
        varies = spread > np.finfo(np.float64).tiny
        factor = np.divide(1 / unit, spread, out=np.zeros_like(spread), where=varies)
        return cls(center * unit, factor, kind == "robust")

    def transform(self, numbers: Array) -> Array:
        """Return these columns scaled, a new array of the same dtype."""
        # Halves, as the difference of the largest two would overflow.
        scaled = numbers / 2 - self.center / 2
        with np.errstate(over="ignore"):
            scaled *= 2 * self.factor
        np.clip(scaled, -_HUGE, _HUGE, out=scaled)
        if self.clips:
            scaled /= np.hypot(1.0, scaled / _LIMIT)
        return scaled.astype(numbers.dtype, copy=False)


def _unit(numbers: Array) -> Array:
    """Return powers of two, 1 or more, that divide columns to no more than `_HUGE`."""
    _, exponent = np.frexp(np.nanmax(np.abs(numbers), axis=0, initial=0.0))
    return np.ldexp(1.0, np.maximum(exponent - _HUGE_EXPONENT, 0))


def _standard(numbers: Array) -> tuple[Array, Array]:
    spread = np.nanstd(numbers, axis=0)
    # The mean of equal numbers may miss them by rounding.
    varies = np.nanmax(numbers, axis=0) > np.nanmin(numbers, axis=0)
    return np.nanmean(numbers, axis=0), np.where(varies, spread, 0.0)


def _robust(numbers: Array) -> tuple[Array, Array]:
    first, center, third = np.nanpercentile(numbers, [25, 50, 75], axis=0)
    half_range = (np.nanmax(numbers, axis=0) - np.nanmin(numbers, axis=0)) / 2
    distance = third - first
    return center, np.where(distance > 0, distance, half_range)
