"""Losses for labels: log losses and focal losses, of yes/no outputs and of classes.

All are computed from raw scores, never from clipped probabilities, so that they are
finite and keep their slope however sure the network is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from sknn._array import Array, matmul
from sknn._params import check_in_range
from sknn.losses.base import Loss, lies_within, require
from sknn.tape import Tape


@dataclass
class _Logistic(Loss):
    """What losses of independent yes/no outputs share: their link."""

    link: ClassVar[str] = "logistic"

    def link_inverse(self, raw: Array) -> Array:
        """Return predictions, a column per output; may write over `raw`."""
        # No finite score is certainty: rounding must not make it one.
        info = np.finfo(raw.dtype)
        expit(raw, out=raw)
        return np.clip(raw, info.tiny, 1 - info.epsneg, out=raw)


@dataclass
class BinaryLogLoss(_Logistic):
    r"""Cross-entropy of independent yes/no outputs, summed over the outputs.

    :math:`\log(1 + e^{raw}) - y\,raw` with :math:`p = 1 / (1 + e^{-raw})`; one output
    for two classes, one for each label of a multilabel target.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        `s`, from 0 up to 1: the network learns targets of
        :math:`(1 - s)\,y + \frac s2` instead of 0 and 1, and so to be less sure.

    References
    ----------
    Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR
    2016, section 7, for label smoothing.
    """

    label_smoothing: float = 0.0

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        check_in_range(self, "label_smoothing", 0.0, 1.0)

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        if self.label_smoothing:
            y = _smoothed(y, self.label_smoothing, 2, tape)
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

    def check_targets(self, y: Array) -> None:
        """Raise ValueError where a target lies outside the loss's domain."""
        require(
            (y >= 0) & (y <= 1),
            "loss='binary_log_loss' needs targets y from 0 to 1, got values from "
            f"{float(np.min(y))} to {float(np.max(y))}. Use loss='squared_error' for "
            "other numbers.",
        )


@dataclass
class BinaryFocalLoss(_Logistic):
    r"""Focal loss of independent yes/no outputs, summed over the outputs.

    :math:`-(1 - p_t)^\gamma \log p_t`, where :math:`p_t` is the predicted probability
    of the true answer. Samples that the network already answers well count little.

    Parameters
    ----------
    gamma : float, default=2.0
        How much less they count; greater than or equal to 0, where the loss is
        `BinaryLogLoss`.

    Notes
    -----
    The factor :math:`\alpha_t` of the paper's equation 5 is a weight of each class,
    which is what sample weights and `class_weight` are for.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.
    """

    gamma: float = 2.0

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        check_in_range(self, "gamma", 0.0)

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        sign, score, true, false, values = (
            tape.empty(name, raw.shape, raw)
            for name in ("sign", "score", "true", "false", "values")
        )
        gamma, zero, one = (tape.number(c, raw) for c in (self.gamma, 0.0, 1.0))
        np.add(y, y, out=sign)
        np.subtract(sign, one, out=sign)
        np.multiply(sign, raw, out=score)
        # With p = 1 / (1 + e^-score) the logarithms of 1 / p and of 1 / (1 - p).
        np.absolute(score, out=values)
        np.exp(np.negative(values, out=values), out=values)
        np.log(np.add(values, one, out=values), out=values)
        np.maximum(score, zero, out=false)
        np.subtract(false, score, out=true)
        false += values
        true += values
        # Value (1 - p)^gamma log(1 / p), derivative by the score
        # -(1 - p)^gamma (gamma p log(1 / p) + 1 - p).
        focus = np.multiply(false, -gamma, out=score)
        rest = np.exp(np.negative(false, out=false), out=false)
        focus = np.square(rest, out=score) if gamma == 2 else np.exp(focus, out=focus)
        np.multiply(focus, true, out=values)
        np.subtract(one, rest, out=gradient)
        gradient *= true
        gradient *= gamma
        gradient += rest
        gradient *= focus
        gradient *= np.negative(sign, out=sign)
        return values

    def check_targets(self, y: Array) -> None:
        """Raise ValueError where a target lies outside the loss's domain."""
        require(
            (y == 0) | (y == 1),
            "loss='binary_focal' needs targets y of 0 and 1, got values from "
            f"{float(np.min(y))} to {float(np.max(y))}. Use loss='binary_log_loss' for "
            "shares between them.",
        )


