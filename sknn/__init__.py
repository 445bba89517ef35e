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
from sknn.persistence import TRUSTED_TYPES, load, save

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
    """Import `sknn.explain` and `sknn.export` when they are first asked for."""
    if name in ("explain", "export"):
        return importlib.import_module(f"sknn.{name}")
    raise AttributeError(f"module 'sknn' has no attribute {name!r}")
