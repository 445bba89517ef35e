"""WeightsDisplay: the kernel of a layer as a heat map, or as an image for each unit."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.displays._names import (
    given_names,
    input_names,
    output_names,
    shortened,
)
from sknn.displays._reading import axes, fitted_network, unwrap
from sknn.estimators._architecture import Part
from sknn.layers import Dense, MonotonicDense

_MOST_NAMES = 40  # along one axis; more would overlap
_MOST_LABELS = 30  # images that are labelled one by one


class WeightsDisplay:
    """The kernel of one layer: what each unit takes from each input.

    Make one with `from_estimator`.

    Parameters
    ----------
    kernel : ndarray of shape (n_inputs, n_units)
        The weights.
    shape : tuple of int or None, default=None
        Height and width of the image that the inputs of a unit make; None draws the
        kernel as one heat map.
    input_names : sequence of str or None, default=None
        Names of the inputs; None is numbers.
    unit_names : sequence of str or None, default=None
        Names of the units; None is numbers.
    title : str, default=""
        What the axes say above the picture.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the kernel is.
    figure_ : matplotlib Figure
        The figure around it.
    im_ : matplotlib AxesImage
        The heat map, or all images in one, with masked lines between them.
    colorbar_ : matplotlib Colorbar
        Its scale, symmetric about zero.
    text_ : list of matplotlib Text
        Names above the images.

    See Also
    --------
    NetworkDisplay : All layers at once, small ones with their weights.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.displays import WeightsDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clf = MLPClassifier((5,), solver="lbfgs", max_iter=500, random_state=0)
    >>> display = WeightsDisplay.from_estimator(clf.fit(X, y))
    >>> display.im_.get_array().shape
    (4, 5)
    >>> display.ax_.get_yticklabels()[0].get_text()
    'sepal length (cm)'
    """

    def __init__(
        self,
        kernel: Any,
        *,
        shape: tuple[int, int] | None = None,
        input_names: Sequence[str] | None = None,
        unit_names: Sequence[str] | None = None,
        title: str = "",
    ) -> None:
        self.kernel = kernel
        self.shape = shape
        self.input_names = input_names
        self.unit_names = unit_names
        self.title = title

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        layer: int = 0,
        shape: tuple[int, int] | None = None,
        feature_names: Sequence[str] | None = None,
        max_units: int = 100,
        ax: Any = None,
        **kwargs: Any,
    ) -> WeightsDisplay:
        """Draw the kernel of one layer of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network, or a pipeline or search that ends with one.
        layer : int, default=0
            Which kernel, in the order of ``coefs_``; negative ones count from the
            output. Layers within residual blocks are counted as well.
        shape : tuple of int or None, default=None
            Height and width of an image: draws the weights of each unit as such a one,
            all on one scale of colours.
        feature_names : sequence of str or None, default=None
            Names of the inputs; None takes those that the estimator knows.
        max_units : int, default=100
            How many images to draw, where `shape` is given; the first ones are.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        display : WeightsDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is not one network of this package.
        ValueError
            If there is no such layer, or if its inputs do not make such an image.
        """
        network = fitted_network(estimator)
        parts = kernels_of(network._architecture().parts)
        i = _check_layer(layer, len(parts))
        kernel = kernel_of(parts[i])
        _check_shape(shape, len(kernel))
        names = given_names(feature_names, len(kernel))
        if names is None and i == 0:
            names = input_names(estimator, network, len(kernel))
        units = None
        if i == len(parts) - 1:
            units = output_names(unwrap(estimator), kernel.shape[1])
        title = f"{type(network).__name__}: " + _title(i, len(parts))
        if shape is not None and kernel.shape[1] > _check_most(max_units):
            title += f", first {max_units} of {kernel.shape[1]:,} units"
            kernel = kernel[:, :max_units]
        display = cls(
            kernel, shape=shape, input_names=names, unit_names=units, title=title
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> WeightsDisplay:
        """Draw the kernel.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        self : WeightsDisplay
            The display.
        """
        kernel = np.asarray(self.kernel, dtype=float)
        self.text_: list[Any] = []
        if self.shape is None:
            self._plot_map(kernel, ax, kwargs)
        else:
            self._plot_images(kernel, ax, kwargs)
        self.ax_.set_title(self.title)
        self.colorbar_ = self.figure_.colorbar(self.im_, ax=self.ax_)
        self.colorbar_.set_label("Weight")
        return self

    def _show(self, values: Array, kwargs: dict[str, Any]) -> None:
        largest = np.abs(values).max() if values.size else 0.0
        largest = float(largest) or 1.0
        style = {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest} | kwargs
        self.im_ = self.ax_.imshow(values, **{"interpolation": "nearest"} | style)

    def _plot_map(self, kernel: Array, ax: Any, kwargs: dict[str, Any]) -> None:
        n_in, n_units = kernel.shape
        width = 3.0 + min(max(0.18 * n_units, 2.5), 7.0)
        height = 1.2 + min(max(0.2 * n_in, 2.0), 6.0)
        self.ax_ = axes(ax, (width, height))
        self.figure_ = self.ax_.figure
        self._show(kernel, {"aspect": "auto", **kwargs})
        self.ax_.set_xlabel("Unit")
        self.ax_.set_ylabel("Input")
        _set_ticks(self.ax_.xaxis, self.unit_names, n_units, 8)
        _set_ticks(self.ax_.yaxis, self.input_names, n_in, 24)

    def _plot_images(self, kernel: Array, ax: Any, kwargs: dict[str, Any]) -> None:
        height, width = self.shape or (1, 1)
        n = kernel.shape[1]
        n_columns = max(1, math.ceil(math.sqrt(n * height / width)))
        n_rows = -(-n // n_columns)
        is_labelled = self.unit_names is not None and n <= _MOST_LABELS
        gap = max(1, round(0.08 * max(height, width)))
        above = max(gap, round(0.3 * height)) if is_labelled else gap
        tiled = np.full(
            (n_rows * (height + above), n_columns * (width + gap) - gap), np.nan
        )
        self.ax_ = axes(ax, _size_of(tiled.shape))
        self.figure_ = self.ax_.figure
        for k in range(n):
            top = (k // n_columns) * (height + above) + above
            left = (k % n_columns) * (width + gap)
            image = kernel[:, k].reshape(height, width)
            tiled[top : top + height, left : left + width] = image
            if is_labelled:
                self._name_image(k, left + width / 2 - 0.5, top - 0.7)
        self._show(np.ma.masked_invalid(tiled), kwargs)
        self.ax_.set_axis_off()

    def _name_image(self, k: int, x: float, y: float) -> None:
        assert self.unit_names is not None
        text = shortened(str(self.unit_names[k]), 12)
        style: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": "small"}
        style |= {"parse_math": False}
        self.text_.append(self.ax_.text(x, y, text, **style))


def kernels_of(parts: Sequence[Part]) -> list[Part]:
    """Return the layers with kernels in the order of ``coefs_``."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part.layer, Dense):
            found.append(part)
        found += kernels_of(part.children)
    return found


