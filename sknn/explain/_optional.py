"""Packages that only explanations need: imported on first use.

Holds nothing but that import and the sentence shown when it fails.
"""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType

__all__ = ["require"]


def require(name: str) -> ModuleType:
    """Import an optional module, or say what to install."""
    try:
        with warnings.catch_warnings():
            # shap touches its colour maps through matplotlib functions on their way out
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ImportError(
            f'sknn.explain needs {package}: pip install "sknn[explain]"'
        ) from error
