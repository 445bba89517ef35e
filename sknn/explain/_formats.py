"""How each kind of table is taken apart into columns and put together again.

One frozen class per kind (array, sparse matrix, pandas, polars); what a column
means to an explanation is left to `_table`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

__all__ = [
    "ArrayFormat",
    "Format",
    "PandasFormat",
    "PolarsFormat",
    "SparseFormat",
    "as_table",
    "format_of",
]

KINDS = {"f": "float", "i": "integer", "u": "integer", "c": "complex"}
DENSE_CELLS = 10**8  # 0.8 GB of float64


def as_table(X: Any, name: str) -> Any:
    """Return X as a two-dimensional table with at least one row and column."""
    if not (_is_pandas(X) or _is_polars(X) or sp.issparse(X)):
        X = np.asarray(X)
    shape = tuple(X.shape)
    if 0 in shape:
        raise ValueError(
            f"{name} must have at least one row and one column, got shape {shape}"
        )
    if len(shape) != 2:
        raise ValueError(
            f"{name} must have rows and columns, got shape {shape}; "
            f"a single row is {name}[[i]] or {name}.iloc[[i]]"
        )
    return X


def format_of(X: Any) -> Format:
    """Choose the format of a table."""
    if _is_pandas(X):
        return PandasFormat(X.columns)
    if _is_polars(X):
        return PolarsFormat(tuple(X.columns))
    if sp.issparse(X):
        return SparseFormat(isinstance(X, sp.sparray))
    return ArrayFormat(X.dtype)


def _is_pandas(X: Any) -> bool:
    return hasattr(X, "iloc") and hasattr(X, "columns")


def _is_polars(X: Any) -> bool:
    return type(X).__module__.partition(".")[0] == "polars" and hasattr(X, "shape")


def _are_numbers(values: Iterable[Any]) -> bool:
    real = (int, float, np.integer, np.floating)
    return all(isinstance(v, real) and not isinstance(v, bool) for v in values)


class Format:
    """What every kind of table can do."""

    label: ClassVar[str]
    names: Any = None  # column names, for the kinds that have them

    def rows(self, X: Any, indices: np.ndarray) -> Any:
        """Pick rows by position."""
        return X[indices]

    def select(self, X: Any, names: Sequence[str]) -> Any:
        """Pick columns by name."""
        raise NotImplementedError

    def stack(self, first: Any, second: Any) -> Any:
        """Put the rows of two tables of this kind under one another."""
        raise NotImplementedError

    def to_codes(self, X: Any) -> np.ndarray | None:
        """Return a table of plain numbers as float64; None for other tables."""
        return None

    def from_codes(self, codes: np.ndarray) -> Any:
        """Invert `to_codes`."""
        raise NotImplementedError

    def column(self, X: Any, j: int) -> Any:
        """Return one column in the container's own type."""
        return X[:, j]

    def kind(self, column: Any) -> str:
        """Say "float", "integer", "complex", or "levels" for all the rest."""
        raise NotImplementedError

    def order(self, column: Any) -> list | None:
        """Return the order that the column's dtype gives its values, if any."""
        return None

    def to_list(self, column: Any) -> list:
        """Return the column's values as Python objects."""
        return column.tolist()

    def to_float(self, column: Any) -> np.ndarray:
        """Return a numeric column as float64, missing values as NaN."""
        return column.astype(np.float64)

    def from_float(self, values: np.ndarray, dtype: Any) -> Any:
        """Invert `to_float`; numbers between two integers go to the nearest."""
        raise NotImplementedError

    def take(self, levels: Any, indices: np.ndarray) -> Any:
        """Pick values by position, repeats allowed."""
        return levels.take(indices)

    def assemble(self, columns: Sequence[Any]) -> Any:
        """Make a table of columns."""
        raise NotImplementedError


