"""DeepLIFT's rescale rule for each kind of layer: forward once, multipliers back.

A multiplier says how much an output differs for a unit of difference at a place in the
network, between an explained row and a background row. RULES has a function for each
layer that turns multipliers behind the layer into those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sknn.activations import ACTIVATIONS
from sknn.explain.native.source import NotNativeError
from sknn.layers import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    Residual,
    Scale,
)
from sknn.layers.monotonic import MonotonicActivation, MonotonicDense
from sknn.tape import Tape

Array = Any
_PIECEWISE_LINEAR = {"identity", "relu", "leaky_relu"}


@dataclass
class Record:
    """One layer's pass: what came in and what went out, for each row.

    Parameters
    ----------
    layer : Layer
        The layer.
    views : dict of ndarray
        Its parameters.
    x, y : ndarray of shape (n, width)
        Input and output.
    inner : list of Record
        The layers within.
    """

    layer: Layer
    views: dict[str, Any]
    x: Array
    y: Array
    inner: list[Record] = field(default_factory=list)

    def of(self, rows: Any) -> Record:
        """Return the record of some of the rows."""
        inner = [record.of(rows) for record in self.inner]
        return Record(self.layer, self.views, self.x[rows], self.y[rows], inner)


def record(layers: Sequence[Layer], views: Sequence[Any], x: Array) -> list[Record]:
    """Go forward through a chain and record each layer's pass."""
    records = []
    for layer, p in zip(layers, views, strict=True):
        y = layer.forward(x, p, Tape())
        found = Record(layer, p, x, y)
        if isinstance(layer, Residual):
            inner = [p.get(name, {}) for name, _ in layer.children()]
            found.inner = record(layer.layers, inner, x)
        records.append(found)
        x = y
    return records


@dataclass(frozen=True)
class Multipliers:
    """Multipliers as a product, which layers keep apart as long as they can.

    Parameters
    ----------
    outputs : ndarray of shape (C, h)
        What is the same for all pairs of rows.
    pairs : ndarray of shape (n, B, h), (n, C, B, h) or None
        What differs between pairs; None is 1.
    """

    outputs: Array
    pairs: Array | None = None

    @property
    def full(self) -> Array:
        """The product, of shape (n, C, B, h)."""
        if self.pairs is None:
            return self.outputs[None, :, None]
        if self.pairs.ndim == 4:
            return self.pairs
        return self.pairs[:, None] * self.outputs[:, None]

    def scaled(self, ratio: Array) -> Multipliers:
        """Return these times a ratio (n, B, h), or (h,), of each pair and unit."""
        if ratio.ndim == 1:
            if self.pairs is not None and self.pairs.ndim == 4:
                return Multipliers(self.outputs, self.pairs * ratio)
            return Multipliers(self.outputs * ratio, self.pairs)
        if self.pairs is None:
            return Multipliers(self.outputs, ratio)
        if self.pairs.ndim == 4:
            ratio = ratio[:, None]
        return Multipliers(self.outputs, self.pairs * ratio)

    def before(self, W: Array) -> Multipliers:
        """Return these before a product with a kernel (n_in, h)."""
        if self.pairs is None:
            return Multipliers(self.outputs @ W.T)
        if self.pairs.ndim == 3 and len(self.outputs) == 1:
            # the only output's factors go into the kernel, which is small
            before = np.matmul(self.pairs, (W * self.outputs).T)
            return Multipliers(self.outputs, before[:, None])
        return Multipliers(self.outputs, np.matmul(self.full, W.T))

    def plus(self, other: Multipliers) -> Multipliers:
        """Return the sum of both."""
        if self.pairs is None and other.pairs is None:
            return Multipliers(self.outputs + other.outputs)
        return Multipliers(self.outputs, self.full + other.full)


def propagate(x: Sequence[Record], b: Sequence[Record], m: Multipliers) -> Multipliers:
    """Return the multipliers before a chain from those behind it.

    Parameters
    ----------
    x, b : sequence of Record
        The passes of the explained rows and of the background rows.
    m : Multipliers
        Behind the chain.
    """
    for own, other in zip(reversed(x), reversed(b), strict=True):
        m = rule_of(own.layer)(own, other, m)
    return m


def rule_of(layer: Layer) -> Callable[[Record, Record, Multipliers], Multipliers]:
    """Return the rule of a layer; raise NotNativeError if there is none."""
    for kind in type(layer).__mro__:
        if kind in RULES:
            return RULES[kind]
    raise NotNativeError(f"there is no rule for the layer {layer!r}")


def secant(x: Array, b: Array, f_x: Array, f_b: Array) -> tuple[Array, Array]:
    """Return ratios of differences for all pairs, (n, B, h), and where they fail.

    They fail where the inputs are so close that rounding decides: within the cube root
    of the precision, where the slope half-way is as exact.
    """
    difference = x[:, None] - b
    ratio = f_x[:, None] - f_b
    tolerance = np.cbrt(np.finfo(difference.dtype).eps)
    close = np.abs(difference) < tolerance
    np.divide(ratio, difference, out=ratio, where=~close)
    return ratio, close


