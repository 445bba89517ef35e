"""Activation functions as operators, one row per function in ACTIVATIONS.

Most are composed of a few operators, with the formulas of `sknn.activations`:
onnxruntime has no Elu, Selu, Softplus or Erf for float64, and its Sigmoid is exact to
1e-16, not to 16 digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import erfcx

from sknn.activations import _LEAK, _SELU_ALPHA, _SELU_SCALE
from sknn.export._graph import Tensor

__all__ = ["ACTIVATION_RULES", "logistic", "softplus"]


def logistic(z: Tensor) -> Tensor:
    """Return 1 / (1 + e^-z), to all digits where it is small, too."""
    return 1 / ((-z).apply("Exp") + 1)


def _sigmoid(z: Tensor) -> Tensor:
    return z.apply("Sigmoid") if z.dtype == np.float32 else logistic(z)


def _leaky_relu(z: Tensor) -> Tensor:
    return z.maximum(z * _LEAK)


def _exp_below(z: Tensor) -> Tensor:
    """Return exp(z) below 0 and 1 above."""
    return z.minimum(0).apply("Exp")


def _elu(z: Tensor) -> Tensor:
    return z.maximum(0) + (_exp_below(z) - 1)


def _selu(z: Tensor) -> Tensor:
    scale = _SELU_SCALE * _SELU_ALPHA
    return z.maximum(0) * _SELU_SCALE + (_exp_below(z) * scale - scale)


def _gelu(z: Tensor) -> Tensor:
    if z.dtype == np.float32:
        return z * (((z * math.sqrt(0.5)).apply("Erf") + 1) * 0.5)
    return z * _normal_distribution(z)


# erfcx(_STRETCH (1 + u) / (1 - u)) is smooth in u: a short polynomial gives all of it.
_STRETCH, _DEGREE = 3.75, 27


@lru_cache(maxsize=1)
def _erfcx_polynomial() -> tuple[float, ...]:
    """Return coefficients of ``erfcx(t) * (1 + 2 t)`` by powers of u, from the first.

    References
    ----------
    Shepherd & Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <=
    x < ∞", Mathematics of Computation 36, 1981.
    """

    def scaled(u: Any) -> Any:
        t = _STRETCH * (1 + u) / (1 - u)
        return erfcx(t) * (1 + 2 * t)

    series: Any = chebyshev.chebinterpolate(scaled, _DEGREE)
    return tuple(chebyshev.cheb2poly(series).tolist())


def _normal_distribution(z: Tensor) -> Tensor:
    """Return the normal distribution function, to a unit of float64 or two."""
    t = abs(z) * math.sqrt(0.5)
    u = (t - _STRETCH) / (t + _STRETCH)
    *rest, last = _erfcx_polynomial()
    value = u * last
    for coefficient in rest[:0:-1]:
        value = (value + coefficient) * u
    value = (value + rest[0]) / (t * 2 + 1)
    tail = value * (-(t * t)).apply("Exp") * 0.5
    return z.graph.where(z < 0, tail, 1 - tail, z)


def _silu(z: Tensor) -> Tensor:
    return z * _sigmoid(z)


def _mish(z: Tensor) -> Tensor:
    e = z.minimum(20).apply("Exp")
    w = (e + 2) * e
    return z * (w / (w + 2))


def softplus(z: Tensor) -> Tensor:
    """Return log(1 + e^z)."""
    return z.maximum(0) + ((-abs(z)).apply("Exp") + 1).apply("Log")


ACTIVATION_RULES: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z,
    "logistic": _sigmoid,
    "tanh": lambda z: z.apply("Tanh"),
    "relu": lambda z: z.apply("Relu"),
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "gelu": _gelu,
    "silu": _silu,
    "mish": _mish,
    "softplus": softplus,
}
