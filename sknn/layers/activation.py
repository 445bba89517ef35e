"""An activation function as a layer of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sknn._array import Array
from sknn.activations import ACTIVATIONS
from sknn.layers.base import Layer, Param, Views
from sknn.tape import Tape


@dataclass(frozen=True, repr=False)
class Activation(Layer):
    """Elementwise activation, :math:`y = f(x)`.

    Shape: ``(n, n_in) → (n, n_in)``.

    Parameters
    ----------
    name : str
        A name in ``sknn.activations.ACTIVATIONS``.
    trainable : bool, default=True
        Has no effect: there is nothing to train.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.
    """

    name: str

    output_is_free: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the name."""
        if not isinstance(self.name, str) or self.name not in ACTIVATIONS:
            raise ValueError(
                "The 'name' parameter of Activation must be one of "
                f"{sorted(ACTIVATIONS)}. Got {self.name!r} instead."
            )

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        return (), n_in

    def forward(self, x: Array, p: Views, tape: Tape) -> Array:
        """Return ``f(x)``, written over `x` where the tape allows it."""
        function = ACTIVATIONS[self.name]
        out = x if tape.reuse_input else tape.empty("y", x.shape, x)
        if not tape.recording:
            return function.value(x, out)
        tape.saved = tape.empty("slope", x.shape, x)
        function.value_and_slope(x, out, tape.saved)
        return out

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return ``dy * f'(x)``, written over `dy`."""
        return np.multiply(dy, tape.saved, out=dy) if need_dx else None
