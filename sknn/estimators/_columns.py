"""Columns of X: categories to codes, missing numbers to means, one float matrix.

The names and the number of columns are checked elsewhere: this room goes by position.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sknn._array import Array
from sknn.estimators._reading import reading
from sknn.estimators._scaling import NumericScaler

# How pandas, pyarrow and polars write dtypes, in lower case. HistGradientBoosting's
# "from_dtype" takes the categorical ones only; a network has no other use for strings,
# and a boolean that may be missing is a category.
_CATEGORICAL_DTYPE = re.compile(
    r"(object|str|string|large_string|string_view|utf8|categor(y|ical)|enum|dictionary"
    r"|bool|boolean)\b"
)
_TIME_DTYPE = re.compile(r"date|time|duration|period")
_FLOAT32_DTYPES = ("float32", "float[")  # the latter is pyarrow's


@dataclass(frozen=True)
class ColumnEncoder:
    """What a fit has learned about the columns of X.

    Parameters
    ----------
    numeric_columns, categorical_columns : tuple of int
        Positions in X.
    encoders : tuple of OrdinalEncoder
        One per categorical column.
    imputer : SimpleImputer or None
        Means, or medians, of the numeric columns; None refuses missing numbers.
    scaler : NumericScaler or None
        Of the numeric columns, once nothing is missing in them.
    estimator_name : str
        Whom errors are about.
    """

    numeric_columns: tuple[int, ...]
    categorical_columns: tuple[int, ...]
    encoders: tuple[Any, ...]
    imputer: Any
    scaler: NumericScaler | None
    estimator_name: str

    @classmethod
    def learn(
        cls,
        X: Any,
        *,
        categorical_features: Any,
        missing: str,
        scaling: str | None = None,
        feature_names: Sequence[str] | None = None,
        estimator_name: str = "the estimator",
    ) -> ColumnEncoder:
        """Return the encoder of `X`; raise wherever it could not transform `X`."""
        X = _as_table(X, estimator_name)
        mask = resolve_categorical(X, categorical_features, feature_names)
        numeric = tuple(np.flatnonzero(~mask).tolist())
        categorical = tuple(np.flatnonzero(mask).tolist())
        encoders = tuple(_learn_categories(X, i) for i in categorical)
        imputer = scaler = None
        if numeric:
            dense = scaling is not None or bool(categorical)
            numbers = _read_numbers(X, numeric, estimator_name, dense)
            if missing == "error":
                _require_complete(numbers, estimator_name)
            else:
                center = "median" if scaling == "robust" else "mean"
                imputer = _learn_centers(numbers, center, missing == "indicator")
            if scaling is not None:
                _require_dense(X, "scaling")
                scaler = NumericScaler.learn(numbers, scaling)
        return cls(numeric, categorical, encoders, imputer, scaler, estimator_name)

    @property
    def n_categories(self) -> tuple[int, ...]:
        """Number of categories of each categorical column; missing is none."""
        return tuple(_count_categories(encoder) for encoder in self.encoders)

    @property
    def categories(self) -> tuple[Array, ...]:
        """Categories of each categorical column in the order of their codes."""
        pairs = zip(self.encoders, self.n_categories, strict=True)
        return tuple(encoder.categories_[0][:n] for encoder, n in pairs)

    @property
    def n_indicators(self) -> int:
        """Number of columns that say where a number was missing."""
        if self.imputer is None or not self.imputer.add_indicator:
            return 0
        return len(self.imputer.indicator_.features_)

    @property
    def n_numeric(self) -> int:
        """Number of columns of the output before the codes."""
        return len(self.numeric_columns) + self.n_indicators

    @property
    def width(self) -> int:
        """Number of columns of the output."""
        return self.n_numeric + len(self.encoders)

    def transform(self, X: Any) -> Any:
        """Return numbers, indicators and codes side by side.

        Codes run from 0 to ``n_categories[j] - 1``; unseen and missing categories
        share the code ``n_categories[j]``. A matrix of floats that needs no change is
        returned as it is, and a sparse one as CSR.
        """
        X = _as_table(X, self.estimator_name)
        if self.encoders:
            _require_dense(X)
        numbers = self._transform_numbers(X) if self.numeric_columns else None
        if self.scaler is not None:
            _require_dense(X, "scaling")
            numbers = self._scale(numbers)
        if numbers is not None and not self.encoders:
            return numbers
        dtype = np.float64 if numbers is None else numbers.dtype
        out = np.empty((X.shape[0], self.width), dtype=dtype)
        if numbers is not None:
            out[:, : self.n_numeric] = numbers
        parts = zip(self.categorical_columns, self.encoders, strict=True)
        for j, (i, encoder) in enumerate(parts, start=self.n_numeric):
            out[:, j] = _encode(X, i, encoder)
        return out

    def transform_finite(self, X: Array) -> Array:
        """Return what `transform` does for finite floats, not checked again."""
        if self.encoders or self.n_indicators:
            return self.transform(X)
        return X if self.scaler is None else self.scaler.transform(X)

    def _transform_numbers(self, X: Any) -> Any:
        dense = self.scaler is not None or bool(self.encoders)
        numbers = _read_numbers(X, self.numeric_columns, self.estimator_name, dense)
        if self.imputer is None:
            _require_complete(numbers, self.estimator_name)
        elif self.n_indicators or _has_nan(numbers):
            filled = self.imputer.transform(numbers)
            filled = filled.tocsr() if sparse.issparse(filled) else filled
            return filled.astype(numbers.dtype, copy=False)
        return numbers

    def _scale(self, numbers: Any) -> Any:
        """Scale the numbers; indicators stay 0 and 1."""
        assert self.scaler is not None
        n = len(self.numeric_columns)
        scaled = self.scaler.transform(numbers[:, :n])
        return np.hstack([scaled, numbers[:, n:]]) if self.n_indicators else scaled


def resolve_categorical(
    X: Any, categorical_features: Any, feature_names: Sequence[str] | None = None
) -> Array:
    """Return the mask of the categorical columns, read as HistGradientBoosting does.

    A name marks all columns that bear it; "from_dtype" also takes strings and booleans.
    """
    X = _as_table(X)
    mask = _resolve(X, categorical_features, feature_names)
    if mask.any():
        _require_dense(X)
    return mask


def _require_dense(X: Any, what: str = "categorical_features") -> None:
    if sparse.issparse(X):
        raise TypeError(
            f"{what} can only be used where X is dense, got a sparse X. "
            "Use '.toarray()' to convert it."
        )


def _resolve(X: Any, features: Any, names: Sequence[str] | None) -> Array:
    mask = np.zeros(X.shape[1], dtype=bool)
    if features is None:
        return mask
    if isinstance(features, str) and features == "from_dtype":
        if _is_frame(X):
            mask[:] = [bool(_CATEGORICAL_DTYPE.match(d)) for d in _dtype_names(X)]
        return mask
    features = np.asarray(features)
    only_names = all(isinstance(f, str) for f in features.flat)
    kind = "U" if only_names else features.dtype.kind
    if features.ndim != 1 or kind not in "biU":
        raise ValueError(
            "categorical_features must be an array-like of bool, int or str with one "
            f"dimension, 'from_dtype' or None, got: {features.tolist()!r}."
        )
    if kind == "U":
        names = getattr(X, "columns", None) if names is None else names
        return _match_names(features, names, len(mask))
    if kind == "b" and features.shape != mask.shape:
        raise ValueError(
            "categorical_features set as a boolean mask must have shape (n_features,) "
            f"= {mask.shape}, got: {features.shape}"
        )
    if kind == "i" and not 0 <= features.min() <= features.max() < len(mask):
        raise ValueError(
            "categorical_features set as integer indices must be in [0, n_features - 1]"
            f" = [0, {len(mask) - 1}], got: {features.tolist()}"
        )
    mask[features] = True
    return mask


def _match_names(features: Array, names: Any, n: int) -> Array:
    """Return the mask of the columns whose names are among `features`."""
    wanted = set(features.tolist())
    if not wanted:
        return np.zeros(n, dtype=bool)
    if names is None:
        raise ValueError(
            "categorical_features should be passed as an array of integers or as a "
            "boolean mask when the model is fitted on data without feature names."
        )
    names = list(names)
    for unknown in wanted.difference(names):
        raise ValueError(
            f"categorical_features has an item value '{unknown}' which is not a valid "
            f"feature name of the training data. Observed feature names: {names}"
        )
    return np.array([name in wanted for name in names])


def _is_frame(X: Any) -> bool:
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def _as_table(X: Any, estimator_name: str | None = None) -> Any:
    """Return a frame or sparse matrix as it is, all else as a matrix of any dtype."""
    if not (_is_frame(X) or sparse.issparse(X)):
        given = X
        X = check_array(
            X, dtype=None, ensure_all_finite=False, estimator=estimator_name
        )
        if X.dtype.kind in "US" and not hasattr(given, "dtype"):
            # NumPy has written the numbers among the strings of a list as strings.
            X = check_array(given, dtype=object, ensure_all_finite=False)
    if 0 in X.shape:
        check_array(np.empty(X.shape), estimator=estimator_name)  # raises its message
    return X


def _dtype_names(X: Any) -> list[str]:
    dtypes = X.dtypes if _is_frame(X) else [X.dtype] * X.shape[1]
    return [str(dtype).lower() for dtype in dtypes]


def _label(X: Any, i: int) -> str:
    return repr(X.columns[i] if _is_frame(X) else i)


def _read_numbers(
    X: Any, columns: Sequence[int], estimator_name: str, dense: bool = False
) -> Any:
    """Return these columns as floats, CSR where X is sparse; NaN may be among them.

    A frame whose columns are all sparse is made `dense` where that is asked for.
    """
    names = _dtype_names(X)
    times = [_label(X, i) for i in columns if _TIME_DTYPE.match(names[i])]
    if times:
        raise TypeError(
            f"X must hold numbers, got times in column {', '.join(times)}: turn them "
            "into numbers first."
        )
    single = all(names[i].startswith(_FLOAT32_DTYPES) for i in columns)
    if len(columns) < X.shape[1]:
        X = getattr(X, "iloc", X)[:, list(columns)]
    with reading("X"):
        numbers = check_array(
            X,
            accept_sparse="csr",
            dtype=np.float32 if single else np.float64,
            ensure_all_finite="allow-nan",
            estimator=estimator_name,
            input_name="X",
        )
    return numbers.toarray() if dense and sparse.issparse(numbers) else numbers


def _stored(numbers: Any) -> Array:
    return numbers.data if sparse.issparse(numbers) else numbers


def _has_nan(numbers: Any) -> bool:
    return bool(np.isnan(_stored(numbers)).any())


def _require_complete(numbers: Any, estimator_name: str) -> None:
    if _has_nan(numbers):
        raise ValueError(
            f"Input X contains NaN.\n{estimator_name} fills missing numbers with "
            "missing='mean', and also marks where they were with missing='indicator'."
        )


def _learn_centers(numbers: Any, center: str, add_indicator: bool) -> Any:
    from sklearn.impute import SimpleImputer

    imputer = SimpleImputer(
        strategy=center, keep_empty_features=True, add_indicator=add_indicator
    )
    imputer.set_output(transform="default")
    # float64: the sum of large float32 would overflow
    with np.errstate(over="ignore", invalid="ignore"):
        imputer.fit(numbers.astype(np.float64, copy=False))
    if not np.isfinite(imputer.statistics_).all():
        raise ValueError(
            f"X holds values up to {np.nanmax(np.abs(_stored(numbers))):.3g}, of which "
            f"there is no {center} in float64: scale X."
        )
    return imputer


def _is_missing(values: Any) -> Any:
    """Tell where a vector of objects holds None, NaN, NaT or pandas' NA."""
    pandas = sys.modules.get("pandas")  # where it is not loaded, nobody has its NA
    if pandas is not None:
        return pandas.isna(values)
    return (values == None) | (values != values)  # noqa: E711 -- elementwise


