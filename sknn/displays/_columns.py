"""From layers to the columns of a picture: units, what is computed, and arcs.

Elementwise layers are lines of text at the column whose units they work on; a column is
what has units of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sknn._array import Array
from sknn.displays.weights import kernel_of
from sknn.estimators._architecture import Part
from sknn.layers import (
    PBLD,
    PLR,
    Activation,
    BatchNorm,
    Columns,
    Dense,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    MonotonicActivation,
    PiecewiseLinear,
    Residual,
    Scale,
)

_ENCODERS = (Columns, Embedding, PLR, PBLD, PiecewiseLinear)
_IN_PLACE = (Activation, BatchNorm, Dropout, LayerNorm, MonotonicActivation, Scale)


@dataclass(frozen=True)
class Column:
    """Units that stand below one another.

    Parameters
    ----------
    name : str
        What they are called.
    n_units : int
        Their number.
    n_parameters : int or None, default=None
        Numbers that their layers learn; None for the input, which has no layer.
    steps : sequence of str, default=()
        What is computed on the way to them and with them, in this order.
    kernel : ndarray of shape (units before, n_units) or None, default=None
        Weights of the links from the column before.
    origins : ndarray of shape (n_units,) or None, default=None
        The unit of the column before that each unit comes from, where it is one.
    is_encoder : bool, default=False
        Whether the units are made from single inputs.
    unit_names : sequence of str or None, default=None
        Names of the units.
    n_layers : int, default=1
        Number of columns that this one stands for.

    Examples
    --------
    >>> from sknn.displays import Column, NetworkDisplay
    >>> display = NetworkDisplay([Column("Input", 4), Column("Output", 2, 10)]).plot()
    >>> [len(units.get_offsets()) for units in display.units_]
    [4, 2]
    """

    name: str
    n_units: int
    n_parameters: int | None = None
    steps: Sequence[str] = ()
    kernel: Array | None = None
    origins: Array | None = None
    is_encoder: bool = False
    unit_names: Sequence[str] | None = None
    n_layers: int = 1


@dataclass(frozen=True)
class Arc:
    """A path around layers.

    Parameters
    ----------
    start, stop : int
        Indices of the columns where it begins and ends.
    is_projected : bool, default=False
        Whether a kernel stands on the path, because the widths differ.

    Examples
    --------
    >>> from sknn.displays import Arc, Column, NetworkDisplay
    >>> columns = [Column(name, 3) for name in ("Input", "Hidden", "Output")]
    >>> display = NetworkDisplay(columns, [Arc(0, 2)]).plot()
    >>> len(display.arcs_)
    1
    """

    start: int
    stop: int
    is_projected: bool = False


@dataclass
class Layout:
    """Columns and arcs while they are collected."""

    columns: list[Column]
    arcs: list[Arc] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    n_waiting: int = 0

    def add(self, parts: Sequence[Part], begins_block: bool = False) -> None:
        """Add layers that follow one another."""
        for part in parts:
            if isinstance(part.layer, Residual) and _has_units(part):
                self._add_block(part)
                begins_block = False
            elif _has_units(part):
                self._add_column(part)
                begins_block = False
            elif begins_block:
                # The way around the block does not pass through it.
                self.waiting.append(words(part.layer))
                self.n_waiting += part.n_parameters or 0
            else:
                self._extend_last(words(part.layer), part.n_parameters or 0)

    def _add_block(self, part: Part) -> None:
        start = len(self.columns) - 1
        self.add(part.children, begins_block=True)
        stop = len(self.columns) - 1
        within = sum(child.n_parameters or 0 for child in part.children)
        projection = (part.n_parameters or 0) - within
        last = self.columns[-1]
        count = (last.n_parameters or 0) + projection
        self.columns[-1] = replace(last, n_parameters=count)
        self.arcs.append(Arc(start, stop, projection > 0))

    def _add_column(self, part: Part) -> None:
        layer = part.layer
        name = words(layer)
        self.columns.append(
            Column(
                name,
                int(part.n_out or 0),
                (part.n_parameters or 0) + self.n_waiting,
                (*self.waiting, *_steps(part)),
                kernel_of(part) if isinstance(layer, Dense) and part.views else None,
                _origins(part),
                isinstance(layer, _ENCODERS),
            )
        )
        self.waiting, self.n_waiting = [], 0

    def _extend_last(self, step: str, n_parameters: int) -> None:
        last = self.columns[-1]
        count = last.n_parameters
        if n_parameters:
            count = (count or 0) + n_parameters
        steps = (*last.steps, step)
        self.columns[-1] = replace(last, steps=steps, n_parameters=count)


def lay_out(
    parts: Sequence[Part],
    n_inputs: int,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    link: str | None = None,
) -> tuple[list[Column], list[Arc]]:
    """Return the columns and arcs of a network from input to output."""
    layout = Layout([Column("Input", n_inputs, unit_names=input_names)])
    layout.add(parts)
    hidden = 0
    last = len(layout.columns) - 1
    for i, column in enumerate(layout.columns):
        if 0 < i < last and not column.is_encoder:
            hidden += 1
            layout.columns[i] = replace(column, name=f"Hidden {hidden}")
    if last:
        column = layout.columns[last]
        steps = column.steps if link in (None, "identity") else (*column.steps, link)
        layout.columns[last] = replace(
            column, name="Output", steps=steps, unit_names=output_names
        )
    return layout.columns, layout.arcs


def elide(
    columns: list[Column], arcs: list[Arc], max_layers: int
) -> tuple[list[Column], list[Arc]]:
    """Put one column in the place of those in the middle of a deep network."""
    if len(columns) <= max_layers:
        return columns, arcs
    first = max_layers // 2
    rest = max_layers - first - 1
    left_out = columns[first : len(columns) - rest]
    count = sum(column.n_parameters or 0 for column in left_out)
    units = {column.n_units for column in left_out}
    steps = {tuple(column.steps) for column in left_out}
    gap = Column(
        f"{len(left_out)} more",
        units.pop() if len(units) == 1 else 0,
        count,
        steps.pop() if len(steps) == 1 else (),
        n_layers=len(left_out),
    )
    shown = [*columns[:first], gap, *columns[len(columns) - rest :]]

    def place(i: int) -> int:
        return i if i < first else max(first, i - len(left_out) + 1)

    moved = [replace(a, start=place(a.start), stop=place(a.stop)) for a in arcs]
    kept = [arc for arc in moved if arc.start < arc.stop]
    # What comes behind the gap is linked with units that are not shown.
    behind = shown[first + 1]
    shown[first + 1] = replace(behind, kernel=None, origins=None)
    return shown, kept


def words(layer: Layer) -> str:
    """Return a layer's name in a few letters."""
    if isinstance(layer, Activation):
        return layer.name
    if isinstance(layer, MonotonicActivation):
        return f"{layer.name} (monotonic)"
    if isinstance(layer, Dropout):
        return f"dropout {layer.rate:g}"
    if isinstance(layer, Residual):
        return "+ " + ", ".join(words(child) for child in layer.layers)
    names = {BatchNorm: "batch norm", LayerNorm: "layer norm", Scale: "scale"}
    names |= {PiecewiseLinear: "piecewise linear", Columns: "encoding"}
    return names.get(type(layer), type(layer).__name__)


def _has_units(part: Part) -> bool:
    """Tell whether a layer, or one within, has units of its own."""
    layer = part.layer
    if isinstance(layer, Residual):
        return part.n_in != part.n_out or any(map(_has_units, part.children))
    if isinstance(layer, _IN_PLACE):
        return False
    return isinstance(layer, (Dense, *_ENCODERS)) or part.n_in != part.n_out


def _steps(part: Part) -> list[str]:
    """Return what a layer computes; of columns side by side, each of the ways."""
    if not isinstance(part.layer, Columns):
        return [words(part.layer)]
    as_is = any(layer is None for _, layer in part.layer.parts)
    steps = [words(child.layer) for child in part.children]
    return list(dict.fromkeys([*(["as they are"] if as_is else []), *steps]))


def _origins(part: Part) -> Array | None:
    find = getattr(part.layer, "origins", None)
    if find is None or isinstance(part.layer, Dense):
        return None
    try:
        return np.asarray(find(part.n_in))
    except ValueError:
        return None
