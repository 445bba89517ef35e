"""Dropout: random silence in training, nothing at prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.layers.base import Layer, Param, Views, check_in_range
from sknn.tape import Tape

# Random bytes per unit, with the number of levels that they tell apart.
_LEVELS = {"<u1": 1 << 8, "<u2": 1 << 16}


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """Inverted dropout: outputs are zero with probability `rate`, else scaled up.

    The scale keeps the expected output, so that prediction is the identity. The rate
    is rounded to a multiple of 1 / 65536; multiples of 1 / 256, such as 0.125 or 0.5,
    need half as many random bytes.

    Shape: ``(n, n_in) → (n, n_in)``.

    Parameters
    ----------
    rate : float
        Share of outputs that are dropped, in [0, 1).
    trainable : bool, default=True
        Has no effect: there is nothing to train.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.

    References
    ----------
    Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15, 2014, section 10 (the inverted form).
    """

    rate: float

    output_is_free: ClassVar[bool] = True
    accepts_sparse: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the rate."""
        check_in_range(self, "rate", 0.0, 1.0)

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        return (), n_in

    def forward(self, x: Any, p: Views, tape: Tape) -> Any:
        """Return `x`, in training with random entries zero and the rest scaled.

        Of a sparse matrix only stored entries are dropped: the others are zero anyway.
        """
        if not tape.training:
            return x
        if not isinstance(x, np.ndarray) and sparse.issparse(x):
            kept = x.data * self._draw_mask(x.data[:, None], tape)[:, 0]
            return type(x)((kept, x.indices, x.indptr), shape=x.shape)
        tape.saved = self._draw_mask(x, tape)
        out = x if tape.reuse_input else tape.empty("y", x.shape, x)
        return np.multiply(x, tape.saved, out=out)

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return `dy` times the mask of the forward pass, written over `dy`."""
        if need_dx and tape.training:
            np.multiply(dy, tape.saved, out=dy)
        return dy if need_dx else None

    def _draw_mask(self, x: Array, tape: Tape) -> Array:
        assert tape.rng is not None
        # Two random bytes per unit cost a quarter of a random double.
        kind = "<u1" if self.rate * _LEVELS["<u1"] % 1 == 0 else "<u2"
        levels = _LEVELS[kind]
        dropped = min(round(self.rate * levels), levels - 1)
        length = x.size * np.dtype(kind).itemsize
        draws = np.frombuffer(tape.rng.bytes(length), dtype=kind)
        mask = tape.empty("mask", x.shape, x)
        np.copyto(mask, draws.reshape(x.shape) >= dropped)
        return np.multiply(mask, levels / (levels - dropped), out=mask)
