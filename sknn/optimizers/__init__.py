"""Optimisers: steps on one flat vector of parameters; OPTIMIZERS lists them by name.

They know arrays and a rate; networks, losses and batches are none of their business.
"""

from sknn.optimizers.adam import AdaGrad, Adam, AdamW, NAdam, RMSProp
from sknn.optimizers.base import Memory, Optimizer, Rates, Segments
from sknn.optimizers.clipping import clip_by_norm
from sknn.optimizers.momentum import SGD, Lion

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "lion": Lion,
}

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Lion",
    "Memory",
    "NAdam",
    "Optimizer",
    "RMSProp",
    "Rates",
    "Segments",
    "clip_by_norm",
]
