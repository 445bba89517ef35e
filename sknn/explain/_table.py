"""A table as numbers: one float64 code per cell, and the way back.

A number is its own code; every other value (string, category, boolean, date) is
coded by its place among the column's levels. Knows no model and no explainer.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn.explain._formats import Format, format_of

__all__ = ["Column", "Table", "encode"]

EXACT = 2**53  # float64 holds every integer up to here


@dataclass(frozen=True)
class Column:
    """What is needed to turn the codes of one column back into values."""

    name: str
    dtype: Any = None
    levels: Any = None  # values by code, in the container's type; None: numeric
    labels: tuple[str, ...] = ()  # the same as text
    has_missing: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether the codes are the values themselves."""
        return self.levels is None

    def decode(self, codes: np.ndarray, form: Format) -> Any:
        """Return values in the column's original dtype."""
        if self.is_numeric:
            return form.from_float(codes, self.dtype)
        return form.take(self.levels, codes.astype(np.intp))

    def display(self, codes: np.ndarray) -> np.ndarray:
        """Return what a reader should see: numbers, or the levels as text."""
        if self.is_numeric:
            return codes.astype(object)
        return np.array(self.labels, dtype=object)[codes.astype(np.intp)]


@dataclass(frozen=True)
class Table:
    """The columns of a table and its kind: decodes codes, shows them as text."""

    columns: tuple[Column, ...]
    form: Format
    is_plain: bool = False  # all numbers of one type: no work per column

    @property
    def names(self) -> list[str]:
        """Column names as text."""
        return [column.name for column in self.columns]

    @property
    def coded(self) -> list[int]:
        """Positions of the columns that are not numeric."""
        return [j for j, column in enumerate(self.columns) if not column.is_numeric]

    @property
    def missing(self) -> list[str]:
        """Names of the columns with missing values."""
        return [column.name for column in self.columns if column.has_missing]

    def decode(self, codes: np.ndarray) -> Any:
        """Rebuild the original kind of table from codes (n, d)."""
        if self.is_plain:
            return self.form.from_codes(codes)
        values = [c.decode(codes[:, j], self.form) for j, c in enumerate(self.columns)]
        return self.form.assemble(values)

    def display(self, codes: np.ndarray) -> np.ndarray | None:
        """Return the cells for a reader, or None where the codes say it already."""
        if not self.coded:
            return None
        cells = [column.display(codes[:, j]) for j, column in enumerate(self.columns)]
        return np.column_stack(cells)

    def fingerprint(self, row: np.ndarray) -> int:
        """Hash the values of one row; what other rows hold makes no difference."""
        row = row + 0.0  # a copy in which -0.0 and 0.0 are the same
        for j in self.coded:
            row[j] = zlib.crc32(self.columns[j].labels[int(row[j])].encode())
        return zlib.crc32(row.tobytes())


def encode(
    background: Any, X: Any, names: Sequence[str]
) -> tuple[Table, np.ndarray, np.ndarray]:
    """Code two tables of one kind alike.

    Returns the `Table` that decodes them, and the codes of either.
    """
    stacked = format_of(X).stack(background, X)
    form = format_of(stacked)
    codes = form.to_codes(stacked)
    if codes is not None and _are_exact(codes, form):
        columns = [Column(n, has_missing=m) for n, m in _missing(names, codes)]
        table = Table(tuple(columns), form, is_plain=True)
    else:
        pairs = [
            _encode_column(name, form.column(stacked, j), form)
            for j, name in enumerate(names)
        ]
        table = Table(tuple(column for column, _ in pairs), form)
        codes = np.column_stack([values for _, values in pairs])
    n = background.shape[0]
    return table, codes[:n], codes[n:]


def _missing(names: Sequence[str], codes: np.ndarray) -> list[tuple[str, bool]]:
    return list(zip(names, np.isnan(codes).any(axis=-2).tolist(), strict=True))


def _are_exact(codes: np.ndarray, form: Format) -> bool:
    is_integer = getattr(getattr(form, "dtype", None), "kind", "f") in "iu"
    return not is_integer or float(np.abs(codes).max()) < EXACT


def _encode_column(name: str, column: Any, form: Format) -> tuple[Column, np.ndarray]:
    kind = form.kind(column)
    if kind == "complex":
        raise ValueError(f"column {name!r} holds complex numbers; X must be real")
    if kind in ("float", "integer"):
        codes = form.to_float(column)
        if kind == "float" or np.nanmax(np.abs(codes), initial=0) < EXACT:
            is_missing = bool(np.isnan(codes).any())
            return Column(name, column.dtype, has_missing=is_missing), codes
    return _encode_levels(name, column, form)


def _encode_levels(name: str, column: Any, form: Format) -> tuple[Column, np.ndarray]:
    values = form.to_list(column)
    first: dict[Hashable, int] = {}
    try:
        keys = [_key(value) for value in values]
        for i, key in enumerate(keys):
            first.setdefault(key, i)
    except TypeError:
        raise ValueError(
            f"column {name!r} holds values that cannot be told apart by hash, such as "
            "lists; turn them into numbers or strings"
        ) from None
    order = _sorted_keys(first, values, form.order(column))
    position = {key: code for code, key in enumerate(order)}
    indices = np.array([first[key] for key in order])
    levels = Column(
        name,
        column.dtype,
        levels=form.take(column, indices),
        labels=tuple(str(values[i]) for i in indices),
        has_missing=any(_is_missing(values[i]) for i in indices),
    )
    return levels, np.array([position[key] for key in keys], dtype=np.float64)


def _is_missing(value: Any) -> bool:
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas.NA has no truth value
        return True


def _key(value: Any) -> Hashable:
    # the type keeps True, 1 and 1.0 apart, and None from NaN
    key = (type(value).__name__, None if _is_missing(value) else value)
    hash(key)
    return key


def _sorted_keys(
    first: dict[Hashable, int], values: list, order: list | None
) -> list[Hashable]:
    """Sort by the dtype's order or by value; missing values come last."""
    missing = {key for key, i in first.items() if _is_missing(values[i])}
    present = [key for key in first if key not in missing]
    if order is not None:
        rank = {_key(value): place for place, value in enumerate(order)}
        present.sort(key=lambda key: rank[key])
    else:
        try:
            present.sort(key=lambda key: values[first[key]])
        except TypeError:  # values of several types
            present.sort(key=str)
    return [*present, *sorted(missing, key=str)]
