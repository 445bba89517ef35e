"""Embeddings of numbers: each column becomes several features, for itself.

Periodic functions with learned frequencies, and places among quantiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from sknn._array import Array, matmul, transpose
from sknn.activations import ACTIVATIONS
from sknn.initializers import Fan, Initializer, Normal, Uniform
from sknn.layers.base import Layer, Param, Views, check_count, check_in_range
from sknn.tape import Tape

# Columns lie feature-major, all values of feature 0 first. `_split` makes of them one
# matrix per feature, a view, so that one batched product serves all features.


@dataclass(frozen=True)
class _NormalQuantiles(Initializer):
    """The same edges for each feature: where a standard normal would have them."""

    n_edges: int

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Return the parameter; nothing is drawn."""
        levels = (np.arange(self.n_edges) + 0.5) / self.n_edges
        return np.resize(special.ndtri(levels), shape)


def _split(a: Array, n_features: int) -> Array:
    """Return (..., n, features * k) as (..., features, n, k), a view."""
    parts = a.reshape(*a.shape[:-1], n_features, a.shape[-1] // n_features)
    return parts.swapaxes(-3, -2)


def _outer(x: Array, w: Array, out: Array) -> Array:
    """Write the products of each feature with its own part of the row `w`."""
    n_features = x.shape[-1]
    parts = w.reshape(*w.shape[:-2], n_features, -1)
    grid = out.reshape(*out.shape[:-1], n_features, parts.shape[-1])
    # einsum takes half the time of a product that broadcasts over short rows.
    np.einsum("...nf,...fk->...nfk", x, parts, out=grid)
    return out


def _sum_outer(d: Array, w: Array, out: Array) -> Array:
    """Write the sums of ``d * w`` over the part of each feature."""
    n_features = out.shape[-1]
    w_T = _split(w, n_features).swapaxes(-1, -2)
    matmul(_split(d, n_features), w_T, _split(out, n_features))
    return out


def _declare_linear(n_features: int, n_in: int, n_out: int) -> tuple[Param, Param]:
    """Declare a linear layer per feature, which starts as PyTorch's linear layer."""
    init, fan = Uniform(1 / np.sqrt(n_in)), (n_in, n_out)
    W = Param("W", (n_features, n_in, n_out), init, fan)
    return W, Param("b", (1, n_features * n_out), init, fan, penalized=False)


def _write_column_sums(dy: Array, out: Array, tape: Tape) -> None:
    matmul(tape.ones((1, dy.shape[-2]), dy), dy, out)


@dataclass(frozen=True, repr=False)
class PLR(Layer):
    r"""Periodic, linear, ReLU: an embedding of numbers as oscillations.

    Each feature `x` becomes
    :math:`\max(0, [\sin v, \cos v]\, W + b)` with :math:`v = 2 \pi c\, x`, where the
    frequencies `c`, the kernel `W` and the intercept `b` are the feature's own.
    Outputs are feature-major: all of feature 0, then all of feature 1.

    Shape: ``(n, n_in) → (n, n_in * dim)``.

    Parameters
    ----------
    n_frequencies : int, default=16
        Frequencies per feature.
    dim : int, default=8
        Outputs per feature.
    sigma : float, default=0.1
        Standard deviation of the frequencies at the start. What suits depends on the
        data more than for any other parameter: tune it between 0.01 and 10.
    trainable : bool, default=True
        Whether training changes `frequencies`, `W` and `b`.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.

    Notes
    -----
    `W` and `b` start uniform on :math:`\pm 1 / \sqrt{2 n_{frequencies}}`, as PyTorch's
    linear layer. The L2 penalty applies to `W` and, preferring smooth functions, to
    the frequencies.

    References
    ----------
    Gorishniy, Rubachev & Babenko, "On embeddings for numerical features in tabular
    deep learning", NeurIPS 2022, equation 2 and section 3.4.
    """

    n_frequencies: int = 16
    dim: int = 8
    sigma: float = 0.1

    output_is_free: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields."""
        check_count(self, "n_frequencies")
        check_count(self, "dim")
        check_in_range(self, "sigma", 0.0, closed="neither")

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        n = self.n_frequencies
        c = Param("frequencies", (1, n_in * n), Normal(self.sigma), (1, n))
        return (c, *_declare_linear(n_in, 2 * n, self.dim)), n_in * self.dim

    def forward(self, x: Array, p: Views, tape: Tape) -> Array:
        """Return the embedding of each feature."""
        n_features = x.shape[-1]
        W, c = p["W"], 2 * np.pi * p["frequencies"]
        sin, cos = (tape.product(name, x, c) for name in ("sin", "cos"))
        angle = _outer(x, c, tape.product("angle", x, c))
        np.sin(angle, out=sin)
        np.cos(angle, out=cos)
        y, t = (tape.product(name, x, p["b"]) for name in ("y", "t"))
        n = self.n_frequencies
        matmul(_split(sin, n_features), W[..., :n, :], _split(y, n_features))
        matmul(_split(cos, n_features), W[..., n:, :], _split(t, n_features))
        np.add(y, t, out=y)
        np.add(y, p["b"], out=y)
        relu = ACTIVATIONS["relu"]
        if not tape.recording:
            return relu.value(y, y)
        tape.saved = x, sin, cos, t
        relu.value_and_slope(y, y, t)
        return y

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return the gradient by the input; `dy` is written over."""
        x, sin, cos, slope = tape.saved
        n_features, n = x.shape[-1], self.n_frequencies
        np.multiply(dy, slope, out=dy)
        d, W_T = _split(dy, n_features), p["W"].swapaxes(-1, -2)
        d_sin, d_cos = (tape.empty(s, sin.shape, dy) for s in ("d_sin", "d_cos"))
        matmul(d, W_T[..., :n], _split(d_sin, n_features))
        matmul(d, W_T[..., n:], _split(d_cos, n_features))
        np.multiply(d_sin, cos, out=d_sin)
        np.multiply(d_cos, sin, out=d_cos)
        d_angle = np.subtract(d_sin, d_cos, out=d_sin)
        if g is not None and self.trainable:
            matmul(_split(sin, n_features).swapaxes(-1, -2), d, g["W"][..., :n, :])
            matmul(_split(cos, n_features).swapaxes(-1, -2), d, g["W"][..., n:, :])
            _write_column_sums(dy, g["b"], tape)
            _write_frequencies(x, d_angle, g["frequencies"])
        if not need_dx:
            return None
        dx = tape.empty("dx", (*dy.shape[:-1], n_features), dy)
        return _sum_outer(d_angle, 2 * np.pi * p["frequencies"], dx)

    def origins(self, n_in: int) -> Array:
        """Return the input column of each output."""
        return np.repeat(np.arange(n_in), self.dim)


def _write_frequencies(x: Array, d_angle: Array, out: Array) -> None:
    """Write the gradient by frequencies that are multiplied with ``2 π x``."""
    n_features = x.shape[-1]
    x_T = _split(x, n_features).swapaxes(-1, -2)
    matmul(x_T, _split(d_angle, n_features), _split(out, n_features))
    np.multiply(out, 2 * np.pi, out=out)


@dataclass(frozen=True, repr=False)
class PBLD(Layer):
    r"""Periodic with bias, linear, dense: a number beside an embedding of it.

    Each feature `x` becomes :math:`(x, \cos(2 \pi c\, x + \varphi)\, W + b)`, where the
    frequencies `c`, the phases :math:`\varphi`, the kernel `W` and the intercept `b`
    are the feature's own. Outputs are feature-major: all of feature 0, beginning with
    the feature itself, then all of feature 1.

    Shape: ``(n, n_in) → (n, n_in * dim)``.

    Parameters
    ----------
    n_frequencies : int, default=16
        Frequencies per feature.
    dim : int, default=4
        Outputs per feature, at least 2: the feature and ``dim - 1`` of its embedding.
    sigma : float, default=0.1
        Standard deviation of the frequencies at the start.
    trainable : bool, default=True
        Whether training changes `frequencies`, `phases`, `W` and `b`.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.

    Notes
    -----
    Phases start uniform on :math:`\pm\pi`, `W` and `b` on
    :math:`\pm 1 / \sqrt{n_{frequencies}}`. The L2 penalty applies to `W` and,
    preferring smooth functions, to the frequencies.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024, section 3 and appendix A.
    """

    n_frequencies: int = 16
    dim: int = 4
    sigma: float = 0.1

    output_is_free: ClassVar[bool] = True
    keeps_dy: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields."""
        check_count(self, "n_frequencies")
        check_count(self, "dim")
        check_in_range(self, "dim", 2)
        check_in_range(self, "sigma", 0.0, closed="neither")

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        n, shape = self.n_frequencies, (1, n_in * self.n_frequencies)
        c = Param("frequencies", shape, Normal(self.sigma), (1, n))
        phases = Param("phases", shape, Uniform(np.pi), (1, n), penalized=False)
        return (c, phases, *_declare_linear(n_in, n, self.dim - 1)), n_in * self.dim

    def forward(self, x: Array, p: Views, tape: Tape) -> Array:
        """Return each feature and its embedding."""
        n_features, c = x.shape[-1], 2 * np.pi * p["frequencies"]
        angle = _outer(x, c, tape.product("angle", x, c))
        np.add(angle, p["phases"], out=angle)
        wave = np.cos(angle, out=tape.product("wave", x, c))
        tape.saved = x, angle, wave
        row = self._spread_intercept(p["b"], n_features, tape)
        y = tape.product("y", x, row)
        parts = _split(y, n_features)
        parts[..., :1] = _split(x, n_features)
        matmul(_split(wave, n_features), p["W"], parts[..., 1:])
        return np.add(y, row, out=y)

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return the gradient by the input."""
        x, angle, wave = tape.saved
        n_features = x.shape[-1]
        d = _split(dy, n_features)[..., 1:]
        slope = np.sin(angle, out=tape.empty("slope", angle.shape, dy))
        d_angle = tape.empty("d_angle", angle.shape, dy)
        matmul(d, p["W"].swapaxes(-1, -2), _split(d_angle, n_features))
        np.multiply(d_angle, slope, out=d_angle)
        np.negative(d_angle, out=d_angle)
        if g is not None and self.trainable:
            matmul(_split(wave, n_features).swapaxes(-1, -2), d, g["W"])
            _write_column_sums(d_angle, g["phases"], tape)
            _write_frequencies(x, d_angle, g["frequencies"])
            total = tape.ones((1, dy.shape[-2]), dy) @ dy
            _split(g["b"], n_features)[...] = _split(total, n_features)[..., 1:]
        if not need_dx:
            return None
        dx = tape.empty("dx", (*dy.shape[:-1], n_features), dy)
        _sum_outer(d_angle, 2 * np.pi * p["frequencies"], dx)
        return np.add(dx, dy[..., :: self.dim], out=dx)

    def origins(self, n_in: int) -> Array:
        """Return the input column of each output."""
        return np.repeat(np.arange(n_in), self.dim)

    def _spread_intercept(self, b: Array, n_features: int, tape: Tape) -> Array:
        """Return a row that is zero at the features and `b` at the rest.

        Adding it to whole rows takes a tenth of adding `b` to parts of them.
        """
        row = tape.empty("row", (*b.shape[:-1], n_features * self.dim), b)
        parts = _split(row, n_features)
        parts[..., :1] = 0.0
        parts[..., 1:] = _split(b, n_features)
        return row


@dataclass(frozen=True, repr=False)
class PiecewiseLinear(Layer):
    r"""Piecewise linear encoding of numbers on the quantiles of the training data.

    The bins between the quantiles :math:`b_0 < \dots < b_T` of a feature `x` fill one
    after the other, :math:`e_t = (x - b_{t-1}) / (b_t - b_{t-1})` within [0, 1], but
    the first may fall below 0 and the last rise above 1. With `dim`, a linear layer per
    feature follows, :math:`y = e W + b`: a trained piecewise linear function for each
    output. Outputs are feature-major: all of feature 0, then all of feature 1.

    Where quantiles coincide there are fewer bins, and the last components are 0; of a
    constant feature all are. Before the layer has adapted to training data it has the
    quantiles of a standard normal feature.

    Shape: ``(n, n_in) → (n, n_in * n_bins)``; with `dim`, ``(n, n_in * dim)``.

    Parameters
    ----------
    n_bins : int, default=48
        Number of bins T.
    dim : int or None, default=None
        Outputs per feature; None gives out the encoding itself.
    trainable : bool, default=True
        Whether training changes `W` and `b`.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.

    Notes
    -----
    `W` and `b` start uniform on :math:`\pm 1 / \sqrt{n_{bins}}`, as PyTorch's linear
    layer; the L2 penalty applies to `W`.

    References
    ----------
    Gorishniy, Rubachev & Babenko, "On embeddings for numerical features in tabular
    deep learning", NeurIPS 2022, equation 1 and section 3.2.
    """

    n_bins: int = 48
    dim: int | None = None

    keeps_dy: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields."""
        check_count(self, "n_bins")
        if self.dim is not None:
            check_count(self, "dim")

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        n = self.n_bins + 1
        edges = Param("edges", (1, n_in * n), _NormalQuantiles(n), (1, n), buffer=True)
        if self.dim is None:
            return (edges,), n_in * self.n_bins
        return (edges, *_declare_linear(n_in, self.n_bins, self.dim)), n_in * self.dim

    def adapt(self, x: Array, p: Views) -> None:
        """Set the edges to the quantiles of `x`, equal ones moved to the end."""
        edges = transpose(_quantiles(x, self.n_bins)).astype(p["edges"].dtype)
        again = ~_is_bin(edges)
        edges[..., 1:][again] = np.broadcast_to(edges[..., -1:], again.shape)[again]
        edges.sort(axis=-1)
        p["edges"][...] = edges.reshape(*edges.shape[:-2], 1, -1)

    def forward(self, x: Array, p: Views, tape: Tape) -> Array:
        """Return the encoding of each feature, or its linear map."""
        n_features = x.shape[-1]
        left, slope, low, high = self._bins(p["edges"], n_features)
        e = _outer(x, np.ones_like(left), tape.product("e", x, left))
        np.subtract(e, left, out=e)
        np.multiply(e, slope, out=e)
        np.maximum(e, low, out=e)
        np.minimum(e, high, out=e)
        tape.saved = x, e
        if self.dim is None:
            return e
        y = tape.product("y", x, p["b"])
        matmul(_split(e, n_features), p["W"], _split(y, n_features))
        return np.add(y, p["b"], out=y)

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return the gradient by the input."""
        x, e = tape.saved
        n_features = x.shape[-1]
        d, W = _split(dy, n_features), p.get("W")
        if W is not None and g is not None and self.trainable:
            matmul(_split(e, n_features).swapaxes(-1, -2), d, g["W"])
            _write_column_sums(dy, g["b"], tape)
        if not need_dx:
            return None
        d_e, shape = dy, (*dy.shape[:-1], e.shape[-1])
        if W is not None:
            d_e = tape.empty("d_e", shape, dy)
            matmul(d, W.swapaxes(-1, -2), _split(d_e, n_features))
        _, slope, low, high = self._bins(p["edges"], n_features)
        inside = tape.empty("inside", shape, dy)
        np.multiply(d_e, (e > low) & (e < high), out=inside)
        dx = tape.empty("dx", (*dy.shape[:-1], n_features), dy)
        return _sum_outer(inside, slope, dx)

    def origins(self, n_in: int) -> Array:
        """Return the input column of each output."""
        return np.repeat(np.arange(n_in), self.dim or self.n_bins)

    def _bins(self, edges: Array, n_features: int) -> tuple[Array, ...]:
        """Return rows: each bin's left edge, slope, least and largest value."""
        parts = edges.reshape(*edges.shape[:-1], n_features, -1)
        width, real = np.diff(parts, axis=-1), _is_bin(parts)
        slope = np.divide(1, width, out=np.zeros_like(width), where=real)
        low, high = np.zeros_like(width), np.ones_like(width)
        low[..., 0] = -np.inf
        is_last = real.copy()
        is_last[..., :-1] &= ~real[..., 1:]
        high[is_last] = np.inf
        shape = (*edges.shape[:-1], -1)
        bins = parts[..., :-1], slope, low, high
        return tuple(row.reshape(shape) for row in bins)


def _quantiles(x: Array, n: int) -> Array:
    """Return the quantiles at 0, 1/n, ..., 1 of each column.

    Places are whole numbers and fractions, so that quantiles of equal numbers are
    equal: those of ``np.quantile`` may differ by rounding, and make a bin of no width.
    """
    last = x.shape[-2] - 1
    lower, rest = np.divmod(np.arange(n + 1) * last, n)
    upper = np.minimum(lower + 1, last)
    x = np.partition(x, np.union1d(lower, upper), axis=-2)
    left, right = x.take(lower, axis=-2), x.take(upper, axis=-2)
    return left + (right - left) * (rest / n)[:, None]


def _is_bin(edges: Array) -> Array:
    """Tell which neighbours differ by more than rounding."""
    spread = edges[..., -1:] - edges[..., :1]
    return np.diff(edges, axis=-1) > np.finfo(edges.dtype).eps * spread