def _activation(x: Record, b: Record, m: Multipliers) -> Multipliers:
    name = x.layer.name  # type: ignore[attr-defined]
    if name == "relu":
        return m.scaled(_relu_ratio(x, b))
    ratio, close = secant(x.x, b.x, x.y, b.y)
    if close.any():
        if name in _PIECEWISE_LINEAR:
            ratio[close] = _exact_ratio(x, b, close)
        else:
            ratio[close] = _slope_half_way(x, b, close, name)
    return m.scaled(ratio)


def _relu_ratio(x: Record, b: Record) -> Array:
    """Return the ratios of ReLU, exact however close the inputs are."""
    difference = x.x[:, None] - b.x
    ratio = x.y[:, None] - b.y
    with np.errstate(invalid="ignore"):
        np.divide(ratio, difference, out=ratio)
    if np.isnan(ratio.sum()):
        # of equal inputs the slope, as at any other place: 1 above zero
        equal = difference == 0
        ratio[equal] = np.broadcast_to(x.x[:, None] > 0, equal.shape)[equal]
    return ratio


def _exact_ratio(x: Record, b: Record, close: Array) -> Array:
    at, other = (np.broadcast_to(a, close.shape)[close] for a in (x.x[:, None], b.x))
    f_at, f_other = (
        np.broadcast_to(a, close.shape)[close] for a in (x.y[:, None], b.y)
    )
    difference = at - other
    slope = _slope(at, x.layer.name)  # type: ignore[attr-defined]
    return np.divide(f_at - f_other, difference, out=slope, where=difference != 0)


def _slope_half_way(x: Record, b: Record, close: Array, name: str) -> Array:
    middle = (x.x[:, None] + b.x)[close] / 2
    return _slope(middle, name)


def _slope(z: Array, name: str) -> Array:
    z = np.ascontiguousarray(z).reshape(1, -1)
    slope = np.empty_like(z)
    ACTIVATIONS[name].value_and_slope(z.copy(), np.empty_like(z), slope)
    return slope[0]


def _monotonic_activation(x: Record, b: Record, m: Multipliers) -> Multipliers:
    ratio, close = secant(x.x, b.x, x.y, b.y)
    if close.any():
        middle = (x.x[:, None] + b.x) / 2
        tape = Tape(recording=True)
        x.layer.forward(middle.reshape(-1, middle.shape[-1]), x.views, tape)
        ratio[close] = tape.saved.reshape(middle.shape)[close]
    return m.scaled(ratio)


def _dense(x: Record, b: Record, m: Multipliers) -> Multipliers:
    return m.before(x.views["W"])


def _monotonic_dense(x: Record, b: Record, m: Multipliers) -> Multipliers:
    return m.before(x.layer.kernel(x.views["W"]))  # type: ignore[attr-defined]


def _same(x: Record, b: Record, m: Multipliers) -> Multipliers:
    return m


def _scale(x: Record, b: Record, m: Multipliers) -> Multipliers:
    return m.scaled(x.views["s"][0])


def _batch_norm(x: Record, b: Record, m: Multipliers) -> Multipliers:
    p, epsilon = x.views, x.layer.epsilon  # type: ignore[attr-defined]
    return m.scaled((p["gamma"] / np.sqrt(p["variance"] + epsilon))[0])


def _layer_norm(x: Record, b: Record, m: Multipliers) -> Multipliers:
    r"""Return the multipliers before :math:`\gamma\,c\,s + \beta`.

    `c` is the centred input and `s` one over its deviation. With means and differences
    of both rows, :math:`\Delta(c\,s) = \bar s\,\Delta c + \bar c\,\Delta s`; the
    second is shared out as the variance is, whose difference is linear in that of `c`.
    """
    epsilon = x.layer.epsilon  # type: ignore[attr-defined]
    c_x, c_b = (r.x - r.x.mean(axis=-1, keepdims=True) for r in (x, b))
    v_x, v_b = ((c * c).mean(axis=-1, keepdims=True) + epsilon for c in (c_x, c_b))
    s_x, s_b = v_x**-0.5, v_b**-0.5
    ratio, close = secant(v_x, v_b, s_x, s_b)
    middle = (v_x[:, None] + v_b) / 2
    ratio[close] = -0.5 * middle[close] ** -1.5
    c_sum, s_mean = c_x[:, None] + c_b, (s_x[:, None] + s_b) / 2
    g = m.full * x.views["gamma"][0]
    along = (g * c_sum[:, None]).sum(axis=-1, keepdims=True) / 2
    before = g * s_mean[:, None]
    before = before + (along * ratio[:, None]) * c_sum[:, None] / c_sum.shape[-1]
    before -= before.mean(axis=-1, keepdims=True)
    return Multipliers(m.outputs, before)


def _residual(x: Record, b: Record, m: Multipliers) -> Multipliers:
    shortcut = m.before(x.views["P"]) if "P" in x.views else m
    return propagate(x.inner, b.inner, m).plus(shortcut)


RULES: dict[type[Layer], Callable[[Record, Record, Multipliers], Multipliers]] = {
    Activation: _activation,
    BatchNorm: _batch_norm,
    Dense: _dense,
    Dropout: _same,
    LayerNorm: _layer_norm,
    MonotonicActivation: _monotonic_activation,
    MonotonicDense: _monotonic_dense,
    Residual: _residual,
    Scale: _scale,
}
