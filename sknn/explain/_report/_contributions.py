"""The explained rows by each method, and what they say of the columns as a whole.

Asks `explain`; what is kept of a row for the page lies in `_rows`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn.explain._explain import METHODS, explain
from sknn.explain._formats import format_of
from sknn.explain._report._subject import Subject

__all__ = ["Contribution", "check_methods", "contributions_of", "importance_of"]

Z95 = 1.96  # standard errors to either side
SHAPLEY = ("auto", "linear", "exact", "permutation", "kernel", "deep")  # add up


@dataclass(frozen=True)
class Contribution:
    """What one method found: n rows, d columns, C outputs."""

    method: str
    outputs: list[str]
    values: np.ndarray  # (n, d, C)
    base: np.ndarray  # (n, C)
    score: np.ndarray | None  # (n, C), R² of local fits
    data: np.ndarray  # (n, d) codes
    display: np.ndarray | None  # (n, d) texts
    seconds: float

    @property
    def total(self) -> np.ndarray:
        """What the contributions add up to, (n, C)."""
        return self.base + self.values.sum(axis=1)

    def facts(self) -> dict[str, Any]:
        """Return what the page says of the method."""
        label = {"auto": "SHAP", "permutation": "SHAP", "exact": "SHAP", "lime": "LIME"}
        return {
            "label": label.get(self.method, self.method.replace("_", " ")),
            "adds_up": self.method in SHAPLEY,
            "seconds": self.seconds,
        }


def check_methods(methods: Sequence[str]) -> list[str]:
    """Return the names of the methods, all of which there are."""
    names = [methods] if isinstance(methods, str) else list(methods)
    known = ["auto", *METHODS]
    unknown = [name for name in names if name not in known]
    if unknown or not names or len(set(names)) < len(names):
        raise ValueError(f"methods must be different names of {known}, got {names}")
    return names


def contributions_of(
    subject: Subject,
    indices: np.ndarray,
    methods: Sequence[str],
    output: str,
    seed: int,
) -> tuple[list[Contribution], list[str]]:
    """Explain rows by every method; also say why a later one is left out."""
    found, omitted = [], []
    for method in methods:
        try:
            found.append(_explained(subject, indices, method, output, seed))
        except (ValueError, NotImplementedError) as error:
            if not found:
                raise
            reason = f"method={method!r} is left out: {error}"
            warnings.warn(f"{reason}; name other methods=", UserWarning, stacklevel=4)
            omitted.append(reason)
    return found, omitted


def _explained(
    subject: Subject, indices: np.ndarray, method: str, output: str, seed: int
) -> Contribution:
    explanation = explain(
        subject.estimator,
        format_of(subject.X).rows(subject.X, indices),
        background=subject.background,
        method=method,
        output=output,
        target=subject.target,
        random_state=seed,
    )
    score = getattr(explanation, "score_", None)
    return Contribution(
        method=method,
        outputs=_names(explanation.output_names),
        values=_with_outputs(explanation.values, 3),
        base=_with_outputs(explanation.base_values, 2),
        score=None if score is None else _with_outputs(score, 2),
        data=np.asarray(explanation.data, dtype=np.float64),
        display=explanation.display_data,
        seconds=float(explanation.compute_time),
    )


def _names(names: Any) -> list[str]:
    if names is None:
        return [""]
    return [names] if isinstance(names, str) else [str(name) for name in names]


def _with_outputs(values: Any, ndim: int) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    return values[..., None] if values.ndim < ndim else values


def importance_of(contribution: Contribution) -> dict[str, Any]:
    """Return mean absolute contributions and half their intervals, (C, d) each."""
    absolute = np.abs(contribution.values)
    n = len(absolute)
    half = np.full(absolute.shape[1:], np.nan)
    if n > 1:
        half = Z95 * absolute.std(axis=0, ddof=1) / np.sqrt(n)
    return {"mean": absolute.mean(axis=0).T.tolist(), "half": half.T.tolist()}
