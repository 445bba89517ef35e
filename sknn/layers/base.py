"""What a layer is: it declares parameters, goes forward and back, holds no array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sknn._array import Array
from sknn.initializers import Fan, Initializer
from sknn.tape import Tape

Views = dict[str, Any]


@dataclass(frozen=True)
class Param:
    """Declaration of one parameter of a layer; the network allocates it.

    Parameters
    ----------
    name : str
        Name within the layer.
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
    """

    name: str
    shape: tuple[int, ...]
    init: Initializer
    fan: Fan
    penalized: bool = True
    trainable: bool = True


@dataclass(frozen=True)
class Layer:
    """Base of all layers: a frozen description without arrays.

    Between forward and backward a layer may keep arrays on the tape it was given; the
    same layer object can therefore serve several passes at once.
    """

    #: Whether the layer's output may be written over by the layer after it.
    output_is_free: ClassVar[bool] = False

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
