"""The fully connected layer, for dense and for sparse input."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from sknn._array import Array, cross, matmul, transpose
from sknn.initializers import Glorot, Initializer
from sknn.layers.base import Layer, Param, Views, check_count
from sknn.tape import Tape

# Of intercepts under ``parametrization='ntk'``, as a share of the learning rate.
_BIAS_RATE = 0.1


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    r"""Fully connected layer, :math:`y = x W + b`.

    Shape: ``(n, n_in) → (n, units)``.

    Parameters
    ----------
    units : int
        Number of outputs.
    kernel_init : Initializer, default=Glorot()
        How `W` of shape (n_in, units) starts.
    bias_init : Initializer, default=Glorot()
        How `b` of shape (1, units) starts; drawn after `W`.
    trainable : bool, default=True
        Whether training changes `W` and `b`.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.
    parametrization : {'standard', 'ntk'}, default='standard'
        'ntk' divides the learning rate of `W` by the root of `n_in`, and that of `b` by
        ten. With kernels of variance ``1 / n_in`` at the start, one rate then suits
        layers of all widths under Adam and its kin.

    Notes
    -----
    The neural tangent parametrisation is :math:`y = x V / \sqrt{n_{in}} + b` with
    normal `V`. Under an optimiser that divides gradients by their size a step of `V` is
    a step of :math:`W = V / \sqrt{n_{in}}` at a rate divided by the same root, which is
    how it is done here: kernels are what they are with either.

    References
    ----------
    Jacot, Gabriel & Hongler, "Neural tangent kernel", NeurIPS 2018, section 2;
    Holzmüller, Grinsztajn & Steinwart, "Better by default", NeurIPS 2024, section 3,
    for the rate of intercepts.
    """

    units: int
    kernel_init: Initializer = field(default_factory=Glorot)
    bias_init: Initializer = field(default_factory=Glorot)
    parametrization: str = field(default="standard", kw_only=True)

    output_is_free: ClassVar[bool] = True
    keeps_dy: ClassVar[bool] = True
    accepts_sparse: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the number of units and the parametrisation."""
        check_count(self, "units")
        for name in ("kernel_init", "bias_init"):
            rule = getattr(self, name)
            if not callable(rule) or isinstance(rule, type):
                raise ValueError(
                    f"The {name!r} parameter of Dense must be an object from "
                    f"sknn.initializers. Got {rule!r} instead."
                )
        if self.parametrization not in ("standard", "ntk"):
            raise ValueError(
                "The 'parametrization' parameter of Dense must be 'standard' or 'ntk'. "
                f"Got {self.parametrization!r} instead."
            )

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        # as scikit-learn: an intercept draws with its kernel's fan; see tests/parity
        fan = (n_in, self.units)
        kernel = Param("W", fan, self.kernel_init, fan)
        bias = Param("b", (1, self.units), self.bias_init, fan, penalized=False)
        if self.parametrization == "ntk":
            kernel = replace(kernel, lr_factor=n_in**-0.5)
            bias = replace(bias, lr_factor=_BIAS_RATE)
        return (kernel, bias), self.units

    def forward(self, x: Any, p: Views, tape: Tape) -> Array:
        """Return ``x @ W + b``; `x` may be sparse."""
        W, b = p["W"], p["b"]
        tape.saved = x
        z = tape.product("z", x, W)
        matmul(x, W, z)
        return np.add(z, b, out=z)

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return ``dy @ W.T``; write ``x.T @ dy`` and the column sums of `dy`."""
        W = p["W"]
        if g is not None and self.trainable:
            cross(tape.saved, dy, g["W"])
            matmul(tape.ones((1, dy.shape[-2]), dy), dy, g["b"])
        if not need_dx:
            return None
        W_T = transpose(W)
        return matmul(dy, W_T, tape.product("dx", dy, W_T))
