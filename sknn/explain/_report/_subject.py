"""What is reported on: a model, rows with their truth, and its predictions of them.

Checks y and predicts once; scores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

from sknn.explain._alignment import as_fitted, column_names

__all__ = ["Subject", "predict_on"]


@dataclass(frozen=True)
class Subject:
    """A model with its predictions of n rows; classes are counted from 0."""

    estimator: Any
    X: Any  # as the user gave it, in the order of the model's columns
    background: Any
    names: tuple[str, ...]
    kind: str  # "binary", "multiclass" or "regression"
    classes: tuple[str, ...]  # as text; none for regression
    truth: np.ndarray  # (n,) codes of classes, or numbers
    predicted: np.ndarray  # the same
    probabilities: np.ndarray | None  # (n, classes)
    margin: np.ndarray | None  # (n,), of two classes
    target: Any  # for `explain`

    @property
    def is_regression(self) -> bool:
        """Whether numbers are predicted."""
        return self.kind == "regression"


def predict_on(estimator: Any, X: Any, y: Any, background: Any, target: Any) -> Subject:
    """Check y against the model and X, and predict."""
    if not is_classifier(estimator) and not is_regressor(estimator):
        raise ValueError(
            "estimator must be a classifier or a regressor, got "
            f"{type(estimator).__name__}"
        )
    truth = _as_truth(y, X.shape[0])
    names = tuple(column_names(estimator, X))
    rows = as_fitted(estimator, background, X)[1]
    if is_classifier(estimator):
        return _classified(estimator, X, rows, truth, background, names, target)
    truth, predicted = _one_output(truth, np.asarray(estimator.predict(rows)), target)
    return Subject(
        estimator=estimator,
        X=X,
        background=background,
        names=names,
        kind="regression",
        classes=(),
        truth=_finite(truth),
        predicted=predicted.astype(float),
        probabilities=None,
        margin=None,
        target=target,
    )


def _classified(
    estimator: Any,
    X: Any,
    rows: Any,
    truth: np.ndarray,
    background: Any,
    names: tuple[str, ...],
    target: Any,
) -> Subject:
    if isinstance(estimator.classes_, list) or truth.ndim != 1:
        raise ValueError(
            "y must hold one label per row; report on one target at a time"
        )
    labels = np.asarray(estimator.classes_).tolist()
    is_binary = len(labels) == 2
    if target is None and is_binary:
        target = labels[1]
    return Subject(
        estimator=estimator,
        X=X,
        background=background,
        names=names,
        kind="binary" if is_binary else "multiclass",
        classes=tuple(str(label) for label in labels),
        truth=_codes(truth, labels, "y"),
        predicted=_codes(np.asarray(estimator.predict(rows)), labels, "prediction"),
        probabilities=_asked(estimator, "predict_proba", rows),
        margin=_asked(estimator, "decision_function", rows) if is_binary else None,
        target=target,
    )


def _asked(estimator: Any, method: str, rows: Any) -> np.ndarray | None:
    if not hasattr(estimator, method):
        return None
    return np.asarray(getattr(estimator, method)(rows), dtype=np.float64)


def _as_truth(y: Any, n: int) -> np.ndarray:
    truth = np.asarray(y)
    if truth.ndim == 2 and truth.shape[1] == 1:
        truth = truth[:, 0]
    if truth.ndim not in (1, 2):
        raise ValueError(f"y must have one value per row, got shape {truth.shape}")
    if len(truth) != n:
        raise ValueError(f"X has {n} rows, but y has {len(truth)}")
    return truth


def _one_output(
    truth: np.ndarray, predicted: np.ndarray, target: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the output of a regressor that is reported on."""
    width = truth.shape[1] if truth.ndim == 2 else 1
    if predicted.ndim == 1:
        predicted = predicted[:, None]
    if predicted.shape[1] != width:
        raise ValueError(f"y has {width} outputs, the model {predicted.shape[1]}")
    if width == 1:
        return truth, predicted[:, 0]
    if not isinstance(target, int | np.integer) or not 0 <= target < width:
        raise ValueError(
            f"y has {width} outputs: choose one by target=0 to {width - 1}, "
            f"got {target!r}"
        )
    return truth[:, target], predicted[:, target]


def _finite(truth: np.ndarray) -> np.ndarray:
    try:
        numbers = truth.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError("y must hold numbers, as the model is a regressor") from None
    if not np.isfinite(numbers).all():
        raise ValueError("y must be finite, got NaN or infinity")
    return numbers


def _codes(values: np.ndarray, labels: Sequence[Any], name: str) -> np.ndarray:
    place = {label: code for code, label in enumerate(labels)}
    values = values.tolist()
    unknown = sorted({str(value) for value in values if value not in place})
    if unknown:
        raise ValueError(
            f"{name} holds labels that the model does not know: {unknown[:5]}; "
            f"its classes are {labels[:10]}"
        )
    return np.array([place[value] for value in values])
