"""What a layer is: it declares parameters, goes forward and back, holds no array."""

from __future__ import annotations

import numbers
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, ClassVar

from sknn._array import Array
from sknn._params import check_in_range
from sknn.initializers import Fan, Initializer
from sknn.tape import Tape

Views = dict[str, Any]


@dataclass(frozen=True)
class Param:
    """Declaration of one parameter of a layer; the network allocates it.

    Parameters
    ----------
    name : str
        Name within the layer; ``"0.W"`` is the parameter `W` of the child `0`.
    shape : tuple of int
        Shape for one network; a stack adds axes in front.
    init : Initializer
        How it starts.
    fan : tuple of int
        Inputs and outputs of the layer; an intercept has its kernel's.
    penalized : bool, default=True
        Whether the L2 penalty applies.
    trainable : bool, default=True
        Whether training changes it.
    buffer : bool, default=False
        Whether it is a statistic of the data, which has no gradient.
    lr_factor : float, default=1.0
        What the learning rate is multiplied by for it, beside the layer's own factor.
    """

    name: str
    shape: tuple[int, ...]
    init: Initializer
    fan: Fan
    penalized: bool = True
    trainable: bool = True
    buffer: bool = False
    lr_factor: float = 1.0


@dataclass(frozen=True, repr=False)
class Layer:
    """Base of all layers: a frozen description without arrays.

    Between forward and backward a layer may keep arrays on the tape it was given; the
    same layer object can therefore serve several passes at once.

    Parameters
    ----------
    trainable : bool, default=True
        Whether training changes the layer's parameters; False freezes them, and those
        of all layers within.
    lr_factor : float, default=1.0
        What the learning rate is multiplied by for the layer's parameters, and for
        those of all layers within beside their own factors; 0 or more. Decoupled
        weight decay, which is a share of the rate, is multiplied with it. L-BFGS has no
        rate and knows no factors.
    """

    trainable: bool = field(default=True, kw_only=True)
    lr_factor: float = field(default=1.0, kw_only=True)

    #: Whether the layer's output may be written over by the layer after it.
    output_is_free: ClassVar[bool] = False
    #: Whether `backward` leaves `dy` as it is.
    keeps_dy: ClassVar[bool] = False
    #: Whether the layer takes a sparse matrix.
    accepts_sparse: ClassVar[bool] = False

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        raise NotImplementedError

    def forward(self, x: Any, p: Views, tape: Tape) -> Array:
        """Return the output for input `x` of shape (..., n_samples, n_in)."""
        raise NotImplementedError

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return the gradient by the input, from `dy`, the gradient by the output.

        Gradients by parameters are written to `g` unless it is None. `dy` may be
        written over. Without `need_dx` the input's gradient is not computed.
        """
        raise NotImplementedError

    def adapt(self, x: Any, p: Views) -> None:
        """Set parameters in `p` that start from the training data `x`, in place."""

    def update_buffers(self, p: Views, tape: Tape, share: float | None = None) -> None:
        """Move running statistics in `p` by the batch that `tape` went forward with.

        `share` is the weight of the batch; None takes the layer's own.
        """

    def children(self) -> tuple[tuple[str, Layer], ...]:
        """Return the layers within this one, each with its name."""
        return ()

    def __repr__(self) -> str:
        """Return the call that makes the layer, without what is at its default."""
        shown = []
        for item in sorted(fields(self), key=lambda item: bool(item.kw_only)):
            value = getattr(self, item.name)
            if item.default is MISSING and item.default_factory is MISSING:
                shown.append(repr(value))
            elif value != _default(item):
                shown.append(f"{item.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _default(item: Any) -> Any:
    if item.default is not MISSING:
        return item.default
    return item.default_factory()


def declare(layer: Layer, n_in: int, prefix: str = "") -> tuple[list[Param], int]:
    """Return what `layer` declares: names prefixed, frozen and sped up as the layer."""
    check_in_range(layer, "lr_factor", 0.0)
    params, n_out = layer.build(n_in)
    return [
        replace(
            p,
            name=prefix + p.name,
            trainable=p.trainable and layer.trainable,
            lr_factor=p.lr_factor * layer.lr_factor,
        )
        for p in params
    ], n_out


def check_count(layer: Layer, name: str) -> None:
    """Raise ValueError unless the field `name` is an int of at least 1."""
    value = getattr(layer, name)
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ValueError(
            f"The {name!r} parameter of {type(layer).__name__} must be an int of at "
            f"least 1. Got {value!r} instead."
        )
    check_in_range(layer, name, 1)


__all__ = [
    "Layer",
    "Param",
    "Views",
    "check_count",
    "check_in_range",
    "declare",
]
