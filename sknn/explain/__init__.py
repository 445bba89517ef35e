"""Explanations of predictions by the columns the user gave, with SHAP and LIME.

Takes any fitted scikit-learn estimator; shap, lime, matplotlib and pandas are imported
when an explanation needs them.
"""

from __future__ import annotations

from sknn.explain._explain import METHODS, explain

__all__ = ["METHODS", "explain"]
