"""Losses: value, gradient and link on raw predictions; LOSSES lists them by name."""

from sknn.losses.base import Loss
from sknn.losses.classification import (
    BinaryFocalLoss,
    BinaryLogLoss,
    MultinomialFocalLoss,
    MultinomialLogLoss,
)
from sknn.losses.deviance import Gamma, Poisson, Tweedie
from sknn.losses.distribution import GaussianNLL, Quantile
from sknn.losses.regression import AbsoluteError, Huber, SquaredError

LOSSES: dict[str, type[Loss]] = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "quantile": Quantile,
    "gaussian_nll": GaussianNLL,
    "poisson": Poisson,
    "gamma": Gamma,
    "tweedie": Tweedie,
    "binary_log_loss": BinaryLogLoss,
    "multinomial_log_loss": MultinomialLogLoss,
    "binary_focal": BinaryFocalLoss,
    "multinomial_focal": MultinomialFocalLoss,
}

__all__ = [
    "LOSSES",
    "AbsoluteError",
    "BinaryFocalLoss",
    "BinaryLogLoss",
    "Gamma",
    "GaussianNLL",
    "Huber",
    "Loss",
    "MultinomialFocalLoss",
    "MultinomialLogLoss",
    "Poisson",
    "Quantile",
    "SquaredError",
    "Tweedie",
]
