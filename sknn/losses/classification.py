"""Log losses: independent yes/no outputs, and one class out of several.

Both are computed from raw scores, never from clipped probabilities, so that they are
exact and finite however sure the network is.
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
        values = np.logaddexp(raw, 0, out=tape.empty("values", raw.shape, raw))
        values -= np.multiply(y, raw, out=gradient)
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
        shift = _overflow_shift(raw)
        shifted = raw if shift is None else np.subtract(raw, shift)
        np.exp(shifted, out=gradient)
        values = _row_sums(gradient, tape)
        gradient /= values
        np.log(values, out=values)
        picked = tape.empty("picked", raw.shape, raw)
        np.subtract(values, shifted, out=picked)
        picked *= y
        gradient -= y
        return picked

    def link_inverse(self, raw: Array) -> Array:
        """Return predictions from raw predictions; may write over `raw`."""
        raw -= np.maximum.reduce(raw, axis=-1, keepdims=True)
        np.exp(raw, out=raw)
        raw /= np.add.reduce(raw, axis=-1, keepdims=True)
        return raw


def _overflow_shift(raw: Array) -> Array | None:
    """Return each row's maximum, or None where exp needs no help.

    Two reductions over everything cost a fifth of one over short rows.
    """
    bound = 0.9 * math.log(np.finfo(raw.dtype).max)
    highest = np.maximum.reduce(raw, axis=None, initial=-np.inf)
    lowest = np.minimum.reduce(raw, axis=None, initial=np.inf)
    if -bound < lowest and highest < bound:
        return None
    return np.maximum.reduce(raw, axis=-1, keepdims=True)


def _row_sums(values: Array, tape: Tape) -> Array:
    """Sum over the outputs as a product with ones: faster than a reduction."""
    out = tape.empty("row_sums", (*values.shape[:-1], 1), values)
    return matmul(values, tape.ones("ones", (values.shape[-1], 1), values), out)
