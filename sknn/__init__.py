"""Neural networks for scikit-learn users, on NumPy alone."""

import importlib
from typing import Any

from sknn import callbacks, initializers, layers, losses, optimizers, schedules
from sknn._versions import __version__, show_versions
from sknn.estimators import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPEstimator,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.persistence import load, save

__all__ = [
    "TRUSTED_TYPES",
    "MLPAutoencoder",
    "MLPClassifier",
    "MLPEnsembleClassifier",
    "MLPEnsembleRegressor",
    "MLPEstimator",
    "MLPRegressor",
    "MLPTransformer",
    "PerceptronClassifier",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
    "__version__",
    "callbacks",
    "displays",
    "explain",
    "export",
    "initializers",
    "layers",
    "load",
    "losses",
    "optimizers",
    "save",
    "schedules",
    "show_versions",
]


def __getattr__(name: str) -> Any:
    """Import or make what costs time when it is first asked for."""
    if name in ("displays", "explain", "export"):
        return importlib.import_module(f"sknn.{name}")
    if name == "TRUSTED_TYPES":
        return importlib.import_module("sknn.persistence").TRUSTED_TYPES
    raise AttributeError(f"module 'sknn' has no attribute {name!r}")
