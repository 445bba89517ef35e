"""Networks that are chains of kernels with one activation between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.estimators._targets import RealTargets
from sknn.estimators.mlp import BaseMLP
from sknn.layers import Activation, Dense, Dropout, Layer
from sknn.network import Network

#: Activations that scikit-learn has.
KNOWN = ("identity", "logistic", "tanh", "relu")

_ENCODING = ("categorical_features", "missing", "scaling")


@dataclass(frozen=True)
class Chain:
    """Kernels of shape (n_in, n_out), intercepts of shape (n_out,), one activation."""

    coefs: list[Array]
    intercepts: list[Array]
    activation: str


def chain_of(estimator: BaseMLP) -> Chain:
    """Return the chain that an estimator is; raise ValueError with what it has else."""
    if estimator._columns is not None:
        names = [f"{name}={getattr(estimator, name)!r}" for name in _ENCODING]
        raise ValueError(
            "scikit-learn's networks take numbers as they are, but here columns are "
            f"filled, scaled or coded ({', '.join(names)}). Do it in a pipeline before "
            "the network."
        )
    network = estimator._network
    activation = _common_activation(network)
    views = [p for layer, p, _ in network.walk() if isinstance(layer, Dense)]
    chain = Chain(
        [p["W"].copy() for p in views], [p["b"][0].copy() for p in views], activation
    )
    _restore_units(chain, estimator._targets)
    return chain


def _common_activation(network: Network) -> str:
    """Return the activation behind each hidden kernel."""
    names: list[str] = []
    behind_kernel = False
    for layer in network.layers:
        if type(layer) is Dropout:
            continue
        if type(layer) is Dense:
            names += ["identity"] if behind_kernel else []
            behind_kernel = True
        elif type(layer) is Activation and behind_kernel and layer.name in KNOWN:
            names.append(layer.name)
            behind_kernel = False
        else:
            raise ValueError(_stands_in_the_way(layer))
    if not behind_kernel:
        raise ValueError(_stands_in_the_way(network.layers[-1]))
    if len(set(names)) > 1:
        raise ValueError(
            f"scikit-learn's networks have one activation, this one has {names}."
        )
    return names[0] if names else "relu"


def _stands_in_the_way(layer: Layer) -> str:
    return (
        f"{layer!r} stands in the way: scikit-learn's networks are chains of Dense "
        f"layers with one activation of {KNOWN} between them."
    )


def _restore_units(chain: Chain, targets: Any) -> None:
    """Let the last kernel give out the units of y, where targets were normalised."""
    if isinstance(targets, RealTargets) and targets.center is not None:
        chain.coefs[-1] = chain.coefs[-1] * targets.scale
        chain.intercepts[-1] = chain.intercepts[-1] * targets.scale + targets.center
        for i, (W, b) in enumerate(zip(chain.coefs, chain.intercepts, strict=True)):
            dtype = np.result_type(W, chain.coefs[-1])
            chain.coefs[i], chain.intercepts[i] = W.astype(dtype), b.astype(dtype)
