"""The layers of an estimator as they are described, before and after a fit.

Holds widths and numbers of parameters; pictures and tables of them are made elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sknn.estimators._build import build_autoencoder, build_layers
from sknn.estimators._ensemble import BaseMLPEnsemble
from sknn.estimators.autoencoder import MLPAutoencoder
from sknn.estimators.mlp import BaseMLP
from sknn.estimators.perceptron import PerceptronClassifier
from sknn.estimators.transformer import MLPTransformer
from sknn.layers import Columns, Dense, Embedding, Layer, Residual
from sknn.layers.base import Views, declare


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


def network_of(estimator: Any) -> Any:
    """Return the network that an estimator of ours holds, itself or inside another.

    Of an ensemble the first one; before a fit, what it would be made from.
    """
    if isinstance(estimator, MLPTransformer):
        inner = getattr(estimator, "estimator_", None) or estimator.estimator
        # A FrozenEstimator holds what it freezes under the same name.
        return (
            inner if isinstance(inner, BaseMLP) else getattr(inner, "estimator", None)
        )
    if isinstance(estimator, BaseMLPEnsemble):
        members = getattr(estimator, "estimators_", None)
        return members[0] if members else estimator._base()
    return estimator


def describe(
    estimator: Any, n_features: int | None = None, n_outputs: int | None = None
) -> Architecture:
    """Return the architecture of an estimator of ours, fitted or not.

    Parameters
    ----------
    estimator : estimator
        One of this package.
    n_features, n_outputs : int or None, default=None
        Inputs and raw outputs of a network that is not fitted, where they are known.

    Raises
    ------
    ValueError
        If the parameters do not describe a network.
    """
    network = network_of(estimator)
    if isinstance(network, PerceptronClassifier):
        return _of_perceptron(network, n_features, n_outputs)
    if hasattr(network, "_network"):
        found = _of_fitted(network)
    else:
        found = _of_parameters(network, n_features, n_outputs)
    if isinstance(estimator, BaseMLPEnsemble):
        members = getattr(estimator, "estimators_", None)
        n = len(members) if members else estimator.n_estimators
        found = replace(found, n_networks=n)
    return found


def _of_fitted(estimator: Any) -> Architecture:
    network = estimator._network
    parts = _chain(network.layers, network.n_features, network.views)
    link = estimator._loss.link
    return Architecture(parts, network.n_features, link, is_fitted=True)


def _of_parameters(
    estimator: Any, n_features: int | None, n_outputs: int | None
) -> Architecture:
    if isinstance(estimator, MLPAutoencoder):
        layers, _ = build_autoencoder(estimator, n_features or 1)
        n_outputs = n_features
    else:
        layers = build_layers(estimator, n_outputs or 1)
    parts: tuple[Part, ...] = ()
    if estimator.categorical_features is not None:
        embedding = estimator.categorical_embedding or Embedding()
        parts, n_features = (Part(embedding, None, None, None),), None
    parts += _chain(layers, n_features)
    if n_outputs is None:
        parts = (*parts[:-1], replace(parts[-1], n_out=None, n_parameters=None))
    return Architecture(parts, n_features)


def _of_perceptron(
    estimator: PerceptronClassifier, n_features: int | None, n_outputs: int | None
) -> Architecture:
    if not hasattr(estimator, "coef_"):
        parts = _chain([Dense(n_outputs or 1)], n_features)
        if n_outputs is None:
            parts = (replace(parts[0], n_out=None, n_parameters=None),)
        return Architecture(parts, n_features)
    coef = estimator._dense_coef()
    views = {"W": coef.T, "b": estimator.intercept_[None]}
    parts = _chain([Dense(len(coef))], coef.shape[1], [views])
    return Architecture(parts, coef.shape[1], "sign", is_fitted=True)


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
