"""What a fitted perceptron answers, and the forms of its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from sknn._array import Array
from sknn.estimators._architecture import Architecture, as_linear, as_planned
from sknn.estimators._blocks import in_blocks
from sknn.estimators._html import ArchitectureHTML
from sknn.estimators._perceptron_checks import FLOATS
from sknn.estimators._perceptron_fit import scores
from sknn.estimators._publication import of_one_model
from sknn.estimators._reading import read_matrix, require_finite
from sknn.layers import Dense
from sknn.training.perceptron import Weights

# Largest number of rows of a block of predictions.
_BLOCK_ROWS = 1 << 14


class FittedPerceptron(ArchitectureHTML):
    """Scores, labels and layers, read off the published weights."""

    classes_: Array
    coef_: Any
    intercept_: Array
    n_features_in_: int

    def _dense_coef(self) -> Array:
        coef: Any = self.coef_
        return coef.toarray() if sparse.issparse(coef) else coef

    @of_one_model
    def decision_function(self, X: Any) -> Array:
        """Return the scores of samples.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            One number per class; for two classes one number, positive for
            ``classes_[1]``.
        """
        check_is_fitted(self, "coef_")
        return in_blocks(self._scores, X, _BLOCK_ROWS, self.n_features_in_)

    def _scores(self, X: Any) -> Array:
        X = read_matrix(self, X, False, accept_sparse="csr", dtype=FLOATS)
        with np.errstate(over="ignore", invalid="ignore"):
            raw = scores(X, Weights(self.coef_, self.intercept_))
        require_finite(raw, X)
        return raw[:, 0] if raw.shape[1] == 1 else raw

    @of_one_model
    def predict(self, X: Any) -> Array:
        """Predict class labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        check_is_fitted(self, "coef_")
        return in_blocks(self._labels, X, _BLOCK_ROWS, self.n_features_in_)

    def _labels(self, X: Any) -> Array:
        raw = self._scores(X)
        codes = (raw > 0).astype(int) if raw.ndim == 1 else raw.argmax(axis=1)
        return self.classes_[codes]

    def _architecture(
        self, n_features: int | None = None, n_outputs: int | None = None
    ) -> Architecture:
        """Return the one layer, fitted or not."""
        if hasattr(self, "coef_"):
            return as_linear(self._dense_coef(), self.intercept_, "sign")
        return as_planned([Dense(n_outputs or 1)], n_features, n_outputs)

    def densify(self) -> FittedPerceptron:
        """Turn ``coef_`` back into a plain array.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_is_fitted(self, "coef_")
        self.coef_ = self._dense_coef()
        return self

    def sparsify(self) -> FittedPerceptron:
        """Turn ``coef_`` into a sparse matrix, which pays where most of it is zero.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_is_fitted(self, "coef_")
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self
