"""Activation functions: value and slope of each, one row per function in ACTIVATIONS.

They are functions of arrays and nothing else: no layer, no state. The slope is computed
together with the value, because the two share their exponentials; going backward is
then one product, whatever the activation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

from sknn._array import Array


@dataclass(frozen=True)
class Activation:
    """One activation function.

    Parameters
    ----------
    name : str
        Its name in ``activation=``.
    value : callable
        ``value(z, out)`` writes f(z) to `out` and returns it; `out` may be `z`.
    value_and_slope : callable
        ``value_and_slope(z, out, slope)`` writes f(z) to `out` and f'(z) to `slope`;
        `out` may be `z`.
    """

    name: str
    value: Callable[[Array, Array], Array]
    value_and_slope: Callable[[Array, Array, Array], None]


# Zero as an array of the dtype: a Python number would be converted at each call.
_ZERO = {np.dtype(d): np.zeros((), d) for d in (np.float32, np.float64)}


def _identity(z: Array, out: Array) -> Array:
    if out is not z:
        np.copyto(out, z)
    return out


def _identity_and_slope(z: Array, out: Array, slope: Array) -> None:
    _identity(z, out)
    slope.fill(1)


def _logistic(z: Array, out: Array) -> Array:
    return expit(z, out=out)


def _logistic_and_slope(z: Array, out: Array, slope: Array) -> None:
    expit(z, out=out)
    np.subtract(1, out, out=slope)
    np.multiply(slope, out, out=slope)


def _tanh(z: Array, out: Array) -> Array:
    return np.tanh(z, out=out)


def _tanh_and_slope(z: Array, out: Array, slope: Array) -> None:
    np.tanh(z, out=out)
    np.square(out, out=slope)
    np.subtract(1, slope, out=slope)


def _relu(z: Array, out: Array) -> Array:
    return np.maximum(z, 0, out=out)


def _relu_and_slope(z: Array, out: Array, slope: Array) -> None:
    # The mask as floats: one comparison, one cast and one product cost less than
    # np.maximum, and going backward is a product of floats. The slope at 0 is 0.
    np.copyto(slope, np.greater(z, _ZERO[z.dtype]))
    np.multiply(z, slope, out=out)


_LEAK = 0.01


def _leaky_relu(z: Array, out: Array) -> Array:
    return np.maximum(z, _LEAK * z, out=out)


def _leaky_relu_and_slope(z: Array, out: Array, slope: Array) -> None:
    np.copyto(slope, z > 0)
    np.multiply(slope, 1 - _LEAK, out=slope)
    np.add(slope, _LEAK, out=slope)
    np.multiply(z, slope, out=out)


def _exp_below(z: Array) -> Array:
    """Return exp(z) below 0 and exactly 1 above, in a new array.

    ``exp(z) - 1`` takes a sixth of ``expm1``, and its error is half a unit in the last
    place of 1.
    """
    below = np.minimum(z, _ZERO[z.dtype])
    return np.exp(below, out=below)


def _elu(z: Array, out: Array) -> Array:
    below = _exp_below(z)
    np.subtract(below, 1, out=below)
    np.maximum(z, _ZERO[z.dtype], out=out)
    return np.add(out, below, out=out)


def _elu_and_slope(z: Array, out: Array, slope: Array) -> None:
    below = _exp_below(z)
    np.copyto(slope, below)
    np.subtract(below, 1, out=below)
    np.maximum(z, _ZERO[z.dtype], out=out)
    np.add(out, below, out=out)


# The fixed point of mean 0 and variance 1: Klambauer et al., "Self-normalizing neural
# networks", NeurIPS 2017, equation 14.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _selu(z: Array, out: Array) -> Array:
    below = _exp_below(z)
    np.multiply(below, _SELU_SCALE * _SELU_ALPHA, out=below)
    return _add_selu(z, below, out)


def _selu_and_slope(z: Array, out: Array, slope: Array) -> None:
    above = np.greater(z, _ZERO[z.dtype])
    below = _exp_below(z)
    np.multiply(below, _SELU_SCALE * _SELU_ALPHA, out=below)
    np.copyto(slope, above)
    # Above 0, `below` is the constant that the scale replaces.
    np.multiply(slope, _SELU_SCALE - _SELU_SCALE * _SELU_ALPHA, out=slope)
    np.add(slope, below, out=slope)
    _add_selu(z, below, out)


def _add_selu(z: Array, below: Array, out: Array) -> Array:
    np.subtract(below, z.dtype.type(_SELU_SCALE * _SELU_ALPHA), out=below)
    np.maximum(z, _ZERO[z.dtype], out=out)
    np.multiply(out, _SELU_SCALE, out=out)
    return np.add(out, below, out=out)


def _normal_density(z: Array) -> Array:
    density = np.clip(z, -40, 40)  # it is 0 from there on
    np.square(density, out=density)
    np.multiply(density, -0.5, out=density)
    np.exp(density, out=density)
    return np.multiply(density, 1 / math.sqrt(2 * math.pi), out=density)


# Below 0 the normal distribution function is the density times Mills' ratio, here a
# polynomial in 1 / (1 + 0.26 |z|) from the lowest power on, fitted to 5e-9 of the ratio
# where single precision holds the density.
_MILLS = (
    *(-1.795715134139675e-05, 0.2604551251097269, 0.25496371266033085),
    *(0.2744256294166897, 0.07823653097392583, 0.5016017667109995),
    *(-0.5033383055192295, 0.7293695539765681, -0.4274211915885663),
    0.08503927954004949,
)


def _normal_distribution(z: Array, density: Array | None = None) -> Array:
    """Return the standard normal distribution function in a new array.

    In single precision to 2e-7, in a third of the time of SciPy's, from the density.
    """
    if z.dtype != np.float32:
        return ndtr(z)
    if density is None:
        density = _normal_density(z)
    t = np.abs(z)
    np.multiply(t, 0.26, out=t)
    np.add(t, 1, out=t)
    np.divide(1, t, out=t)
    below = np.multiply(t, _MILLS[-1])
    for coefficient in _MILLS[-2:0:-1]:
        np.add(below, coefficient, out=below)
        np.multiply(below, t, out=below)
    np.add(below, _MILLS[0], out=below)
    np.multiply(below, density, out=below)
    # 1 - below for z > 0: what is signed as z is taken from 1 there, from 0 elsewhere.
    np.copysign(below, z, out=below)
    np.copyto(t, ~np.signbit(z))
    return np.subtract(t, below, out=t)


def _gelu(z: Array, out: Array) -> Array:
    return np.multiply(z, _normal_distribution(z), out=out)


def _gelu_and_slope(z: Array, out: Array, slope: Array) -> None:
    density = _normal_density(z)
    distribution = _normal_distribution(z, density)
    np.multiply(density, z, out=density)
    np.add(density, distribution, out=slope)
    np.multiply(z, distribution, out=out)


def _silu(z: Array, out: Array) -> Array:
    return np.multiply(z, expit(z), out=out)


def _silu_and_slope(z: Array, out: Array, slope: Array) -> None:
    expit(z, out=slope)
    np.multiply(z, slope, out=out)
    rest = (1 - slope) * out
    np.add(slope, rest, out=slope)


def _mish(z: Array, out: Array) -> Array:
    # tanh(log(1 + e^z)) = w / (w + 2) with w = e^z (e^z + 2); from 20 on it is 1.
    e = np.minimum(z, 20)
    np.exp(e, out=e)
    w = np.add(e, 2)
    np.multiply(w, e, out=w)
    np.add(w, 2, out=e)
    np.divide(w, e, out=w)
    return np.multiply(z, w, out=out)


def _mish_and_slope(z: Array, out: Array, slope: Array) -> None:
    e = np.minimum(z, 20)
    np.exp(e, out=e)
    t, rest = np.add(e, 2), np.add(e, 1)
    np.multiply(t, e, out=t)
    np.divide(e, rest, out=e)  # the logistic function
    np.add(t, 2, out=rest)
    np.divide(t, rest, out=t)  # the hyperbolic tangent, as in _mish
    np.multiply(t, t, out=rest)
    np.subtract(1, rest, out=rest)
    np.multiply(rest, e, out=rest)
    np.multiply(rest, z, out=rest)
    np.add(rest, t, out=slope)
    np.multiply(z, t, out=out)


def _softplus(z: Array, out: Array) -> Array:
    return _add_softplus(z, *_exp_of_minus_abs(z), out)


def _softplus_and_slope(z: Array, out: Array, slope: Array) -> None:
    e, u = _exp_of_minus_abs(z)
    # The logistic function: 1 / (1 + e) above 0 and e / (1 + e) below.
    np.copyto(slope, np.greater(z, _ZERO[z.dtype]))
    np.maximum(slope, e, out=slope)
    np.divide(slope, u, out=slope)
    _add_softplus(z, e, u, out)


def _exp_of_minus_abs(z: Array) -> tuple[Array, Array]:
    """Return e = exp(-|z|) and 1 + e, in new arrays."""
    e = np.abs(z)
    np.negative(e, out=e)
    np.exp(e, out=e)
    return e, np.add(e, 1)


def _add_softplus(z: Array, e: Array, u: Array, out: Array) -> Array:
    """Write max(z, 0) + log(1 + e) to `out`; `u` is overwritten.

    ``log1p`` takes several times as long as ``log`` and what makes up for the digits
    that the sum ``u`` has lost: log(1 + e) = log(u) + (e - (u - 1)) / u, the first two
    terms of the series.
    """
    lost = np.subtract(u, 1)
    np.subtract(e, lost, out=lost)
    np.divide(lost, u, out=lost)
    np.log(u, out=u)
    np.add(u, lost, out=u)
    np.maximum(z, _ZERO[z.dtype], out=out)
    return np.add(out, u, out=out)


ACTIVATIONS: dict[str, Activation] = {
    row.name: row
    for row in (
        Activation("identity", _identity, _identity_and_slope),
        Activation("logistic", _logistic, _logistic_and_slope),
        Activation("tanh", _tanh, _tanh_and_slope),
        Activation("relu", _relu, _relu_and_slope),
        Activation("leaky_relu", _leaky_relu, _leaky_relu_and_slope),
        Activation("elu", _elu, _elu_and_slope),
        Activation("selu", _selu, _selu_and_slope),
        Activation("gelu", _gelu, _gelu_and_slope),
        Activation("silu", _silu, _silu_and_slope),
        Activation("mish", _mish, _mish_and_slope),
        Activation("softplus", _softplus, _softplus_and_slope),
    )
}
