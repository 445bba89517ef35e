"""Which numbers of a model are explained: margin, probability or prediction.

Turns an estimator, `output` and `target` into one function from tables to a float64
array (n, outputs); knows nothing of columns or explainers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.validation import check_is_fitted

__all__ = ["OUTPUTS", "ModelOutput", "RawOutput", "raw_output", "select_outputs"]

OUTPUTS = {
    "margin": "decision_function",
    "probability": "predict_proba",
    "prediction": "predict",
}


@dataclass(frozen=True)
class RawOutput:
    """The method that is explained, as a callable object.

    shap deep-copies or rebinds bound methods; it leaves a callable object alone.
    """

    estimator: Any
    method: str

    def __call__(self, X: Any) -> np.ndarray:
        """Return (n,) or (n, k) float64 numbers."""
        values = getattr(self.estimator, self.method)(X)
        if isinstance(values, list):
            raise ValueError(
                f"{_name(self.estimator)}.{self.method} gives one table for each of "
                f"{len(values)} targets; explain an estimator for one of them"
            )
        try:
            values = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"{_name(self.estimator)}.{self.method} must give numbers to explain"
            ) from None
        if not np.isfinite(values).all():
            raise ValueError(
                f"{_name(self.estimator)}.{self.method} must be finite to be "
                "explained; it gave NaN or infinity on rows of X or background"
            )
        return values


@dataclass(frozen=True)
class ModelOutput:
    """Chosen columns of a `RawOutput`, with their names.

    `names` are those of the chosen columns, None where a single output has no name.
    With `is_per_row` all columns are computed and `per_row` says which one each row
    wants.
    """

    raw: RawOutput
    labels: tuple[Any, ...]
    picked: tuple[int, ...]
    names: tuple[str, ...] | None
    is_per_row: bool = False

    def __call__(self, X: Any) -> np.ndarray:
        """Return the chosen outputs, (n, len(picked)) float64."""
        return self.of_raw(self.raw(X))

    def of_raw(self, values: np.ndarray) -> np.ndarray:
        """Return the chosen outputs of what `raw` gave."""
        if values.ndim == 1:
            both = len(self.labels) == 2
            values = np.column_stack([-values, values] if both else [values])
        return values[:, list(self.picked)]

    def per_row(self, X: Any) -> np.ndarray | None:
        """Return the place of the output that each row wants; None for all of them."""
        if not self.is_per_row:
            return None
        predictions = np.asarray(self.raw.estimator.predict(X))
        if predictions.ndim != 1:
            raise ValueError(
                "target='predicted' needs one class per row; "
                f"{_name(self.raw.estimator)} gives {predictions.shape[1]} labels"
            )
        place = {label: k for k, label in enumerate(self.labels)}
        return np.array([place[label] for label in predictions.tolist()])


def raw_output(estimator: Any, output: str) -> RawOutput:
    """Resolve `output` to a method of the fitted estimator."""
    if not hasattr(estimator, "predict") and not hasattr(estimator, "fit"):
        raise TypeError(
            "estimator must be a fitted scikit-learn estimator or pipeline, "
            f"got {estimator!r}"
        )
    check_is_fitted(estimator)
    if output not in ("auto", *OUTPUTS):
        raise ValueError(
            f"output must be 'auto' or one of {list(OUTPUTS)}, got {output!r}"
        )
    possible = _possible_outputs(estimator)
    if output == "auto":
        output = possible[0]
    if output not in possible:
        raise ValueError(
            f"output={output!r} cannot be had from {_name(estimator)}; "
            f"choose one of {possible}"
        )
    return RawOutput(estimator, OUTPUTS[output])


def _possible_outputs(estimator: Any) -> list[str]:
    """List the outputs an estimator has, the one that "auto" means first."""
    wanted = ["prediction"] if is_regressor(estimator) else ["margin", "probability"]
    if not is_regressor(estimator) and not is_classifier(estimator):
        wanted.append("prediction")
    possible = [name for name in wanted if hasattr(estimator, OUTPUTS[name])]
    if not possible:
        raise ValueError(
            f"{_name(estimator)} has neither decision_function nor predict_proba; "
            "its labels alone cannot be explained"
        )
    return possible


def select_outputs(raw: RawOutput, probe: np.ndarray, target: Any) -> ModelOutput:
    """Choose the columns of the output that `target` asks for.

    `probe` is the output on some rows: its shape says how many columns there are.
    """
    labels = _labels(raw, probe)
    is_margin_of_two = probe.ndim == 1 and len(labels) == 2
    if isinstance(target, str) and target == "predicted" and target not in labels:
        return _select_predicted(raw, labels)
    if target is None:
        picked = [1] if is_margin_of_two else list(range(len(labels)))
    elif isinstance(target, list | tuple | np.ndarray):
        picked = [_find(label, labels) for label in target]
    else:
        picked = [_find(target, labels)]
    if not picked:
        raise ValueError("target must name at least one output, got an empty list")
    has_names = len(labels) > 1
    names = tuple(str(labels[k]) for k in picked) if has_names else None
    return ModelOutput(raw, labels, tuple(picked), names)


def _select_predicted(raw: RawOutput, labels: tuple[Any, ...]) -> ModelOutput:
    if not is_classifier(raw.estimator):
        raise ValueError(
            f"target='predicted' needs a classifier, got {_name(raw.estimator)}"
        )
    names = tuple(str(label) for label in labels)
    every = tuple(range(len(labels)))
    return ModelOutput(raw, labels, every, names, is_per_row=True)


def _labels(raw: RawOutput, probe: np.ndarray) -> tuple[Any, ...]:
    """Return one label per output, in the order of its columns."""
    width = 1 if probe.ndim == 1 else probe.shape[1]
    if not is_classifier(raw.estimator):
        return tuple(f"Output {k}" for k in range(width))
    labels = tuple(np.asarray(raw.estimator.classes_).tolist())
    if len(labels) == 1:
        raise ValueError(
            f"{_name(raw.estimator)} was fitted on the one class {labels[0]!r}; "
            "there is nothing to explain"
        )
    if width != len(labels) and not (probe.ndim == 1 and len(labels) == 2):
        raise ValueError(
            f"{_name(raw.estimator)}.{raw.method} gives {width} columns for "
            f"{len(labels)} classes; try output='probability'"
        )
    return labels


def _find(target: Any, labels: tuple[Any, ...]) -> int:
    """Find a label, or else take the target as its index."""
    if target in labels:
        return labels.index(target)
    if isinstance(target, int | np.integer) and 0 <= target < len(labels):
        return int(target)
    raise ValueError(
        f"target must be one of {list(labels)} or an index below {len(labels)}, "
        f"got {target!r}"
    )


def _name(estimator: Any) -> str:
    return type(estimator).__name__
