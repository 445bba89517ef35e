"""What goes into the graph: one matrix, or a tensor for each column; columns encoded.

The encoder is that of `sknn.estimators`: this room says as operators what it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.estimators._columns import ColumnEncoder, _count_categories
from sknn.estimators._scaling import _HUGE, _LIMIT, NumericScaler
from sknn.export._graph import ML, TEXT, Graph, Tensor


@dataclass(frozen=True)
class Source:
    """The columns of X.

    Parameters
    ----------
    graph : Graph
        Whose inputs they are.
    matrix : Tensor or None
        All columns, where they are numbers.
    columns : tuple of Tensor
        Otherwise one tensor of shape (n, 1) for each, of numbers or strings.
    """

    graph: Graph
    matrix: Tensor | None
    columns: tuple[Tensor, ...] = ()

    def select(self, indices: tuple[int, ...]) -> Tensor:
        """Return these columns side by side."""
        if self.matrix is not None:
            return self.matrix.columns(indices)
        return self.graph.concat([self.columns[i] for i in indices])

    def encode(self, encoder: ColumnEncoder | None) -> Tensor:
        """Return the matrix that a network sees; without an encoder it is X."""
        if encoder is None:
            assert self.matrix is not None
            return self.matrix
        numeric, parts = encoder.numeric_columns, []
        if numeric:
            parts = _encode_numbers(self.select(numeric), encoder)
        for i, one in zip(encoder.categorical_columns, encoder.encoders, strict=True):
            code = _encode_categories(self.select((i,)), one)
            parts.append(code.cast(parts[0].dtype if parts else np.float64))
        return self.graph.concat(parts)


def declare_inputs(
    graph: Graph, n_features: int, dtype: Any, texts: set[int], names: Any
) -> Source:
    """Declare "X", or one input for each column where some hold strings."""
    if not texts:
        return Source(graph, graph.input("X", dtype, n_features))
    names = [f"x{i}" for i in range(n_features)] if names is None else list(names)
    columns = [
        graph.input(str(name), TEXT if i in texts else dtype, 1)
        for i, name in enumerate(names)
    ]
    return Source(graph, None, tuple(columns))


def text_columns(encoder: ColumnEncoder | None) -> set[int]:
    """Return which columns of X have categories that are strings."""
    if encoder is None:
        return set()
    parts = zip(encoder.categorical_columns, encoder.encoders, strict=True)
    return {i for i, one in parts if _holds_text(i, _categories(one))}


def _categories(encoder: Any) -> Array:
    """Return the categories of one column; missing is none."""
    return encoder.categories_[0][: _count_categories(encoder)]


def _holds_text(i: int, categories: Array) -> bool:
    """Tell strings from numbers; raise ValueError where both are in one column."""
    kinds = {isinstance(category, str) for category in categories}
    numbers = all(
        isinstance(c, bool | int | float | np.number | np.bool_ | str)
        for c in categories
    )
    if len(kinds) > 1 or not numbers:
        raise ValueError(
            f"The categories of column {i} are neither all strings nor all numbers, "
            f"which ONNX cannot hold: {categories[:5].tolist()!r}. Put an encoder for "
            "this column before the network in a pipeline."
        )
    return kinds == {True}


def _encode_numbers(x: Tensor, encoder: ColumnEncoder) -> list[Tensor]:
    """Return the numbers filled and scaled, and indicators of what was missing."""
    indicators = []
    if encoder.imputer is not None:
        missing = x.is_nan()
        if encoder.n_indicators:
            features = encoder.imputer.indicator_.features_
            indicators = [missing.columns(features).cast(x.dtype)]
        means = encoder.imputer.statistics_[None]
        x = x.graph.where(missing, means, x, x)
    if encoder.scaler is not None:
        x = _scale(x, encoder.scaler)
    return [x, *indicators]


def _scale(x: Tensor, scaler: NumericScaler) -> Tensor:
    """Return scaled numbers: the steps of `NumericScaler.transform`, in float64."""
    scaled = x.cast(np.float64) / 2 - scaler.center[None] / 2
    scaled = scaled * (2 * scaler.factor[None])
    scaled = scaled.maximum(-_HUGE).minimum(_HUGE)
    if scaler.clips:
        ratio = scaled / _LIMIT
        scaled = scaled / (ratio * ratio + 1).apply("Sqrt")
    return scaled.cast(x.dtype)


def _encode_categories(x: Tensor, encoder: Any) -> Tensor:
    """Return the codes of one column, with one code for the unseen and the missing."""
    categories = _categories(encoder)
    n = len(categories)
    if x.dtype == TEXT:
        known = {
            "keys_strings": [str(c) for c in categories],
            "values_int64s": list(range(n)),
            "default_int64": n,
        }
        return x.graph.add("LabelEncoder", [x.name], np.int64, 1, ML, **known)
    if not n:
        return x.cast(np.float64).ones() * 0
    found = x.cast(np.float64).equals(categories[None].astype(np.float64))
    # The place of the only one that is found counts, or that of none.
    places = (np.arange(n) - n)[:, None].astype(np.float64)
    return found.cast(np.float64).matmul(places) + n
