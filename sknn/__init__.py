"""Neural networks for scikit-learn users, on NumPy alone."""

import importlib
from typing import Any

from sknn import losses, optimizers, schedules
from sknn._versions import __version__, show_versions
from sknn.estimators import (
    MLPClassifier,
    MLPEstimator,
    MLPRegressor,
    PerceptronClassifier,
)

__all__ = [
    "MLPClassifier",
    "MLPEstimator",
    "MLPRegressor",
    "PerceptronClassifier",
    "__version__",
    "explain",
    "losses",
    "optimizers",
    "schedules",
    "show_versions",
]


def __getattr__(name: str) -> Any:
    """Import `sknn.explain` when it is first asked for."""
    if name == "explain":
        return importlib.import_module("sknn.explain")
    raise AttributeError(f"module 'sknn' has no attribute {name!r}")
