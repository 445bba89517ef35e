"""The table of layers that notebooks show below scikit-learn's diagram."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from sknn.estimators._architecture import Architecture, Part
from sknn.estimators._sklearn import HTMLReprMixin
from sknn.layers import Activation, Dropout, Layer, MonotonicActivation

_MOST_ROWS = 24
_UNKNOWN = '<span title="known after fit">?</span>'

# Inherited colours suit dark and light pages alike.
_STYLE = (
    "<style>.sknn-layers{margin:.5em 0;font-size:.9em;color:inherit}"
    ".sknn-layers table{border-collapse:collapse;margin:.4em 0;color:inherit;"
    "background:transparent}.sknn-layers th,.sknn-layers td{padding:.15em .8em;"
    "text-align:left;border-bottom:1px solid rgba(128,128,128,.4);color:inherit;"
    "background:transparent}.sknn-layers td+td,.sknn-layers th+th{text-align:right}"
    ".sknn-layers td:nth-child(3),.sknn-layers th:nth-child(3){text-align:left}"
    ".sknn-layers tfoot td{font-weight:bold;border-bottom:none}"
    ".sknn-layers summary{cursor:pointer}</style>"
)


class ArchitectureHTML(HTMLReprMixin):
    """Estimators that show their layers in notebooks."""

    def _architecture(
        self, n_features: int | None = None, n_outputs: int | None = None
    ) -> Architecture:
        """Return the layers, fitted or planned.

        Parameters
        ----------
        n_features, n_outputs : int or None, default=None
            Inputs and raw outputs of what is not fitted, where they are known.

        Raises
        ------
        ValueError
            If the parameters do not describe a network.
        """
        raise NotImplementedError

    def _html_below(self) -> str:
        """Return a table of the layers, nothing if parameters do not describe any."""
        try:
            return table_of(self._architecture())
        except Exception:  # a representation never raises, whatever was set
            return ""


class _Row(NamedTuple):
    depth: int
    layer: str
    units: int | None
    activation: str
    n_parameters: int | None
    times: int = 1


def table_of(architecture: Architecture) -> str:
    """Return the table of an architecture as HTML."""
    rows = _repeated(_groups(architecture.parts))
    link = architecture.link
    if rows and link not in (None, "identity"):
        rows[-1] = rows[-1]._replace(activation=str(link))
    several = architecture.n_networks > 1
    what = f"Each of {architecture.n_networks} networks" if several else "Architecture"
    first = _line(0, "Input", _number(architecture.n_inputs), "", "")
    total = _number(architecture.n_parameters)
    return (
        f"{_STYLE}<details open class='sknn-layers'><summary>{what}</summary>"
        "<table><thead><tr><th>Layer</th><th>Units</th><th>Activation</th>"
        f"<th>Parameters</th></tr></thead><tbody>{first}{''.join(_shown(rows))}"
        f"</tbody><tfoot><tr><td>Total</td><td></td><td></td><td>{total}</td></tr>"
        "</tfoot></table></details>"
    )


def _groups(parts: Sequence[Part], depth: int = 0) -> Iterator[list[_Row]]:
    """Yield a layer and what is within it as rows.

    An activation stands beside the layer that it follows.
    """
    last: list[_Row] = []
    for part in parts:
        name = _activation_of(part.layer)
        if name and len(last) == 1 and not last[0].activation:
            last = [last[0]._replace(activation=name)]
            continue
        if last:
            yield last
        last = [_Row(depth, _name_of(part.layer), part.n_out, name, _own_count(part))]
        for group in _groups(part.children, depth + 1):
            last += group
    if last:
        yield last


def _repeated(groups: Iterable[list[_Row]]) -> list[_Row]:
    """Return all rows, equal groups that follow one another only once."""
    rows: list[_Row] = []
    for group, equal in groupby(groups):
        times = len(list(equal))
        rows += [row._replace(times=times) for row in group]
    return rows


def _own_count(part: Part) -> int | None:
    """Return how many numbers a layer learns beside those within it."""
    counts = [part.n_parameters, *(child.n_parameters for child in part.children)]
    known = [count for count in counts if count is not None]
    return 2 * known[0] - sum(known) if len(known) == len(counts) else None


def _activation_of(layer: Layer) -> str:
    is_one = isinstance(layer, Activation | MonotonicActivation)
    return str(getattr(layer, "name", "")) if is_one else ""


def _name_of(layer: Layer) -> str:
    name = type(layer).__name__
    return f"{name} {layer.rate:g}" if isinstance(layer, Dropout) else name


def _shown(rows: Sequence[_Row]) -> Iterator[str]:
    """Yield rows as HTML, of many those at both ends."""
    first, rest = len(rows), 0
    if len(rows) > _MOST_ROWS:
        first, rest = _MOST_ROWS // 2, _MOST_ROWS // 2 - 1
    for i, row in enumerate(rows):
        if i < first or i >= len(rows) - rest:
            yield _row(row)
        elif i == first:
            yield _line(0, f"… {len(rows) - first - rest} more", "", "", "")


def _row(row: _Row) -> str:
    times = f"{row.times} × " if row.times > 1 else ""
    count = _number(row.n_parameters)
    if row.n_parameters != 0:
        count = times + count
    layer = escape(row.layer) if row.depth else times + escape(row.layer)
    return _line(row.depth, layer, _number(row.units), escape(row.activation), count)


def _number(count: int | None) -> str:
    return _UNKNOWN if count is None else f"{count:,}"


def _line(depth: int, *cells: str) -> str:
    first, *others = cells
    indent = f" style='padding-left:{0.8 + 1.2 * depth:.1f}em'" if depth else ""
    rest = "".join(f"<td>{cell}</td>" for cell in others)
    return f"<tr><td{indent}>{first}</td>{rest}</tr>"
