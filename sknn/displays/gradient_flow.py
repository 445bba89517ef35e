"""GradientFlowDisplay: what diagnostics saw in each layer, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.displays._curves import unit_of
from sknn.displays._reading import axes, fitted_network, pyplot
from sknn.estimators._architecture import Part
from sknn.layers import Activation, Dense

_METRICS = {
    "gradient_norm": "Norm of the gradient",
    "dead_units": "Share of dead units",
    "saturated_units": "Share of saturated units",
}
_NOBODY = {
    "dead_units": "ReLU units, which alone can be dead",
    "saturated_units": "logistic or tanh units, which alone are called saturated",
}
_MOST_LINES = 6
_MOST_NAMES = 24
_STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))


class GradientFlowDisplay:
    """Gradients, dead and saturated units of each layer against epochs.

    Make one with `from_estimator`, from a network fitted with ``diagnostics=True``.

    Parameters
    ----------
    values : ndarray of shape (n_epochs, n_layers)
        What was measured.
    epochs : ndarray of shape (n_epochs,)
        Numbers of the epochs.
    layer_names : sequence of str
        Names of the layers, from input to output.
    metric : {"gradient_norm", "dead_units", "saturated_units"}, \
            default="gradient_norm"
        What it is.
    unit : str, default="Epoch"
        What is counted by epochs; iterations of L-BFGS.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure around it.
    lines_ : list of matplotlib Line2D
        One line for each layer, where lines are drawn.
    im_ : matplotlib QuadMesh or None
        The heat map, where one is drawn: layers in rows, the first at the bottom.
    colorbar_ : matplotlib Colorbar or None
        Its scale.

    See Also
    --------
    LossCurveDisplay : What came of it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from sknn import MLPClassifier
    >>> from sknn.displays import GradientFlowDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(
    ...     (10, 10), diagnostics=True, learning_rate="cosine", max_iter=20,
    ...     learning_rate_init=0.01, random_state=0,
    ... ).fit(scale(X), y)
    >>> display = GradientFlowDisplay.from_estimator(clf)
    >>> [line.get_label() for line in display.lines_]
    ['hidden 1', 'hidden 2', 'output']
    """

    def __init__(
        self,
        values: Any,
        epochs: Any,
        layer_names: Sequence[str],
        *,
        metric: str = "gradient_norm",
        unit: str = "Epoch",
    ) -> None:
        self.unit = unit
        self.values = values
        self.epochs = epochs
        self.layer_names = layer_names
        self.metric = metric

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        metric: str = "gradient_norm",
        kind: str = "auto",
        ax: Any = None,
        **kwargs: Any,
    ) -> GradientFlowDisplay:
        """Draw what diagnostics recorded.

        Parameters
        ----------
        estimator : estimator
            A network fitted with ``diagnostics=True``, or a pipeline or search that
            ends with one.
        metric : {"gradient_norm", "dead_units", "saturated_units"}, \
                default="gradient_norm"
            The norm of the loss's gradient by kernel and intercept of each layer, or
            the share of ReLU units that are zero for all samples, or the share of
            logistic and tanh outputs in the flat part; the last two of layers with
            such units.
        kind : {"auto", "lines", "heatmap"}, default="auto"
            "auto" draws lines for up to six layers.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed to matplotlib's ``plot`` or ``pcolormesh``.

        Returns
        -------
        display : GradientFlowDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is not one network of this package.
        ValueError
            If no diagnostics were recorded, or if no layer has units of this kind.
        """
        _check_one_of("metric", metric, _METRICS)
        network = fitted_network(estimator)
        recorded = getattr(network, "history_", {}).get(metric)
        if not recorded:
            raise ValueError(_remedy(network))
        names = _layer_names(network._architecture().parts, metric)
        epochs, values = _table(network.history_["epoch"], recorded, len(names))
        if not len(epochs):
            raise ValueError(_remedy(network))
        measured = np.flatnonzero(~np.isnan(values).all(axis=0))
        if not len(measured):
            raise ValueError(
                f"metric={metric!r}: the network has no "
                f"{_NOBODY.get(metric, 'finite gradient')}."
            )
        names = [names[i] for i in measured]
        unit = unit_of(network)
        display = cls(values[:, measured], epochs, names, metric=metric, unit=unit)
        return display.plot(ax, kind=kind, **kwargs)

    def plot(
        self, ax: Any = None, *, kind: str = "auto", **kwargs: Any
    ) -> GradientFlowDisplay:
        """Draw lines or a heat map.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        kind : {"auto", "lines", "heatmap"}, default="auto"
            "auto" draws lines for up to six layers.
        **kwargs : dict
            Passed to matplotlib's ``plot`` or ``pcolormesh``.

        Returns
        -------
        self : GradientFlowDisplay
            The display.
        """
        _check_one_of("kind", kind, ("auto", "lines", "heatmap"))
        values = np.asarray(self.values, dtype=float)
        n_layers = values.shape[1]
        if kind == "auto":
            kind = "lines" if n_layers <= _MOST_LINES else "heatmap"
        height = 4.0 if kind == "lines" else min(2.5 + 0.15 * n_layers, 7.0)
        self.ax_ = axes(ax, (6.4, height))
        self.figure_ = self.ax_.figure
        self.lines_: list[Any] = []
        self.im_: Any = None
        self.colorbar_: Any = None
        if kind == "lines":
            self._draw_lines(values, kwargs)
        else:
            self._draw_map(values, kwargs)
        self.ax_.set_xlabel(self.unit)
        _whole_numbers(self.ax_.xaxis)
        return self

    @property
    def _is_logarithmic(self) -> bool:
        return self.metric == "gradient_norm"

    def _draw_lines(self, values: Array, kwargs: dict[str, Any]) -> None:
        n = values.shape[1]
        colours = pyplot().get_cmap("viridis")(np.linspace(0, 0.88, n))
        marker = "o" if len(values) == 1 else None
        if self._is_logarithmic:
            values = np.where(values > 0, values, np.nan)
        for j, name in enumerate(self.layer_names):
            style = {"color": colours[j], "linestyle": _STYLES[j % len(_STYLES)]}
            style |= {"label": name, "marker": marker, **kwargs}
            self.lines_ += self.ax_.plot(self.epochs, values[:, j], **style)
        self.ax_.set_ylabel(_METRICS[self.metric])
        if not self._is_logarithmic:
            self.ax_.set_ylim(-0.03, 1.03)
        elif not np.isnan(values).all():
            self.ax_.set_yscale("log")
        self.ax_.legend(fontsize="small" if n > 4 else "medium")

    def _draw_map(self, values: Array, kwargs: dict[str, Any]) -> None:
        edges = np.append(self.epochs - 0.5, self.epochs[-1] + 0.5)
        rows = np.arange(values.shape[1] + 1) - 0.5
        shown = np.ma.masked_invalid(values.T)
        if self._is_logarithmic:
            shown = np.ma.masked_less_equal(shown, 0.0)
        style = {"cmap": "viridis", "norm": self._norm(shown)} | kwargs
        self.im_ = self.ax_.pcolormesh(edges, rows, shown, **style)
        self.ax_.set_facecolor("lightgrey")  # what is zero or not finite
        self.colorbar_ = self.figure_.colorbar(self.im_, ax=self.ax_)
        self.colorbar_.set_label(_METRICS[self.metric])
        self.ax_.set_ylabel("Layer")
        n = len(self.layer_names)
        step = -(-n // _MOST_NAMES)
        at = sorted({*range(0, n, step), n - 1} - ({n - 2} if step > 1 else set()))
        size = "small" if n <= 15 else "x-small"
        self.ax_.set_yticks(at, [self.layer_names[i] for i in at], fontsize=size)

    def _norm(self, shown: np.ma.MaskedArray[Any, Any]) -> Any:
        from matplotlib.colors import LogNorm, Normalize

        if not self._is_logarithmic:
            return Normalize(0.0, 1.0)
        known = shown.compressed()
        low, high = (known.min(), known.max()) if len(known) else (0.1, 1.0)
        return LogNorm(low, high if high > low else low * 10)


def _layer_names(parts: Sequence[Part], metric: str) -> list[str]:
    """Name the layers that diagnostics measure, in their order."""
    layers = list(_flat(parts))
    if metric == "gradient_norm":
        n = sum(isinstance(layer, Dense) for layer in layers)
        return [f"hidden {i}" for i in range(1, n)] + ["output"]
    kinds = [layer.name for layer in layers if isinstance(layer, Activation)]
    return [f"{name} {i}" for i, name in enumerate(kinds, start=1)]


def _flat(parts: Sequence[Part]) -> Any:
    for part in parts:
        yield part.layer
        yield from _flat(part.children)


def _table(epochs: Any, recorded: Any, n_layers: int) -> tuple[Array, Array]:
    """Return the epochs that have diagnostics, and a row of values for each."""
    rows = [i for i, entry in enumerate(recorded) if np.shape(entry) == (n_layers,)]
    values = np.array([recorded[i] for i in rows], dtype=float)
    return np.asarray(epochs)[rows], values.reshape(len(rows), n_layers)


def _remedy(network: Any) -> str:
    kind = type(network).__name__
    if not hasattr(network, "diagnostics"):
        return f"{kind} records no diagnostics: it has no layers to look into."
    return (
        f"This {kind} was fitted without diagnostics. Fit it again after "
        "set_params(diagnostics=True)."
    )


def _check_one_of(name: str, value: Any, allowed: Any) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {list(allowed)}, got {value!r}.")


def _whole_numbers(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
