"""Layers: frozen descriptions with a forward and a backward pass; LAYERS lists them."""

from sknn.layers.activation import Activation
from sknn.layers.base import Layer, Param
from sknn.layers.columns import Columns
from sknn.layers.containers import Residual
from sknn.layers.dense import Dense
from sknn.layers.dropout import Dropout
from sknn.layers.embedding import Embedding
from sknn.layers.monotonic import MonotonicActivation, MonotonicDense
from sknn.layers.normalization import BatchNorm, LayerNorm
from sknn.layers.numeric import PBLD, PLR, PiecewiseLinear
from sknn.layers.scale import Scale

LAYERS: dict[str, type[Layer]] = {
    "dense": Dense,
    "activation": Activation,
    "dropout": Dropout,
    "batch_norm": BatchNorm,
    "layer_norm": LayerNorm,
    "residual": Residual,
    "embedding": Embedding,
    "plr": PLR,
    "pbld": PBLD,
    "piecewise_linear": PiecewiseLinear,
    "scale": Scale,
    "columns": Columns,
    "monotonic_dense": MonotonicDense,
    "monotonic_activation": MonotonicActivation,
}

__all__ = [
    "LAYERS",
    "PBLD",
    "PLR",
    "Activation",
    "BatchNorm",
    "Columns",
    "Dense",
    "Dropout",
    "Embedding",
    "Layer",
    "LayerNorm",
    "MonotonicActivation",
    "MonotonicDense",
    "Param",
    "PiecewiseLinear",
    "Residual",
    "Scale",
]
