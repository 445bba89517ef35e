"""Normalisation: over the samples of a batch, or over the units of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sknn._array import Array, matmul, scalar, transpose
from sknn.initializers import Ones, Zeros
from sknn.layers.base import Layer, Param, Views, check_in_range
from sknn.tape import Tape


@dataclass(frozen=True, repr=False)
class BatchNorm(Layer):
    r"""Batch normalisation, :math:`y = \gamma (x - \mu) / \sqrt{v + \epsilon} + \beta`.

    In training, :math:`\mu` and `v` are mean and variance of each column over the
    samples of the batch, weighted by their sample weights; at prediction they are
    running means of those. A batch of a single sample, and a frozen layer, use the
    running ones in training too.

    Shape: ``(n, n_in) → (n, n_in)``.

    Parameters
    ----------
    momentum : float, default=0.1
        Weight of a batch in the running mean and variance, in (0, 1].
    epsilon : float, default=1e-5
        Added to the variance.
    trainable : bool, default=True
        Whether training changes `gamma`, `beta` and the running statistics.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.

    References
    ----------
    Ioffe & Szegedy, "Batch normalization: accelerating deep network training by
    reducing internal covariate shift", ICML 2015, algorithms 1 and 2.
    """

    momentum: float = 0.1
    epsilon: float = 1e-5

    output_is_free: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields."""
        check_in_range(self, "momentum", 0.0, 1.0, closed="right")
        check_in_range(self, "epsilon", 0.0, closed="neither")

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        mean = Param("mean", (1, n_in), Zeros(), (n_in, n_in), buffer=True)
        variance = Param("variance", (1, n_in), Ones(), (n_in, n_in), buffer=True)
        return (*_scale_and_shift(n_in), mean, variance), n_in

    def forward(self, x: Array, p: Views, tape: Tape) -> Array:
        """Return the normalised input."""
        x, out = _input_and_output(x, p, tape)
        if not tape.recording:
            scale = p["gamma"] / np.sqrt(p["variance"] + self.epsilon)
            np.multiply(x, scale, out=out)
            return np.add(out, p["beta"] - p["mean"] * scale, out=out)
        share = mean = variance = None
        centered = tape.empty("centered", x.shape, x)
        if tape.training and self.trainable and x.shape[-2] > 1:
            share = _shares(x, tape)
            mean = share @ x
            np.subtract(x, mean, out=centered)
            variance = share @ np.square(centered, out=tape.empty("t", x.shape, x))
        else:
            np.subtract(x, p["mean"], out=centered)
        spread = p["variance"] if variance is None else variance
        inverse = 1 / np.sqrt(spread + scalar(self.epsilon, x))
        tape.saved = (centered, inverse, share, mean, variance)
        np.multiply(centered, inverse * p["gamma"], out=out)
        return np.add(out, p["beta"], out=out)

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return the gradient by the input, written over `dy`."""
        centered, inverse, share, _, _ = tape.saved
        t = np.multiply(dy, centered, out=tape.empty("t", dy.shape, dy))
        ones = tape.ones((1, dy.shape[-2]), dy)
        moment, total = ones @ t, ones @ dy
        if g is not None:
            np.multiply(moment, inverse, out=g["gamma"])
            np.copyto(g["beta"], total)
        if not need_dx:
            return None
        if share is not None:  # mean and variance depend on x, too
            moment *= np.square(inverse)
            self._subtract_means(dy, t, centered, moment, total, share, tape)
        return np.multiply(dy, inverse * p["gamma"], out=dy)

    def _subtract_means(
        self,
        dy: Array,
        t: Array,
        x: Array,
        moment: Array,
        total: Array,
        share: Array,
        tape: Tape,
    ) -> None:
        """Subtract ``share * (x * moment + total)`` from `dy`, in place."""
        if tape.sample_weight is None:
            n = tape.number(dy.shape[-2], dy)
            np.multiply(x, moment / n, out=t)
            np.add(t, total / n, out=t)
        else:
            np.multiply(x, moment, out=t)
            np.add(t, total, out=t)
            np.multiply(t, transpose(share), out=t)
        np.subtract(dy, t, out=dy)

    def update_buffers(self, p: Views, tape: Tape, share: float | None = None) -> None:
        """Move the running mean and variance towards those of the batch, in place."""
        _, _, weights, mean, variance = tape.saved
        if weights is None:
            return
        rest = 1 - np.square(weights).sum(axis=-1, keepdims=True)
        counts = rest > 1e-6  # one sample has no variance
        if tape.sample_weight is not None:
            counts = counts & (tape.sample_weight.sum(axis=-2, keepdims=True) > 0)
        momentum = np.where(counts, self.momentum if share is None else share, 0)
        unbiased = variance / np.where(counts, rest, 1)
        for name, batch in (("mean", mean), ("variance", unbiased)):
            p[name][...] += (momentum * (batch - p[name])).astype(p[name].dtype)


@dataclass(frozen=True, repr=False)
class LayerNorm(Layer):
    r"""Layer normalisation, :math:`y = \gamma (x - \mu) / \sqrt{v + \epsilon} + \beta`.

    :math:`\mu` and `v` are mean and variance over the units of each sample, in training
    and at prediction alike: a sample does not depend on those beside it.

    Shape: ``(n, n_in) → (n, n_in)``.

    Parameters
    ----------
    epsilon : float, default=1e-5
        Added to the variance.
    trainable : bool, default=True
        Whether training changes `gamma` and `beta`.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.

    References
    ----------
    Ba, Kiros & Hinton, "Layer normalization", 2016, equation 4.
    """

    epsilon: float = 1e-5

    output_is_free: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields."""
        check_in_range(self, "epsilon", 0.0, closed="neither")

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        return _scale_and_shift(n_in), n_in

    def forward(self, x: Array, p: Views, tape: Tape) -> Array:
        """Return the normalised input."""
        x, out = _input_and_output(x, p, tape)
        normal = tape.empty("normal", x.shape, x)
        t = tape.empty("t", x.shape, x)
        average = self._average(x, tape)
        np.subtract(x, x @ average, out=normal)
        variance = np.square(normal, out=t) @ average
        inverse = 1 / np.sqrt(variance + tape.number(self.epsilon, x))
        np.multiply(normal, inverse, out=normal)
        tape.saved = normal, inverse
        np.multiply(normal, p["gamma"], out=out)
        return np.add(out, p["beta"], out=out)

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return the gradient by the input, written over `dy`."""
        normal, inverse = tape.saved
        t = np.multiply(dy, normal, out=tape.empty("t", dy.shape, dy))
        if g is not None:
            ones = tape.ones((1, dy.shape[-2]), dy)
            matmul(ones, t, g["gamma"])
            matmul(ones, dy, g["beta"])
        if not need_dx:
            return None
        average = self._average(dy, tape)
        moment = t @ (transpose(p["gamma"]) * average)
        np.multiply(dy, p["gamma"], out=dy)
        mean = dy @ average
        np.multiply(normal, moment, out=t)
        np.add(t, mean, out=t)
        np.subtract(dy, t, out=dy)
        return np.multiply(dy, inverse, out=dy)

    def _average(self, x: Array, tape: Tape) -> Array:
        """Return the column that averages units by a product."""
        n = x.shape[-1]
        return tape.constant("average", (n, 1), 1 / n, x)


def _scale_and_shift(n: int) -> tuple[Param, Param]:
    gamma = Param("gamma", (1, n), Ones(), (n, n), penalized=False)
    return gamma, Param("beta", (1, n), Zeros(), (n, n), penalized=False)


def _input_and_output(x: Array, p: Views, tape: Tape) -> tuple[Array, Array]:
    """Return `x`, for a stack as one input per network, and where to write."""
    lead = p["gamma"].shape[:-2]
    if len(lead) + 2 > x.ndim:
        x = np.broadcast_to(x, (*lead, *x.shape))
    elif tape.reuse_input:
        return x, x
    return x, tape.empty("y", x.shape, x)


def _shares(x: Array, tape: Tape) -> Array:
    """Return the row of sample weights with sum 1; equal where all are zero."""
    n, w = x.shape[-2], tape.sample_weight
    equal = tape.constant("shares", (1, n), 1 / n, x)
    if w is None:
        return equal
    total: Any = w.sum(axis=-2, keepdims=True)
    shares = transpose(w) / np.where(total > 0, total, 1)
    return np.where(total > 0, shares, equal).astype(x.dtype, copy=False)
