"""Layers: frozen descriptions with a forward and a backward pass; LAYERS lists them."""

from sknn.layers.activation import Activation
from sknn.layers.base import Layer, Param
from sknn.layers.containers import Residual
from sknn.layers.dense import Dense
from sknn.layers.dropout import Dropout
from sknn.layers.normalization import BatchNorm, LayerNorm

LAYERS: dict[str, type[Layer]] = {
    "dense": Dense,
    "activation": Activation,
    "dropout": Dropout,
    "batch_norm": BatchNorm,
    "layer_norm": LayerNorm,
    "residual": Residual,
}

__all__ = [
    "LAYERS",
    "Activation",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Layer",
    "LayerNorm",
    "Param",
    "Residual",
]
