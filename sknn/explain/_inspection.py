"""Estimators on codes, so that scikit-learn's inspection works on every table.

Two stand-ins and the way back from codes to a column's own values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from sknn.explain._problem import CodedModel
from sknn.explain._table import Table

__all__ = ["CodedEstimator", "CodedRegressor", "grid_values"]


def _has(method: str) -> Callable[[Any], bool]:
    return lambda self: hasattr(self.estimator, method)


class CodedEstimator(BaseEstimator):
    """A fitted estimator that is asked with codes in place of its table."""

    def __init__(self, estimator: Any, table: Table) -> None:
        self.estimator = estimator
        self.table = table

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> CodedEstimator:
        """Do nothing: the estimator is fitted."""
        return self

    @property
    def classes_(self) -> Any:
        """The estimator's classes."""
        return self.estimator.classes_

    @available_if(_has("predict"))
    def predict(self, codes: np.ndarray) -> Any:
        """Ask the estimator."""
        return self.estimator.predict(self.table.decode(codes))

    @available_if(_has("predict_proba"))
    def predict_proba(self, codes: np.ndarray) -> Any:
        """Ask the estimator."""
        return self.estimator.predict_proba(self.table.decode(codes))

    @available_if(_has("decision_function"))
    def decision_function(self, codes: np.ndarray) -> Any:
        """Ask the estimator."""
        return self.estimator.decision_function(self.table.decode(codes))

    @available_if(_has("score"))
    def score(self, codes: np.ndarray, y: Any, **settings: Any) -> Any:
        """Ask the estimator."""
        return self.estimator.score(self.table.decode(codes), y, **settings)


class CodedRegressor(RegressorMixin, BaseEstimator):
    """The explained outputs as a fitted regressor of codes."""

    def __init__(self, model: CodedModel) -> None:
        self.model = model

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> CodedRegressor:
        """Do nothing: the model is fitted."""
        return self

    def predict(self, codes: np.ndarray) -> np.ndarray:
        """Return (n,) outputs if there is one, else (n, C)."""
        values = self.model(codes)
        return values[:, 0] if values.shape[1] == 1 else values


def grid_values(table: Table, j: int, codes: np.ndarray) -> list:
    """Return codes of column j as what the model saw in their place."""
    codes = np.asarray(codes, dtype=np.float64)
    column = table.columns[j]
    if not table.is_plain:
        return table.form.to_list(column.decode(codes, table.form))
    dtype = getattr(table.form, "dtype", None)
    if dtype is not None:
        codes = table.form.from_float(codes, dtype)
    return codes.tolist()