@dataclass
class _Softmax(Loss):
    """What losses of one class out of several share: link and cross-entropy."""

    link: ClassVar[str] = "softmax"

    def link_inverse(self, raw: Array) -> Array:
        """Return predictions, a column per output; may write over `raw`."""
        with np.errstate(over="ignore"):  # where classes are that far apart, 0 is right
            raw -= _row_maxima(raw)
        np.exp(raw, out=raw)
        raw /= np.add.reduce(raw, axis=-1, keepdims=True)
        return raw


@dataclass
class MultinomialLogLoss(_Softmax):
    r"""Cross-entropy of one class out of several.

    :math:`\log \sum_k e^{raw_k} - \sum_k y_k\,raw_k` with `y` a one-hot row and
    :math:`p = softmax(raw)`.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        `s`, from 0 up to 1: of `K` classes the network learns targets of
        :math:`(1 - s)\,y + \frac sK` instead of 0 and 1, and so to be less sure.

    References
    ----------
    Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR
    2016, section 7, for label smoothing.
    """

    label_smoothing: float = 0.0

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        check_in_range(self, "label_smoothing", 0.0, 1.0)

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        if self.label_smoothing:
            y = _smoothed(y, self.label_smoothing, y.shape[-1], tape)
        return _cross_entropy(y, raw, gradient, tape)


@dataclass
class MultinomialFocalLoss(_Softmax):
    r"""Focal loss of one class out of several.

    :math:`-(1 - p_t)^\gamma \log p_t`, where :math:`p_t` is the predicted probability
    of the true class. Samples that the network already classifies well count little.

    Parameters
    ----------
    gamma : float, default=2.0
        How much less they count; greater than or equal to 0, where the loss is
        `MultinomialLogLoss`.

    Notes
    -----
    The factor :math:`\alpha_t` of the paper's equation 5 is a weight of each class,
    which is what sample weights and `class_weight` are for. The paper's loss is that of
    yes/no outputs; this is its form for the softmax.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.
    """

    gamma: float = 2.0

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        check_in_range(self, "gamma", 0.0)

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`."""
        # By the cross-entropy c = log(1 / p): value (1 - p)^gamma c, derivative
        # (1 - p)^gamma (1 + gamma p c / (1 - p)), where c / (1 - p) is 1 for p = 1.
        gamma, zero, one, tiny = (
            tape.number(c, raw) for c in (self.gamma, 0.0, 1.0, _TINY[raw.dtype])
        )
        c = _row_sums(_cross_entropy(y, raw, gradient, tape), tape)
        np.maximum(c, zero, out=c)  # rounding can take it below
        log_p = np.negative(c)
        rest = np.negative(np.expm1(log_p))
        focus = np.power(rest, gamma)
        factor = np.exp(log_p, out=log_p)
        factor *= c
        factor /= np.maximum(rest, tiny, out=rest)
        factor *= gamma
        factor += one
        factor *= focus
        gradient *= factor
        c *= focus
        return c


def _cross_entropy(y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
    """Return the log loss of each sample; write its derivative to `gradient`."""
    shifted = raw - _row_maxima(raw) if _may_overflow(raw) else raw
    np.exp(shifted, out=gradient)
    sums = _row_sums(gradient, tape)
    np.divide(gradient, sums, out=gradient)
    np.subtract(gradient, y, out=gradient)
    np.log(sums, out=sums)
    values = tape.empty("values", raw.shape, raw)
    np.subtract(sums, shifted, out=values)
    return np.multiply(values, y, out=values)


def _smoothed(y: Array, share: float, n_classes: int, tape: Tape) -> Array:
    """Return targets with a `share` of each spread evenly over all classes."""
    smoothed = tape.empty("smoothed", y.shape, y)
    np.multiply(y, tape.number(1 - share, y), out=smoothed)
    smoothed += tape.number(share / n_classes, y)
    return smoothed


_TINY = {np.dtype(d): float(np.finfo(d).tiny) for d in (np.float32, np.float64)}


# Raw predictions up to here need no shift before exp, however many are summed.
_SAFE = {np.dtype(d): 0.9 * math.log(np.finfo(d).max) for d in (np.float32, np.float64)}


def _may_overflow(raw: Array) -> bool:
    """Tell whether exp of raw predictions needs their rows' maxima taken off.

    The test spares most batches the reduction over short rows, which would cost more
    than everything else in the loss.
    """
    return not lies_within(raw, _SAFE[raw.dtype])


def _row_maxima(raw: Array) -> Array:
    return np.maximum.reduce(raw, axis=-1, keepdims=True)


def _row_sums(values: Array, tape: Tape) -> Array:
    """Sum over the outputs as a product with ones: faster than a reduction."""
    ones = tape.ones((values.shape[-1], 1), values)
    return matmul(values, ones, tape.product("row_sums", values, ones))
