"""A model, rows and a background, asked what happens when columns are hidden.

Also fits explanations to the rows they were made for; computes no metric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._alignment import (
    align,
    as_fitted,
    choose_background,
    column_names,
    fitted_names,
)
from sknn.explain._masking import CELLS
from sknn.explain._outputs import RawOutput, raw_output, select_outputs
from sknn.explain._problem import CodedModel
from sknn.explain._table import encode

if TYPE_CHECKING:
    import shap

__all__ = ["Game", "as_outputs", "attributions", "narrow", "prepare"]


@dataclass(frozen=True)
class Game:
    """The columns of each row as players, the explained outputs as what they win."""

    model: CodedModel
    background: np.ndarray  # (B, d) codes
    X: np.ndarray  # (n, d) codes
    chosen: np.ndarray | None  # the output each row wants; None: the same for all
    target: Any  # as `explain` takes it

    @property
    def names(self) -> list[str]:
        """Column names as text."""
        return self.model.table.names

    @property
    def n_outputs(self) -> int:
        """How many outputs are explained for each row."""
        return self.model.n_outputs if self.chosen is None else 1

    def outputs(self, i: int, codes: np.ndarray) -> np.ndarray:
        """Return the outputs (m, C) that row i is explained by, at codes (m, d)."""
        values = self.model(codes)
        return values if self.chosen is None else values[:, [self.chosen[i]]]

    def predictions(self) -> np.ndarray:
        """Return the explained outputs of all rows, (n, C)."""
        values = self.model(self.X)
        if self.chosen is None:
            return values
        return np.take_along_axis(values, self.chosen[:, None], axis=1)

    def base(self) -> np.ndarray:
        """Return the mean output over the background for each row, (n, C)."""
        mean = self.model(self.background).mean(axis=0)
        if self.chosen is None:
            return np.tile(mean, (len(self.X), 1))
        return mean[self.chosen][:, None]

    def worth(self, i: int, shown: np.ndarray) -> np.ndarray:
        """Average outputs over the background in the columns of row i not shown.

        shown (m, d) → (m, C)
        """
        step = max(1, CELLS // self.background.size)
        parts = [
            self._worth(i, shown[start : start + step])
            for start in range(0, len(shown), step)
        ]
        return np.concatenate(parts)

    def _worth(self, i: int, shown: np.ndarray) -> np.ndarray:
        rows = np.where(shown[:, None, :], self.X[i], self.background)
        values = self.outputs(i, rows.reshape(-1, rows.shape[-1]))
        return values.reshape(*rows.shape[:2], -1).mean(axis=1)


def prepare(
    estimator: Any,
    X: Any,
    background: Any,
    *,
    output: str,
    target: Any,
    explanation: shap.Explanation | None = None,
) -> Game:
    """Code the tables and choose the outputs, those of `explanation` if target=None."""
    if background is None:
        raise ValueError(
            "background must be a table of rows to compare with, got None; "
            "pass the rows that the explanation was made with"
        )
    raw = raw_output(estimator, output)
    X = align(estimator, X, "X", fitted_names(estimator))
    background = choose_background(estimator, X, background, 0)
    names = column_names(estimator, X)
    table, background, X = encode(*as_fitted(estimator, background, X), names)
    values = raw(table.decode(X))
    if explanation is not None and target is None:
        target = _target_of(explanation, raw, values)
    chosen = select_outputs(raw, values, target)
    per_row = chosen.per_row(table.decode(X))
    return Game(CodedModel(chosen, table), background, X, per_row, target)


def _target_of(explanation: Any, raw: RawOutput, values: np.ndarray) -> Any:
    """Return the target that the output names of an explanation stand for."""
    names = getattr(explanation, "output_names", None)
    every = select_outputs(raw, values, None)
    if names is None:
        is_single = np.ndim(explanation.values) == 2
        is_per_row = is_single and hasattr(raw.estimator, "classes_")
        return "predicted" if is_per_row else None
    labels = {str(label): label for label in every.labels}
    wanted = [names] if isinstance(names, str) else [str(name) for name in names]
    unknown = [name for name in wanted if name not in labels]
    if unknown:
        raise ValueError(
            f"explanation has the outputs {unknown}, which are not among "
            f"{[*labels]} of {type(raw.estimator).__name__}; say which with target="
        )
    found = [labels[name] for name in wanted]
    return found[0] if isinstance(names, str) else found


def attributions(game: Game, explanation: shap.Explanation, name: str) -> np.ndarray:
    """Return the values of an explanation of the game's rows as (n, d, C)."""
    values = as_outputs(explanation, name)
    expected = (*game.X.shape, game.n_outputs)
    if values.shape != expected:
        raise ValueError(
            f"{name} must have a value for each of {expected[0]} rows, {expected[1]} "
            f"columns and {expected[2]} outputs, got shape {values.shape}; give the X, "
            "output= and target= that it was made with, and columns in place of groups"
        )
    found = getattr(explanation, "feature_names", None)
    found = game.names if found is None else [str(label) for label in found]
    is_nameless = game.names == [f"x{j}" for j in range(len(game.names))]
    if found != game.names and not is_nameless:
        raise ValueError(f"{name} has the columns {found}, X {game.names}")
    _check_rows(game, getattr(explanation, "data", None), name)
    return values


def _check_rows(game: Game, data: Any, name: str) -> None:
    """Refuse an explanation of other rows, as far as its numbers tell."""
    is_coded = isinstance(data, np.ndarray) and data.dtype.kind in "fiu"
    if not is_coded or data.shape != game.X.shape:
        return
    columns = game.model.table.columns
    numeric = [j for j, column in enumerate(columns) if column.is_numeric]
    same = np.isclose(data[:, numeric], game.X[:, numeric], equal_nan=True)
    if not same.all():
        row = int(np.flatnonzero(~same.all(axis=1))[0])
        raise ValueError(
            f"{name} is of other rows than X: they differ from row {row} on; "
            "give both the same rows in the same order"
        )


def as_outputs(explanation: shap.Explanation, name: str) -> np.ndarray:
    """Return the values of an explanation as finite float64 numbers (n, d, C)."""
    values = np.asarray(getattr(explanation, "values", None), dtype=np.float64)
    if values.ndim not in (2, 3):
        raise ValueError(
            f"{name} must be a shap.Explanation with values of shape (n, d) or "
            f"(n, d, outputs), got shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must have finite values, got NaN or infinity")
    return values if values.ndim == 3 else values[:, :, None]


def narrow(values: np.ndarray, explanation: shap.Explanation) -> np.ndarray:
    """Drop the last axis of (n, C) numbers if the explanation has no outputs."""
    return values[..., 0] if np.ndim(explanation.values) == 2 else values
