"""Explanations of predictions by the columns the user gave, with SHAP and LIME.

Takes any fitted scikit-learn estimator; shap, lime, matplotlib and pandas are imported
when an explanation needs them.
"""

from __future__ import annotations

import importlib
from typing import Any

from sknn.explain._explain import METHODS, explain

# Where each public name lives; its module is imported when it is first asked for.
_HOMES = {
    "DeepExplainer": "explainers",
    "ExactExplainer": "explainers",
    "GradientExplainer": "explainers",
    "KernelExplainer": "explainers",
    "LimeExplainer": "explainers",
    "LinearExplainer": "explainers",
    "PermutationExplainer": "explainers",
    "as_shap_model": "explainers",
    "explain_image": "image",
    "explain_text": "text",
    "additivity_error": "metrics",
    "agreement": "metrics",
    "compare": "metrics",
    "deletion_auc": "metrics",
    "infidelity": "metrics",
    "insertion_auc": "metrics",
    "sensitivity_max": "metrics",
    "stability": "metrics",
    "global_importance": "importance",
    "interactions": "importance",
    "partial_dependence": "importance",
    "permutation_importance": "importance",
    "report": "_report",
}

__all__ = ["METHODS", "explain", *_HOMES]


def __getattr__(name: str) -> Any:
    """Import what is first asked for."""
    if name in _HOMES:
        module = importlib.import_module(f"sknn.explain.{_HOMES[name]}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
