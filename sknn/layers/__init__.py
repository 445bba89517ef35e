"""Layers: frozen descriptions with a forward and a backward pass; LAYERS lists them."""

from sknn.layers.activation import Activation
from sknn.layers.base import Layer, Param
from sknn.layers.dense import Dense
from sknn.layers.dropout import Dropout

LAYERS: dict[str, type[Layer]] = {
    "dense": Dense,
    "activation": Activation,
    "dropout": Dropout,
}

__all__ = ["LAYERS", "Activation", "Dense", "Dropout", "Layer", "Param"]
