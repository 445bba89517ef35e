"""What estimators recorded of their training, as curves.

Reads histories; draws nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sknn._array import Array
from sknn.displays._reading import name_of, unwrap

# Under scikit-learn's names, for networks without a history.
_PLAIN = {
    "loss": "loss_curve_",
    "validation_score": "validation_scores_",
    "mistakes": "mistakes_curve_",
}


@dataclass(frozen=True)
class Curve:
    """What one estimator recorded.

    Parameters
    ----------
    name : str
        What the estimator is called in the legend.
    epochs : ndarray of shape (n_epochs,)
        Numbers of the epochs, from 1.
    training : ndarray of shape (n_epochs,) or None
        Values on the training data.
    validation : ndarray of shape (n_epochs,) or None, default=None
        Values on the validation data.
    score : ndarray of shape (n_epochs,) or None, default=None
        Validation score, where it is the only thing known of the validation data.
    best_epoch : int or None, default=None
        The epoch that early stopping chose.
    unit : str, default="Epoch"
        What is counted.
    members : sequence of Curve, default=()
        Of an ensemble, the curves of its networks.
    is_named : bool, default=False
        Whether the legend says the name of a curve that stands alone.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.displays import Curve, LossCurveDisplay
    >>> curve = Curve("mine", np.arange(1, 4), training=np.array([0.9, 0.5, 0.4]))
    >>> LossCurveDisplay([curve], metric="loss").plot().ax_.get_ylabel()
    'Loss'
    """

    name: str
    epochs: Array
    training: Array | None
    validation: Array | None = None
    score: Array | None = None
    best_epoch: int | None = None
    unit: str = "Epoch"
    members: Sequence[Curve] = field(default=())
    is_named: bool = False


def named(estimators: Any) -> list[tuple[str, Any]]:
    if isinstance(estimators, Mapping):
        named = [(str(name), estimator) for name, estimator in estimators.items()]
    elif isinstance(estimators, Sequence) and not isinstance(estimators, str):
        named = [(name_of(estimator), estimator) for estimator in estimators]
        names = [name for name, _ in named]
        if len(set(names)) < len(names):
            named = [(f"{name} {i}", e) for i, (name, e) in enumerate(named, start=1)]
    else:
        raise TypeError(
            "estimators must be a dict of names and fitted estimators, or a list of "
            f"them, got {type(estimators).__name__}."
        )
    if not named:
        raise ValueError(
            "estimators must hold at least one fitted estimator, got none."
        )
    return named


def read_curve(estimator: Any, metric: str, name: str | None) -> tuple[Curve, str]:
    """Return the curve of one estimator, and the metric that "auto" stands for."""
    model = unwrap(estimator)
    name = type(model).__name__ if name is None else str(name)
    if hasattr(model, "estimator_") and hasattr(model.estimator_, "loss_curve_"):
        model = model.estimator_  # of a transformer
    members = getattr(model, "estimators_", None)
    if isinstance(members, list) and members:
        return _read_members(members, metric, name)
    return _read_one(model, metric, name)


def _read_members(members: list[Any], metric: str, name: str) -> tuple[Curve, str]:
    found = [_read_one(m, metric, f"{name} {i}") for i, m in enumerate(members, 1)]
    curves = [curve for curve, _ in found]
    # A mean over those that are left would jump where one of them ends.
    n = min(len(curve.epochs) for curve in curves)
    means: dict[str, Any] = {
        part: _mean([getattr(curve, part) for curve in curves], n)
        for part in ("training", "validation", "score")
    }
    first = curves[0]
    mean = Curve(name, first.epochs[:n], **means, unit=first.unit, members=curves)
    return mean, found[0][1]


def _mean(parts: list[Array | None], n: int) -> Array | None:
    known = [part[:n] for part in parts if part is not None]
    return np.mean(known, axis=0) if len(known) == len(parts) else None


def _read_one(model: Any, metric: str, name: str) -> tuple[Curve, str]:
    history = _history(model)
    metric = metric if isinstance(metric, str) else repr(metric)
    if metric == "auto":
        metric = "mistakes" if "mistakes" in history else "loss"
    training, validation = history.get(metric), history.get(f"validation_{metric}")
    score = None
    if metric == "loss" and validation is None:
        score = history.get("validation_score")
    if training is None and validation is None:
        raise ValueError(
            f"{name} has not recorded the metric {metric!r}; it has "
            f"{sorted(key for key in history if key != 'epoch')}."
        )
    values: Any = validation if training is None else training
    length = len(values)
    best = getattr(model, "best_iter_", None)
    if best is None and score is not None:
        best = int(np.argmax(score)) + 1  # of scikit-learn's network, the first best
    curve = Curve(
        name,
        history.get("epoch", np.arange(1, length + 1)),
        training,
        validation,
        score,
        best_epoch=best,
        unit=unit_of(model),
    )
    return curve, metric


def _history(model: Any) -> dict[str, Array]:
    """Return the columns of a fitted model's history with one number an epoch."""
    columns = getattr(model, "history_", None)
    if not isinstance(columns, Mapping):
        columns = {key: getattr(model, plain, None) for key, plain in _PLAIN.items()}
    found = {}
    for key, column in columns.items():
        if column is not None and len(column) and np.ndim(column[0]) == 0:
            found[key] = np.asarray(column, dtype=float)
    if found:
        return found
    if not hasattr(model, "fit") or not hasattr(model, "get_params"):
        raise TypeError(
            f"estimator must be a fitted network, got {type(model).__name__}."
        )
    check_is_fitted(model)
    if hasattr(model, "loss_curve_") or hasattr(model, "mistakes_curve_"):
        raise NotFittedError(f"This {type(model).__name__} has no epoch behind it.")
    raise TypeError(
        f"{type(model).__name__} records no training curve: it has neither history_ "
        "nor loss_curve_. A network of sknn does."
    )


def unit_of(model: Any) -> str:
    """Return what a model counts as epochs."""
    return "Iteration" if str(getattr(model, "solver", "")) == "lbfgs" else "Epoch"
