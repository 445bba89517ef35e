"""Losses: value, gradient and link on raw predictions; LOSSES lists them by name."""

from sknn.losses.base import Loss
from sknn.losses.classification import BinaryLogLoss, MultinomialLogLoss
from sknn.losses.regression import Poisson, SquaredError

LOSSES: dict[str, type[Loss]] = {
    "squared_error": SquaredError,
    "poisson": Poisson,
    "binary_log_loss": BinaryLogLoss,
    "multinomial_log_loss": MultinomialLogLoss,
}

__all__ = [
    "LOSSES",
    "BinaryLogLoss",
    "Loss",
    "MultinomialLogLoss",
    "Poisson",
    "SquaredError",
]
