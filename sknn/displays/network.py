"""NetworkDisplay: layers from left to right, units as circles, weights as links."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from sknn._array import Array
from sknn.displays._columns import Arc, Column, elide, lay_out
from sknn.displays._names import (
    given_names,
    input_names,
    output_names,
    shortened,
)
from sknn.displays._reading import COLOURS, GREY, OURS, axes, no_network, unwrap
from sknn.estimators._architecture import Architecture

_POSITIVE, _NEGATIVE = COLOURS[1], COLOURS[0]
_LONGEST_NAME = 18
_FEWEST_LETTERS = 8  # that a column has room for; with less there is no table


class NetworkDisplay:
    """The architecture of a network as a picture.

    Make one with `from_estimator`. Circles are units, squares are units that stand for
    an encoded input. In a network that is fitted, links are vermillion where the weight
    is positive and blue where it is negative, and their width is the weight's size
    beside the largest of its layer. The way around a residual block is an arc.

    Parameters
    ----------
    columns : sequence of Column
        Units of each layer, the input first.
    arcs : sequence of Arc, default=()
        Ways around blocks.
    max_units : int, default=8
        Most units drawn of one layer.
    title : str, default=""
        What the axes say above the picture.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the network is.
    figure_ : matplotlib Figure
        The figure around it.
    units_ : list of matplotlib PathCollection
        The units of each column; of one that stands for layers left out, its dots.
    links_ : list of matplotlib LineCollection
        The links in front of each column but the first.
    arcs_ : list of matplotlib FancyArrowPatch
        Ways around residual blocks.
    text_ : list of matplotlib Text
        Everything written: names of units, and the table below.

    See Also
    --------
    WeightsDisplay : The weights of one layer, all of them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.displays import NetworkDisplay
    >>> clf = MLPClassifier((5,), solver="lbfgs", max_iter=500, random_state=0)
    >>> display = NetworkDisplay.from_estimator(clf.fit(*load_iris(return_X_y=True)))
    >>> display.ax_.get_title()
    'MLPClassifier: 43 parameters'
    >>> [column.n_units for column in display.columns]
    [4, 5, 3]
    """

    def __init__(
        self,
        columns: Sequence[Column],
        arcs: Sequence[Arc] = (),
        *,
        max_units: int = 8,
        title: str = "",
    ) -> None:
        self.columns = list(columns)
        self.arcs = list(arcs)
        self.max_units = max_units
        self.title = title

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        max_units: int = 8,
        max_layers: int = 8,
        n_features: int | None = None,
        n_outputs: int | None = None,
        feature_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> NetworkDisplay:
        """Draw the architecture of an estimator.

        Parameters
        ----------
        estimator : estimator
            A network, fitted or not, or a pipeline or fitted search that ends with
            one. Of an ensemble the first network is drawn.
        max_units : int, default=8
            Most units drawn of one layer, from 3; of larger layers the first and the
            last are.
        max_layers : int, default=8
            Most columns drawn, from 3; those in the middle of deeper networks become
            one.
        n_features : int or None, default=None
            Number of inputs of a network that is not fitted.
        n_outputs : int or None, default=None
            Number of its outputs: 1 for two classes. Autoencoders have as many as
            inputs.
        feature_names : sequence of str or None, default=None
            Names of the inputs; None takes those that the estimator knows.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : NetworkDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the sizes of the network are not known.
        TypeError
            If the estimator is no network of this package.
        """
        _check_at_least(3, max_units=max_units, max_layers=max_layers)
        model = unwrap(estimator)
        if not isinstance(model, OURS):
            raise no_network(model)
        found = _described(model, n_features, n_outputs)
        assert found.n_inputs is not None
        names = given_names(feature_names, found.n_inputs)
        if names is None:
            names = input_names(estimator, model, found.n_inputs)
        outputs = output_names(model, found.parts[-1].n_out or 0)
        columns, arcs = lay_out(found.parts, found.n_inputs, names, outputs, found.link)
        columns, arcs = elide(columns, arcs, max_layers)
        display = cls(columns, arcs, max_units=max_units, title=_title(model, found))
        return display.plot(ax)

    def plot(self, ax: Any = None) -> NetworkDisplay:
        """Draw the network.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : NetworkDisplay
            The display.
        """
        n = len(self.columns)
        n_lines = 3 + max(len(column.steps) for column in self.columns)
        n_lines += 1 if self._has_signs else 0
        width = min(max(n + 2.0, 5.5), max(8.0, 0.7 * n + 2.0), 40.0)
        rows = max(map(self._n_rows, self.columns))
        self.ax_ = axes(ax, (width, max(3.2, 0.21 * rows + 1.0) + 0.15 * n_lines))
        self.figure_ = self.ax_.figure
        self.ax_.set_title(self.title)
        self.ax_.set_axis_off()
        if ax is None:
            self.figure_.draw_without_rendering()  # settles the size of the axes
        self.units_: list[Any] = []
        self.links_: list[Any] = []
        self.arcs_: list[Any] = []
        self.text_: list[Any] = []
        self._set_limits(n_lines)
        for x in range(1, n):
            self._draw_links(x)
        for x, column in enumerate(self.columns):
            self._draw_units(x, column)
        for arc in self.arcs:
            self._draw_arc(arc)
        if self._has_signs:
            self._explain_colours()
        if self._letters >= _FEWEST_LETTERS:
            self._write_head()
            for x, column in enumerate(self.columns):
                self._write_table(x, column)
        return self

    @property
    def _has_signs(self) -> bool:
        return any(column.kernel is not None for column in self.columns)

    # Places ------------------------------------------------------------------------

    def _set_limits(self, n_lines: int) -> None:
        """Leave room for names on both sides and for the table below."""
        box = self.ax_.get_window_extent()
        inches = self.figure_.dpi
        width, height = box.width / inches, box.height / inches
        n = len(self.columns)
        self._font = float(np.clip(7.2 * width / (n + 1.6) + 1.0, 6.0, 9.0))
        self._letter = letter = 0.56 * self._font / 72
        head = 11 + max(len(f"{self.columns[0].n_units:,}"), 5) / 2
        left, right = max(self._longest(0) + 2, head) * letter, 0.0
        if n > 1:
            right = (self._longest(n - 1) + 2) * letter
        room = max(width - max(left, 0.5) - max(right, 0.45), 0.3 * width)
        step = room / max(n - 1, 1)
        self._step, self._letters = step, int(step / letter)
        if self._letters < _FEWEST_LETTERS:
            n_lines = 1
        self.ax_.set_xlim(-max(left, 0.5) / step, n - 1 + max(right, 0.45) / step)
        line = 1.35 * self._font / 72
        share = min((n_lines + 0.6) * line / height, 0.6)
        arcs = 0.14 if self.arcs else 0.02
        units = 1 - share - arcs
        rows = max(self._n_rows(column) for column in self.columns)
        per_unit = units / max(rows, 2)
        bottom = -(rows - 1) / 2 - 0.5 - (share / per_unit)
        self.ax_.set_ylim(bottom, (rows - 1) / 2 + 0.5 + arcs / per_unit)
        self._table_top = -(rows - 1) / 2 - 0.5 - 0.3 * line / height / per_unit
        self._line = line / height / per_unit
        self._top = (rows - 1) / 2 + 0.5
        diameter = min(0.62 * per_unit * height, 0.42 * step, 0.32) * 72
        self._size = max(diameter, 2.0) ** 2

    def _longest(self, x: int) -> int:
        names = self.columns[x].unit_names
        if names is None:
            return 0
        shown = self._shown(self.columns[x])[0]
        return max(len(shortened(str(names[i]), _LONGEST_NAME)) for i in shown)

    def _n_rows(self, column: Column) -> int:
        return max(1, min(column.n_units, self.max_units))

    def _shown(self, column: Column) -> tuple[Array, Array]:
        """Return which units are drawn, and their heights."""
        n, most = column.n_units, self.max_units
        if n <= most:
            return np.arange(n), (n - 1) / 2 - np.arange(n)
        first = most // 2
        units = np.r_[:first, n - (most - 1 - first) : n]
        places = np.r_[:first, first + 1 : most]
        return units, (most - 1) / 2 - places

    # Drawing -----------------------------------------------------------------------

    def _draw_units(self, x: int, column: Column) -> None:
        units, y = self._shown(column)
        if column.n_layers > 1:
            dots = self.ax_.scatter(x + np.array([-0.15, 0, 0.15]), [0, 0, 0], 9, "k")
            self.units_.append(dots)
            return
        self.units_.append(
            self.ax_.scatter(
                np.full(len(units), float(x)),
                y,
                s=self._size,
                marker="s" if column.is_encoder else "o",
                facecolor="white" if x else "#dddddd",
                edgecolor="black",
                linewidth=0.9,
                zorder=3,
            )
        )
        if column.n_units > self.max_units:
            middle = (self.max_units - 1) / 2 - self.max_units // 2
            self._write(x, middle, "⋮", va="center", fontsize=self._font + 3)
        if column.unit_names is not None and x in (0, len(self.columns) - 1):
            self._name_units(x, column, units, y)

    def _name_units(self, x: int, column: Column, units: Array, y: Array) -> None:
        assert column.unit_names is not None
        away = (0.5 * self._size**0.5 + 4) / 72 / self._step
        side, ha = (-away, "right") if x == 0 else (away, "left")
        for i, at in zip(units, y, strict=True):
            text = shortened(str(column.unit_names[i]), _LONGEST_NAME)
            self._write(x + side, at, text, ha=ha, va="center")

    def _draw_links(self, x: int) -> None:
        from matplotlib.collections import LineCollection

        before, column = self.columns[x - 1], self.columns[x]
        i, y0 = self._shown(before)
        j, y1 = self._shown(column)
        kernel = None
        if before.n_layers > 1 or column.n_layers > 1:
            y0, y1 = (y if len(y) else np.zeros(1) for y in (y0, y1))
        elif column.kernel is not None:
            kernel = np.asarray(column.kernel)[np.ix_(i, j)]
        a, b = (part.ravel() for part in np.meshgrid(y0, y1, indexing="ij"))
        segments = [
            [(x - 1, start), (x, stop)] for start, stop in zip(a, b, strict=True)
        ]
        style: dict[str, Any] = {"colors": GREY, "linewidths": 0.5, "alpha": 0.6}
        if kernel is not None:
            style = _style_of(kernel.ravel(), np.abs(np.asarray(column.kernel)).max())
        elif column.origins is not None and before.n_layers == 1:
            comes_from = np.asarray(column.origins)[j] == i[:, None]
            segments = [
                s for s, own in zip(segments, comes_from.ravel(), strict=True) if own
            ]
            style |= {"linewidths": 0.8}
        links = LineCollection(segments, zorder=1, **style)
        self.links_.append(self.ax_.add_collection(links, autolim=False))

    def _draw_arc(self, arc: Arc) -> None:
        from matplotlib.patches import FancyArrowPatch

        heights = [
            (self._n_rows(column) - 1) / 2
            for column in self.columns[arc.start : arc.stop + 1]
        ]
        y = max(heights) + 0.45
        width = arc.stop - arc.start
        patch = FancyArrowPatch(
            (arc.start + 0.06, y),
            (arc.stop - 0.06, y),
            connectionstyle=f"arc3,rad={-0.28 / width**0.5}",
            arrowstyle="-|>",
            mutation_scale=8,
            linestyle="--" if arc.is_projected else "-",
            color=COLOURS[2],
            linewidth=1.4,
            zorder=2,
        )
        self.arcs_.append(self.ax_.add_patch(patch))

    # Words -------------------------------------------------------------------------

    def _write(self, x: float, y: float, text: str, **style: Any) -> None:
        base = {"ha": "center", "fontsize": self._font, "parse_math": False}
        style = {**base, **style}
        self.text_.append(self.ax_.text(x, y, text, **style))

    def _write_table(self, x: int, column: Column) -> None:
        if column.n_layers > 1:
            units = f"{column.n_units:,} each" if column.n_units else ""
            lines = [column.name, units, f"{column.n_parameters:,}", *column.steps]
        else:
            count = column.n_parameters
            lines = [column.name, f"{column.n_units:,}"]
            lines += ["" if count is None else f"{count:,}", *column.steps]
        for row, text in enumerate(lines):
            weight = "bold" if row == 0 else "normal"
            y = self._table_top - row * self._line
            self._write(x, y, shortened(text, self._letters), va="top", weight=weight)

    def _explain_colours(self) -> None:
        left, bottom = self.ax_.get_xlim()[0], self.ax_.get_ylim()[0]
        y = bottom + 0.1 * self._line
        style = {"ha": "left", "va": "bottom"}
        self._write(left, y, "— positive weight", color=_POSITIVE, **style)
        right = left + 18 * self._letter / self._step
        self._write(right, y, "— negative weight", color=_NEGATIVE, **style)

    def _write_head(self) -> None:
        left = self.ax_.get_xlim()[0]
        for row, text in enumerate(("", "units", "parameters", "layers")):
            y = self._table_top - row * self._line
            style = {"ha": "left", "va": "top", "color": "#555555"}
            if text:
                self._write(left, y, text, **style)


def _style_of(weights: Array, largest: float) -> dict[str, Any]:
    """Return colours by sign and widths by size."""
    size = np.nan_to_num(np.abs(weights) / (largest or 1.0))
    return {
        "colors": [_POSITIVE if w > 0 else _NEGATIVE for w in weights],
        "linewidths": 0.15 + 2.2 * size,
        "alpha": 0.25 + 0.65 * size,
    }


def _described(
    model: Any, n_features: int | None, n_outputs: int | None
) -> Architecture:
    """Return the architecture, if everything about it is known."""
    _check_at_least(1, n_features=n_features, n_outputs=n_outputs)
    found = model._architecture(n_features, n_outputs)
    if found.n_inputs is None or found.n_parameters is None:
        kind = type(model).__name__
        raise NotFittedError(
            f"This {kind} is not fitted yet, and how many inputs and outputs it will "
            "have is not known: call fit, or pass n_features and n_outputs (a network "
            "with categories must be fitted)."
        )
    return found


def _title(model: Any, found: Architecture) -> str:
    text = f"{type(model).__name__}: {found.n_parameters:,} parameters"
    if found.n_networks > 1:
        text += f" in each of {found.n_networks} networks"
    return text


def _check_at_least(least: int, **given: Any) -> None:
    for name, value in given.items():
        whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if (value is None and least == 1) or (whole and value >= least):
            continue
        raise ValueError(f"{name} must be an int of at least {least}, got {value!r}.")


__all__ = ["Arc", "Column", "NetworkDisplay"]
