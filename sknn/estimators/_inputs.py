"""What a network takes as X: numbers as they are, other columns through an encoder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sknn._array import Array
from sknn.estimators._columns import ColumnEncoder
from sknn.estimators._parameters import Parameter
from sknn.estimators._reading import as_plain, read_matrix, reading

_FLOATS = (np.float64, np.float32)
_SPARSE = ["csr", "csc"]
# As objects, as numbers, filled, scaled, bent, side by side.
_COPIES_OF_ENCODING = 6

# What scikit-learn's messages about X say, and which keyword helps.
_REMEDIES = {
    "contains NaN": "Here, missing='mean' or missing='indicator' takes NaN.",
    "could not convert string": "Here, categorical_features='from_dtype' takes columns "
    "of strings in a data frame; names, indices or a mask say which columns.",
}


@dataclass(frozen=True)
class Encoded:
    """X that an ensemble has encoded once for all of its members.

    Parameters
    ----------
    matrix : ndarray of shape (n_samples, n_inputs)
        What the networks see.
    source : NetworkInput
        Who encoded it; members take over what it knows about the columns.
    """

    matrix: Any
    source: NetworkInput

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the matrix."""
        return self.matrix.shape


class NetworkInput:
    """Checks X and turns it into the matrix that the network sees.

    `_columns` is None where X is that matrix itself.
    """

    _rows: ClassVar[dict[str, Parameter]]
    categorical_features: Any
    missing: str
    scaling: str | None = None

    _columns: ColumnEncoder | None = None
    n_features_in_: int

    def _check_X(self, X: Any, reset: bool = False) -> Any:
        """Return X as numbers; learn its columns at a first fit."""
        if isinstance(X, Encoded):
            return self._adopt_encoded(X, reset)
        X = as_plain("X", X)
        if reset:
            self._columns = None
            if self._encodes():
                return self._learn_columns(X)
        fine = not reset and self._is_fine(X)
        if self._columns is None:
            return X if fine else self._check_numbers(X, reset)
        if fine:
            return self._columns.transform_finite(X)
        self._check_frame(X)
        return self._columns.transform(X)

    def _adopt_encoded(self, X: Encoded, reset: bool) -> Any:
        if reset:
            known = vars(X.source)
            for name in ("_columns", "n_features_in_", "feature_names_in_"):
                if name in known:
                    setattr(self, name, known[name])
        return X.matrix

    def _is_fine(self, X: Any) -> bool:
        """Tell at a twentieth of the cost what most often comes of the checks.

        Whatever is not plainly fine, scikit-learn's checks look at and speak of.
        """
        return (
            type(X) is np.ndarray
            and X.dtype in _FLOATS
            and X.ndim == 2
            and X.shape[0] > 0
            and X.shape[1] == self.n_features_in_
            and X.flags.forc
            and not hasattr(self, "feature_names_in_")
            and _is_finite(X)
        )

    def _check_numbers(self, X: Any, reset: bool) -> Any:
        try:
            return read_matrix(self, X, reset, accept_sparse=_SPARSE, dtype=_FLOATS)
        except ValueError as error:
            for symptom, remedy in _REMEDIES.items():
                if symptom in str(error) and reset and "missing" in self._rows:
                    raise ValueError(f"{error}\n{remedy}") from error
            raise

    def _learn_columns(self, X: Any) -> Any:
        self._check_frame(X, reset=True)
        self._columns = ColumnEncoder.learn(
            X,
            categorical_features=self.categorical_features,
            missing=self.missing,
            scaling=self.scaling,
            feature_names=getattr(self, "feature_names_in_", None),
            estimator_name=type(self).__name__,
        )
        return self._columns.transform(X)

    def _encodes(self) -> bool:
        """Tell whether columns are coded, filled or scaled before the network."""
        return (
            self.categorical_features is not None
            or self.missing != "error"
            or self.scaling is not None
        )

    def _check_frame(self, X: Any, reset: bool = False) -> None:
        """Check the shape of X and the names of its columns, not what is in them."""
        for name in ("categorical_features", "scaling"):
            if getattr(self, name) is not None and sparse.issparse(X):
                raise TypeError(
                    "Sparse data was passed for X, but dense data is required where "
                    f"{name} is given. Use X.toarray()."
                )
        with reading("X"):
            if not sparse.issparse(X) and not hasattr(X, "columns"):
                X = check_array(X, dtype=None, ensure_all_finite=False, estimator=self)
            validate_data(self, X, reset=reset, skip_check_array=True)

    def _n_block_columns(self) -> int:
        """Return the columns of X, as often as encoding them copies rows."""
        copies = 1 if self._columns is None else _COPIES_OF_ENCODING
        return self.n_features_in_ * copies

    def _n_inputs(self) -> int:
        """Return the number of columns that the network sees."""
        return self.n_features_in_ if self._columns is None else self._columns.width


def _is_finite(X: Array) -> bool:
    """Tell whether the sum of squares is finite; X lies in one piece of memory."""
    flat = X.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(flat.dot(flat))