@dataclass(frozen=True)
class ArrayFormat(Format):
    """A NumPy array; floats of any width come back as float64."""

    dtype: Any
    label: ClassVar[str] = "array"

    def stack(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.concatenate([first, second])

    def to_codes(self, X: np.ndarray) -> np.ndarray | None:
        return X.astype(np.float64) if self.kind(X) in ("float", "integer") else None

    def from_codes(self, codes: np.ndarray) -> np.ndarray:
        return self.from_float(codes, self.dtype)

    def kind(self, column: np.ndarray) -> str:
        if column.dtype.kind == "O" and column.ndim == 1 and _are_numbers(column):
            return "float"
        return KINDS.get(column.dtype.kind, "levels")

    def from_float(self, values: np.ndarray, dtype: Any) -> np.ndarray:
        return np.rint(values).astype(dtype) if dtype.kind in "iu" else values

    def assemble(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        table = np.empty((len(columns[0]), len(columns)), dtype=self.dtype)
        for j, column in enumerate(columns):
            table[:, j] = column
        return table


@dataclass(frozen=True)
class SparseFormat(Format):
    """A SciPy sparse matrix: dense while it is perturbed, CSR for the model."""

    is_array: bool
    label: ClassVar[str] = "sparse matrix"

    def rows(self, X: Any, indices: np.ndarray) -> Any:
        return X.tocsr()[indices]

    def stack(self, first: Any, second: Any) -> Any:
        return self._rows_of(sp.vstack([first, second]))

    def to_codes(self, X: Any) -> np.ndarray:
        if X.shape[0] * X.shape[1] > DENSE_CELLS:
            raise ValueError(
                f"X and background are sparse with {X.shape[0]} rows and "
                f"{X.shape[1]} columns, which is too large to make dense; "
                "explain fewer rows or select columns"
            )
        return X.toarray().astype(np.float64)

    def from_codes(self, codes: np.ndarray) -> Any:
        return self._rows_of(codes)

    def _rows_of(self, values: Any) -> Any:
        return sp.csr_array(values) if self.is_array else sp.csr_matrix(values)


@dataclass(frozen=True)
class PandasFormat(Format):
    """A pandas DataFrame: every column keeps its dtype."""

    names: Any
    label: ClassVar[str] = "pandas DataFrame"

    def rows(self, X: Any, indices: np.ndarray) -> Any:
        return X.iloc[indices]

    def select(self, X: Any, names: Sequence[str]) -> Any:
        return X[list(names)]

    def stack(self, first: Any, second: Any) -> Any:
        import pandas as pd

        first, second = first.copy(), second.copy()
        for name in self.names:
            a, b = first[name], second[name]
            if a.dtype != b.dtype and hasattr(a, "cat") and hasattr(b, "cat"):
                union = a.cat.categories.union(b.cat.categories, sort=False)
                first[name] = a.cat.set_categories(union)
                second[name] = b.cat.set_categories(union)
        return pd.concat([first, second], ignore_index=True)

    def column(self, X: Any, j: int) -> Any:
        return X.iloc[:, j]

    def kind(self, column: Any) -> str:
        if column.dtype == object and _are_numbers(column):
            return "float"
        return KINDS.get(column.dtype.kind, "levels")

    def order(self, column: Any) -> list | None:
        return column.cat.categories.tolist() if hasattr(column, "cat") else None

    def to_float(self, column: Any) -> np.ndarray:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)

    def from_float(self, values: np.ndarray, dtype: Any) -> Any:
        import pandas as pd

        if KINDS.get(dtype.kind) == "integer":
            values = np.rint(values)
        return pd.Series(values).astype(dtype)

    def take(self, levels: Any, indices: np.ndarray) -> Any:
        import pandas as pd

        # the dtype again, or pandas would turn objects into strings
        return pd.Series(levels.array.take(indices), dtype=levels.dtype)

    def assemble(self, columns: Sequence[Any]) -> Any:
        import pandas as pd

        table = pd.DataFrame(dict(enumerate(columns)))
        table.columns = self.names
        return table


@dataclass(frozen=True)
class PolarsFormat(Format):
    """A polars DataFrame: every column keeps its dtype, nulls stay nulls."""

    names: tuple[str, ...]
    label: ClassVar[str] = "polars DataFrame"

    def select(self, X: Any, names: Sequence[str]) -> Any:
        return X.select(list(names))

    def stack(self, first: Any, second: Any) -> Any:
        import polars as pl

        return pl.concat([first, second], how="vertical_relaxed")

    def kind(self, column: Any) -> str:
        if column.dtype.is_float():
            return "float"
        return "integer" if column.dtype.is_integer() else "levels"

    def to_list(self, column: Any) -> list:
        return column.to_list()

    def to_float(self, column: Any) -> np.ndarray:
        import polars as pl

        return column.cast(pl.Float64).fill_null(np.nan).to_numpy()

    def from_float(self, values: np.ndarray, dtype: Any) -> Any:
        import polars as pl

        values = np.rint(values) if dtype.is_integer() else values
        return pl.Series(values).fill_nan(None).cast(dtype)

    def take(self, levels: Any, indices: np.ndarray) -> Any:
        return levels.gather(indices)

    def assemble(self, columns: Sequence[Any]) -> Any:
        import polars as pl

        return pl.DataFrame(dict(zip(self.names, columns, strict=True)))
