"""Columns: each part of the input through a layer of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from sknn._array import Array
from sknn.layers.activation import Activation
from sknn.layers.base import Layer, Param, Views, declare
from sknn.layers.containers import adapts
from sknn.layers.dropout import Dropout
from sknn.layers.normalization import BatchNorm
from sknn.tape import Tape

Indices = tuple[int, ...]
Part = tuple[Indices, Layer | None]

# Layers without `origins` whose output j comes from input j.
_COLUMNWISE = (Activation, BatchNorm, Dropout)


@dataclass(frozen=True, repr=False)
class Columns(Layer):
    r"""Parts of the columns through layers of their own, side by side.

    :math:`y = (F_0(x_{J_0}), F_1(x_{J_1}), \dots)` with the columns :math:`J_i` and the
    layer :math:`F_i` of each part, in the order of the parts. A column may stand in
    several parts, whose gradients add up, or in none.

    Shape: ``(n, n_in) → (n, sum of the parts' outputs)``.

    Parameters
    ----------
    parts : sequence of (columns, Layer or None)
        The columns of each part as a sequence of ints from 0, or as a slice that says
        where it stops; None passes them on unchanged. Neighbouring columns in ascending
        order are not copied.
    trainable : bool, default=True
        Whether training changes the parameters of the layers.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.
    """

    parts: Sequence[tuple[Any, Layer | None]]

    output_is_free: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the parts; make tuples of their columns; freeze them with the layer."""
        parts = _as_parts(self.parts)
        if not self.trainable:
            parts = tuple(
                (indices, layer and replace(layer, trainable=False))
                for indices, layer in parts
            )
        object.__setattr__(self, "parts", parts)

    def children(self) -> tuple[tuple[str, Layer], ...]:
        """Return the layers of the parts, named by the index of their part."""
        return tuple(
            (str(i), layer) for i, (_, layer) in enumerate(self.parts) if layer
        )

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        self._check_columns(n_in)
        params: list[Param] = []
        n_out = 0
        for i, (indices, layer) in enumerate(self.parts):
            width = len(indices)
            if layer is not None:
                declared, width = declare(layer, width, f"{i}.")
                params += declared
            n_out += width
        return tuple(params), n_out

    def forward(self, x: Array, p: Views, tape: Tape) -> Array:
        """Return the outputs of all parts, side by side."""
        outputs = []
        for i, indices, layer, own in self._walk(tape):
            part = _select(x, indices, tape, f"x{i}")
            if layer is not None:
                own.reuse_input = False  # other parts may read it, too
                part = layer.forward(part, p.get(str(i), {}), own)
            outputs.append(part)
        ends = np.cumsum([part.shape[-1] for part in outputs]).tolist()
        tape.saved = x.shape[-1], ends
        lead = np.broadcast_shapes(*(part.shape[:-1] for part in outputs))
        y = tape.empty("y", (*lead, ends[-1]), x)
        for part, start, end in zip(outputs, [0, *ends], ends, strict=False):
            y[..., start:end] = part
        return y

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return the sum of all parts' gradients; `dy` may be written over."""
        n_in, ends = tape.saved
        dx = None
        if need_dx:
            dx = tape.empty("dx", (*dy.shape[:-1], n_in), dy)
            dx.fill(0.0)
        for i, indices, layer, own in self._walk(tape):
            d: Any = dy[..., ends[i - 1] if i else 0 : ends[i]]
            if layer is not None:
                gradients = None if g is None else g.get(str(i), {})
                d = layer.backward(d, p.get(str(i), {}), gradients, own, need_dx)
            if dx is not None:
                _add(dx, indices, d)
        return dx

    def adapt(self, x: Any, p: Views) -> None:
        """Let the layers of the parts set what starts from the training data."""
        for i, (indices, layer) in enumerate(self.parts):
            if layer is not None and adapts(layer):
                layer.adapt(_select(x, indices), p.get(str(i), {}))

    def origins(self, n_in: int) -> Array:
        """Return the input column of each output.

        Raises
        ------
        ValueError
            If the layer of a part mixes its columns.
        """
        self._check_columns(n_in)
        found = [np.array(i)[_origins(layer, len(i))] for i, layer in self.parts]
        return np.concatenate(found)

    def _walk(self, tape: Tape) -> Iterator[tuple[int, Indices, Any, Any]]:
        """Yield index, columns, layer and tape of each part."""
        tapes = iter(tape.layers(len(self.children())))
        for i, (indices, layer) in enumerate(self.parts):
            yield i, indices, layer, None if layer is None else next(tapes)

    def _check_columns(self, n_in: int) -> None:
        last = max(max(indices) for indices, _ in self.parts)
        if last >= n_in:
            raise ValueError(
                f"The 'parts' parameter of Columns must name columns from 0 to "
                f"{n_in - 1}. Got {last} instead."
            )


def _as_range(indices: Indices) -> slice | None:
    """Return the slice of neighbouring columns; None where they are not."""
    start, stop = indices[0], indices[-1] + 1
    return slice(start, stop) if indices == tuple(range(start, stop)) else None


def _select(
    x: Array, indices: Indices, tape: Tape | None = None, name: str = ""
) -> Any:
    """Return these columns of `x`: a view where they are neighbours."""
    neighbours = _as_range(indices)
    if neighbours is not None:
        return x[..., neighbours]
    out = None
    if tape is not None:
        out = tape.empty(name, (*x.shape[:-1], len(indices)), x)
    # Without "clip" NumPy gathers into a copy; `build` has checked the columns.
    return np.take(x, indices, axis=-1, out=out, mode="clip")


def _add(dx: Array, indices: Indices, d: Array) -> None:
    """Add `d` to these columns of `dx`, to one that is named twice both times."""
    neighbours = _as_range(indices)
    if neighbours is not None:
        dx[..., neighbours] += d
    elif len(set(indices)) == len(indices):
        dx[..., list(indices)] += d
    else:
        at: Any = (..., list(indices))
        np.add.at(dx, at, d)


def _origins(layer: Layer | None, n_in: int) -> Array:
    known = getattr(layer, "origins", None)
    if known is not None:
        return known(n_in)
    if layer is None or isinstance(layer, _COLUMNWISE):
        return np.arange(n_in)
    raise ValueError(
        f"Outputs of Columns have origins where each comes from one column; "
        f"{layer!r} mixes them."
    )


def _as_parts(given: Any) -> tuple[Part, ...]:
    try:
        parts = tuple((_as_indices(indices), layer) for indices, layer in given)
    except (TypeError, ValueError):
        parts = ()
    right = all(i and (f is None or isinstance(f, Layer)) for i, f in parts)
    if not parts or not right:
        raise ValueError(
            "The 'parts' parameter of Columns must be a list of at least one pair of "
            "columns and layer (or None), such as [([0, 3], Embedding((5, 9))), "
            "(slice(1, 3), None)], with columns as ints from 0 or a slice that says "
            f"where it stops. Got {given!r} instead."
        )
    return parts


def _as_indices(given: Any) -> Indices:
    if isinstance(given, slice):
        given = range(given.start or 0, given.stop, given.step or 1)
    indices = tuple(int(i) for i in given)
    for i, g in zip(indices, given, strict=True):
        if i != g or i < 0 or isinstance(g, bool | np.bool_):
            raise ValueError(f"columns are ints from 0, got {g!r}")
    return indices