def kernel_of(part: Part) -> Array:
    """Return the kernel that a layer multiplies with."""
    W = part.views["W"]
    return part.layer.kernel(W) if isinstance(part.layer, MonotonicDense) else W


def _size_of(shape: tuple[int, int]) -> tuple[float, float]:
    """Return a figure for an image of these proportions, and a colour bar."""
    height, width = shape
    scale = min(6.0 / width, 5.0 / height)
    return max(3.5, width * scale + 1.4), max(2.0, height * scale + 0.5)


def _set_ticks(axis: Any, names: Any, n: int, longest: int) -> None:
    from matplotlib.ticker import MaxNLocator

    if names is None or n > _MOST_NAMES:
        axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        return
    turned = axis.axis_name == "x" and max(len(str(name)) for name in names) > 3
    labels = [shortened(str(name), 24 if turned else longest) for name in names]
    size = "small" if n <= 20 else "x-small"
    turn = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if turned else {}
    style: dict[str, Any] = {"fontsize": size, "parse_math": False}
    axis.set_ticks(range(n), labels, **style, **turn)


def _title(i: int, n: int) -> str:
    if n == 1:
        return "weights"
    if i == n - 1:
        return "weights of the output layer"
    return f"weights of layer {i}"


def _check_layer(layer: Any, n: int) -> int:
    whole = isinstance(layer, numbers.Integral) and not isinstance(layer, bool)
    if not whole or not -n <= layer < n:
        raise ValueError(
            f"layer must be an int in [{-n}, {n}), for the network has {n} kernels; "
            f"got {layer!r}."
        )
    return int(layer) % n


def _check_shape(shape: Any, n_inputs: int) -> None:
    if shape is None:
        return
    sides = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    whole = all(isinstance(side, numbers.Integral) and int(side) > 0 for side in sides)
    if len(sides) != 2 or not whole or math.prod(sides) != n_inputs:
        raise ValueError(
            f"shape must be height and width with a product of {n_inputs}, the number "
            f"of inputs of the layer; got {shape!r}."
        )


def _check_most(max_units: Any) -> int:
    whole = isinstance(max_units, numbers.Integral) and not isinstance(max_units, bool)
    if not whole or int(max_units) < 1:
        raise ValueError(f"max_units must be an int of at least 1, got {max_units!r}.")
    return int(max_units)
