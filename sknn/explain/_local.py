"""Local fits, and a shap.Explanation that carries them.

Holds what a fit is and how its numbers are cut with the explanation; the fits are made
elsewhere.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from sknn.explain._lime_html import html_of
from sknn.explain._lime_native import RidgeFit
from sknn.explain._optional import require
from sknn.explain._problem import Problem

__all__ = ["LocalFits", "local_explanation_class", "wanted"]

FITTED = ("score_", "intercept_", "local_pred_")
SOURCES = ("text_", "positions_", "image_", "segments_")  # of texts and images


class LocalFits(NamedTuple):
    """What was found around n rows, by output; NaN where none was asked for."""

    contributions: np.ndarray  # (n, d, C)
    error: np.ndarray  # (n, d, C), of the contributions
    intercept: np.ndarray  # (n, C)
    score: np.ndarray  # (n, C)

    @classmethod
    def blank(cls, shape: tuple[int, ...]) -> LocalFits:
        """Make some of shape (n, d, C) that hold no numbers yet."""
        n, _, n_outputs = shape
        by_column = np.full((2, *shape), np.nan)
        return cls(*by_column, *np.full((2, n, n_outputs), np.nan))

    def fill(self, at: Any, place: np.ndarray, ridge: RidgeFit) -> None:
        """Write fits, by rows and outputs, at the rows' places in them."""
        rows, outputs = at
        self.contributions[rows, :, outputs] = ridge.coef * place[..., None]
        self.error[rows, :, outputs] = ridge.error * np.abs(place)[..., None]
        self.intercept[at], self.score[at] = ridge.intercept, ridge.score


def wanted(problem: Problem, i: int) -> list[int]:
    """Return the outputs that row i is explained for."""
    every = list(range(problem.model.n_outputs))
    return every if problem.chosen is None else [int(problem.chosen[i])]


@functools.cache
def local_explanation_class() -> Any:
    """Make the subclass of shap.Explanation that carries local fits."""
    base: Any = require("shap").Explanation

    class LocalExplanation(base):
        """A shap.Explanation with `score_`, `intercept_`, `local_pred_`, `lime_`."""

        def __getitem__(self, item: Any) -> Any:
            part = super().__getitem__(item)
            if has_columns(self):
                carry(self, part, item)
            return part

        @property
        def heatmap(self) -> np.ndarray:
            """Contributions of an image's segments by pixel, (h, w) or (h, w, C)."""
            if not hasattr(self, "segments_"):
                raise AttributeError("only explanations of images have a heatmap")
            return np.asarray(self.values)[self.segments_]

        def _repr_html_(self) -> str | None:
            return html_of(self) if has_columns(self) else None

    LocalExplanation.__module__ = __name__
    LocalExplanation.__qualname__ = "LocalExplanation"
    return LocalExplanation


def __getattr__(name: str) -> Any:
    # pickle looks the class up by name, where no one has needed it yet
    if name == "LocalExplanation":
        return local_explanation_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def has_columns(explanation: Any) -> bool:
    """Return whether there are fits, and the columns have not been cut away."""
    score = getattr(explanation, "score_", None)
    return score is not None and np.ndim(score) == np.ndim(explanation.values) - 1


def carry(whole: Any, part: Any, item: Any) -> None:
    """Cut the local fits of an explanation for a part of it.

    Where the part is more than a choice it stays a plain shap.Explanation.
    """
    is_single = np.ndim(whole.data) == 1  # one row; its first axis are the columns
    axes = _axes(item, whole.values.ndim)
    rows, columns, output = (slice(None), *axes)[:3] if is_single else axes
    if not isinstance(rows, int | np.integer | slice | list | np.ndarray):
        return
    part.__class__ = type(whole)
    for name in FITTED:
        part.__dict__[name] = _cut(getattr(whole, name), rows, output, whole, is_single)
    part.lime_ = whole.lime_ if is_single or whole.lime_ is None else whole.lime_[rows]
    if isinstance(columns, slice) and columns == slice(None):
        part.__dict__.update({k: v for k, v in vars(whole).items() if k in SOURCES})


def _axes(item: Any, ndim: int) -> tuple[Any, Any, Any]:
    """Write an index out for three axes."""
    item = item if isinstance(item, tuple) else (item,)
    if any(part is Ellipsis for part in item):
        at = [part is Ellipsis for part in item].index(True)
        fill = (slice(None),) * (ndim - len(item) + 1)
        item = item[:at] + fill + item[at + 1 :]
    first, second, third = (*item, *(slice(None),) * 3)[:3]
    return first, second, third


def _cut(values: Any, rows: Any, output: Any, whole: Any, is_single: bool) -> Any:
    if not is_single:
        values = values[rows]
    has_outputs = whole.values.ndim == (2 if is_single else 3)
    if isinstance(output, str):
        output = list(whole.output_names).index(output)
    return values[..., output] if has_outputs else values
