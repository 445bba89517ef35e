"""The layers of an estimator as they are described, before and after a fit.

Holds widths and numbers of parameters; pictures and tables of them are made elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sknn._array import Array
from sknn.layers import Columns, Dense, Layer, Residual
from sknn.layers.base import Views, declare
from sknn.network import Network


@dataclass(frozen=True)
class Part:
    """One layer and what is known of it; None where X or y will tell.

    Parameters
    ----------
    layer : Layer
        The layer.
    n_in, n_out : int or None
        Columns before and behind it.
    n_parameters : int or None
        Numbers that it learns, those of layers within included; statistics of the
        data are not counted.
    views : dict of ndarray
        Its parameters by their names; empty before a fit.
    children : tuple of Part
        The layers within.
    """

    layer: Layer
    n_in: int | None
    n_out: int | None
    n_parameters: int | None
    views: Views = field(default_factory=dict)
    children: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Architecture:
    """What a network consists of.

    Parameters
    ----------
    parts : tuple of Part
        The layers from input to output.
    n_inputs : int or None
        Columns that the network sees.
    link : str or None
        Function behind the output.
    n_networks : int
        Number of networks of this kind in the estimator.
    is_fitted : bool
        Whether the parts have parameters.
    """

    parts: tuple[Part, ...]
    n_inputs: int | None
    link: str | None = None
    n_networks: int = 1
    is_fitted: bool = False

    @property
    def n_parameters(self) -> int | None:
        """Numbers that one network learns; None while some of them are unknown."""
        counts = [part.n_parameters for part in self.parts]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None


def as_fitted(network: Network, link: str) -> Architecture:
    """Return the architecture of a network; `link` is the function behind it."""
    parts = _chain(network.layers, network.n_features, network.views)
    return Architecture(parts, network.n_features, link, is_fitted=True)


def as_linear(coef: Array, intercept: Array, link: str) -> Architecture:
    """Return the architecture of one layer with a row of `coef` for each unit."""
    parameters = {"0.W": coef.T, "0.b": intercept[None]}
    return as_fitted(Network.of([Dense(len(coef))], coef.shape[1], parameters), link)


def as_planned(
    layers: Sequence[Layer],
    n_features: int | None = None,
    n_outputs: int | None = None,
    embedding: Layer | None = None,
) -> Architecture:
    """Return the architecture of a network before its fit.

    Parameters
    ----------
    layers : sequence of Layer
        From input to output; how many units the last one has does not count where
        `n_outputs` is None.
    n_features : int or None, default=None
        Columns that the network will see, where that is known.
    n_outputs : int or None, default=None
        Units of the last layer, where that is known.
    embedding : Layer or None, default=None
        What will stand in front for categories that only `fit` will find.
    """
    front: tuple[Part, ...] = ()
    if embedding is not None:
        front, n_features = (Part(embedding, None, None, None),), None
    parts = front + _chain(layers, n_features)
    if n_outputs is None:
        parts = (*parts[:-1], replace(parts[-1], n_out=None, n_parameters=None))
    return Architecture(parts, n_features)


def _chain(
    layers: Sequence[Layer], n_in: int | None, views: Sequence[Views] | None = None
) -> tuple[Part, ...]:
    """Describe layers that follow one another."""
    parts: list[Part] = []
    for i, layer in enumerate(layers):
        part = _part(layer, n_in, {} if views is None else views[i])
        parts.append(part)
        n_in = part.n_out
    return tuple(parts)


def _part(layer: Layer, n_in: int | None, views: Views) -> Part:
    children = _children(layer, n_in, views)
    if n_in is None:
        n_out = _width(layer, children)
        return Part(layer, None, n_out, _count_within(layer), views, children)
    params, n_out = declare(layer, n_in)
    count = sum(math.prod(param.shape) for param in params if not param.buffer)
    return Part(layer, n_in, n_out, count, views, children)


def _children(layer: Layer, n_in: int | None, views: Views) -> tuple[Part, ...]:
    names = [name for name, _ in layer.children()]
    inner = [views.get(name, {}) for name in names]
    if isinstance(layer, Residual):
        return _chain(layer.layers, n_in, inner)
    if isinstance(layer, Columns):
        parts = [(len(columns), part) for columns, part in layer.parts if part]
        return tuple(
            _part(part, width, own)
            for (width, part), own in zip(parts, inner, strict=True)
        )
    return ()


def _width(layer: Layer, children: tuple[Part, ...]) -> int | None:
    """Return how many outputs a layer has whatever its input."""
    if isinstance(layer, Residual):
        return children[-1].n_out
    return layer.units if isinstance(layer, Dense) else None


def _count_within(layer: Layer) -> int | None:
    """Return how many parameters a layer has whatever its input."""
    try:
        return 0 if declare(layer, 1)[0] == declare(layer, 2)[0] == [] else None
    except ValueError:
        return None