def _read_categories(X: Any, i: int) -> Array:
    """Return column `i` as one column of objects or numbers, with NaN for missing."""
    column = getattr(X, "iloc", X)[:, i]
    values = column.to_numpy() if hasattr(column, "to_numpy") else column
    if values.dtype.kind not in "iuf":
        values = values.astype(object)  # a copy
        values[_is_missing(values)] = np.nan
    return values.reshape(-1, 1)


@contextmanager
def _naming_column(X: Any, i: int) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Column {_label(X, i)} of X cannot be categorical: {error}"
        ) from error


def _learn_categories(X: Any, i: int) -> Any:
    from sklearn.preprocessing import OrdinalEncoder

    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    encoder.set_output(transform="default")
    with _naming_column(X, i):
        return encoder.fit(_read_categories(X, i))


def _count_categories(encoder: Any) -> int:
    categories = encoder.categories_[0]
    missing = categories[-1] != categories[-1]  # NaN comes last
    return len(categories) - bool(missing)


def _encode(X: Any, i: int, encoder: Any) -> Array:
    with _naming_column(X, i):
        values = _read_categories(X, i)
        if encoder.categories_[0].dtype == object:
            # A column that is all missing may come as numbers, which do not compare
            # with strings.
            values = values.astype(object, copy=False)
        codes = encoder.transform(values)[:, 0]
    codes[np.isnan(codes)] = _count_categories(encoder)
    return codes
