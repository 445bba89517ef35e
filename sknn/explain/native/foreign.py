"""The network of an estimator: ours as it is, scikit-learn's own as one of ours.

Linear models are networks of one kernel, scikit-learn's multi-layer perceptrons chains
of kernels and activations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sknn.layers import Activation, Dense, Layer
from sknn.network import Network

Array = Any


class NotNativeError(ValueError):
    """The model cannot be explained from within; says why."""


class MixedColumnsError(NotNativeError):
    """There is a network, but preprocessing mixes columns before it."""


def network_of(estimator: Any) -> Network:
    """Return the network that an estimator is; raise NotNativeError if it is none."""
    own = getattr(estimator, "_network", None)
    if isinstance(own, Network):
        return own
    if hasattr(estimator, "coefs_") and hasattr(estimator, "out_activation_"):
        hidden = estimator.activation
        if isinstance(hidden, str):
            return build_network(estimator.coefs_, estimator.intercepts_, hidden)
    if hasattr(estimator, "coef_") and hasattr(estimator, "intercept_"):
        network = _linear_network(estimator)
        if network is not None:
            return network
    raise NotNativeError(
        f"{type(estimator).__name__} is neither a network nor a linear model"
    )


def _linear_network(estimator: Any) -> Network | None:
    """Return a linear model as a network, None where it has other coefficients."""
    try:
        W = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64)).T
        b = np.broadcast_to(np.asarray(estimator.intercept_, float), W.shape[1:])
    except (TypeError, ValueError):
        return None
    if W.ndim != 2 or W.shape[0] != getattr(estimator, "n_features_in_", len(W)):
        return None
    return build_network([W], [b], "identity")


def build_network(
    coefs: Sequence[Array], intercepts: Sequence[Array], activation: str
) -> Network:
    """Return the network of these kernels, with an activation between them."""
    layers: list[Layer] = []
    for W in coefs:
        if layers:
            layers.append(Activation(activation))
        layers.append(Dense(W.shape[1]))
    network = Network(layers, coefs[0].shape[0], np.float64)
    for views, W, b in zip(network.views[::2], coefs, intercepts, strict=True):
        views["W"][...] = W
        views["b"][...] = b
    return network
