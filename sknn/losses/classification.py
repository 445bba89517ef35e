"""Log losses: independent yes/no outputs, and one class out of several.

Both are computed from raw scores, never from clipped probabilities, so that they are
finite and keep their slope however sure the network is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from sknn._array import Array, matmul
from sknn.losses.base import Loss
from sknn.tape import Tape


@dataclass
class BinaryLogLoss(Loss):
    r"""Cross-entropy of independent yes/no outputs, summed over the outputs.

    :math:`\log(1 + e^{raw}) - y\,raw` with :math:`p = 1 / (1 + e^{-raw})`; one output
    for two classes, one for each label of a multilabel target.
    """

    link: ClassVar[str] = "logistic"

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        # log(1 + e^raw) as max(raw, 0) + log(1 + e^-|raw|): where y is 0 or 1 and the
        # score on its side, the first part cancels exactly.
        values = np.absolute(raw, out=tape.empty("values", raw.shape, raw))
        np.negative(values, out=values)
        np.log1p(np.exp(values, out=values), out=values)
        np.multiply(y, raw, out=gradient)
        values += np.subtract(np.maximum(raw, 0), gradient, out=gradient)
        expit(raw, out=gradient)
        gradient -= y
        return values

    def link_inverse(self, raw: Array) -> Array:
        """Return predictions from raw predictions; may write over `raw`."""
        # No finite score is certainty: rounding must not make it one.
        info = np.finfo(raw.dtype)
        expit(raw, out=raw)
        return np.clip(raw, info.tiny, 1 - info.epsneg, out=raw)


@dataclass
class MultinomialLogLoss(Loss):
    r"""Cross-entropy of one class out of several.

    :math:`\log \sum_k e^{raw_k} - \sum_k y_k\,raw_k` with `y` a one-hot row and
    :math:`p = softmax(raw)`.
    """

    link: ClassVar[str] = "softmax"

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        shifted = raw - _row_maxima(raw) if _may_overflow(raw) else raw
        np.exp(shifted, out=gradient)
        sums = _row_sums(gradient, tape)
        np.divide(gradient, sums, out=gradient)
        np.subtract(gradient, y, out=gradient)
        np.log(sums, out=sums)
        values = tape.empty("values", raw.shape, raw)
        np.subtract(sums, shifted, out=values)
        return np.multiply(values, y, out=values)

    def link_inverse(self, raw: Array) -> Array:
        """Return predictions from raw predictions; may write over `raw`."""
        raw -= _row_maxima(raw)
        np.exp(raw, out=raw)
        raw /= np.add.reduce(raw, axis=-1, keepdims=True)
        return raw


# Raw predictions up to here need no shift before exp, however many are summed.
_SAFE = {np.dtype(d): 0.9 * math.log(np.finfo(d).max) for d in (np.float32, np.float64)}


def _may_overflow(raw: Array) -> bool:
    """Tell whether exp of raw predictions needs their rows' maxima taken off.

    The two cheap tests spare most batches the reduction over short rows, which would
    cost more than everything else in the loss.
    """
    safe = _SAFE[raw.dtype]
    flat = raw.ravel()
    if flat.dot(flat) < safe * safe:
        return False
    return not (-safe < raw.min() and raw.max() < safe)


def _row_maxima(raw: Array) -> Array:
    return np.maximum.reduce(raw, axis=-1, keepdims=True)


def _row_sums(values: Array, tape: Tape) -> Array:
    """Sum over the outputs as a product with ones: faster than a reduction."""
    ones = tape.ones((values.shape[-1], 1), values)
    return matmul(values, ones, tape.product("row_sums", values, ones))
