"""What every explanation method gets, and the object that every method returns.

A method reads a `Problem` and hands its numbers to `to_explanation`; how it came to
them is its own affair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._optional import require
from sknn.explain._outputs import ModelOutput
from sknn.explain._players import Players, players_of
from sknn.explain._table import Table

if TYPE_CHECKING:
    import shap

__all__ = ["CodedModel", "Problem"]


@dataclass(frozen=True)
class CodedModel:
    """The explained outputs as a function of codes; an object, not a bound method."""

    output: ModelOutput
    table: Table

    @property
    def n_outputs(self) -> int:
        """How many outputs there are."""
        return len(self.output.picked)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Return (n, C) float64 outputs for codes (n, d)."""
        return self.output(self.table.decode(codes))


@dataclass(frozen=True)
class Problem:
    """The model, the rows to explain and the rows to compare them with, as codes."""

    model: CodedModel
    background: np.ndarray  # (B, d) codes
    X: np.ndarray  # (n, d) codes
    chosen: np.ndarray | None  # the output each row wants; None: the same for all
    rounds: int
    seed: int
    dtype: Any = np.float64
    tol: float | None = None  # a standard error to reach
    groups: Players | None = None  # None: every column is a player
    found: dict[str, Any] = field(default_factory=dict)  # what methods share

    @property
    def table(self) -> Table:
        """The columns behind the codes."""
        return self.model.table

    @property
    def players(self) -> Players:
        """What shares the output."""
        if self.groups is None:
            return players_of("columns", self.table.names)
        return self.groups

    def row_seed(self, i: int) -> int:
        """Return a seed below 2**32 that depends on the values of row i alone."""
        entropy = [self.seed, self.table.fingerprint(self.X[i])]
        return int(np.random.SeedSequence(entropy).generate_state(1)[0])

    def narrow(self, values: np.ndarray) -> np.ndarray:
        """Drop the outputs that a row did not ask for, and the axis of a single one.

        (n, ..., C) become (n, ...), or stay where several outputs are explained.
        """
        if self.chosen is not None:
            return np.moveaxis(values, -1, 1)[np.arange(len(values)), self.chosen]
        return values[..., 0] if values.shape[-1] == 1 else values

    def output_names(self) -> list[str] | str | None:
        """Return the names that belong to narrowed values."""
        names = self.model.output.names
        if names is None or self.chosen is not None:
            return None
        return names[0] if len(names) == 1 else list(names)

    def to_explanation(
        self,
        values: np.ndarray,
        base_values: np.ndarray,
        *,
        seconds: float,
        error_std: np.ndarray | None = None,
        kind: Any = None,
    ) -> shap.Explanation:
        """Make a shap.Explanation of values (n, d, C) and base_values (n, C)."""
        kind = require("shap").Explanation if kind is None else kind
        return kind(
            values=self.narrow(values),
            base_values=self.narrow(base_values),
            data=self.players.data(self.X),
            display_data=self.players.display(self.X, self.table),
            feature_names=self.players.names,
            output_names=self.output_names(),
            error_std=None if error_std is None else self.narrow(error_std),
            compute_time=seconds,
        )
