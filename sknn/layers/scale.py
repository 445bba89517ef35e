"""A factor for each input, trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sknn._array import Array, matmul
from sknn.initializers import Ones
from sknn.layers.base import Layer, Param, Views
from sknn.tape import Tape


@dataclass(frozen=True, repr=False)
class Scale(Layer):
    r"""A trained factor for each input, :math:`y = s \odot x`.

    In front of the first kernel it lets training turn single inputs up and down, by a
    high `lr_factor` faster than the kernel could.

    Shape: ``(n, n_in) → (n, n_in)``.

    Parameters
    ----------
    trainable : bool, default=True
        Whether training changes `s`, which starts at 1.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024, section 3, "scaling layer".
    """

    output_is_free: ClassVar[bool] = True

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        return (Param("s", (1, n_in), Ones(), (n_in, n_in), penalized=False),), n_in

    def forward(self, x: Array, p: Views, tape: Tape) -> Array:
        """Return ``s * x``."""
        tape.saved = x
        return np.multiply(x, p["s"], out=tape.product("y", x, p["s"]))

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return ``s * dy``, written over `dy`; sum ``x * dy`` over the samples."""
        if g is not None and self.trainable:
            moved = np.multiply(tape.saved, dy, out=tape.empty("moved", dy.shape, dy))
            matmul(tape.ones((1, dy.shape[-2]), dy), moved, g["s"])
        return np.multiply(dy, p["s"], out=dy) if need_dx else None

    def origins(self, n_in: int) -> Array:
        """Return the input column of each output."""
        return np.arange(n_in)
