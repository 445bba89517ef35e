"""From what `fit` was given to encoded training and validation data."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import validate_data

from sknn._array import Array, as_rows
from sknn.estimators._build import build_loss, is_stochastic
from sknn.estimators._chunks import ChunkedData, Chunks, load_chunks
from sknn.estimators._data import Data, Request, rows_of
from sknn.estimators._inputs import NetworkInput
from sknn.estimators._reading import read_classes, read_weights
from sknn.estimators._targets import ClassTargets, Targets
from sknn.estimators._validation import (
    HoldOut,
    check_groups,
    naming_validation_data,
    require_pair,
)
from sknn.losses import Loss
from sknn.training.state import TrainingState


class TrainingInput(NetworkInput):
    """Checks and encodes the data of a fit, and divides it for early stopping.

    What is learned of y is `_targets`, the loss that goes with it `_loss`.
    """

    class_weight: Any
    normalize_y: bool
    solver: Any
    dtype: Any
    early_stopping: bool
    warm_start: bool
    validation_fraction: float
    validation_split: Any

    _dtype: Any
    _loss: Loss
    _state: TrainingState
    _targets: Targets

    def _targets_type(self, y: Any, classes: Any) -> type[Targets]:
        """Return what y is at a first fit; the siblings differ in this."""
        raise NotImplementedError

    def _working_dtype(self) -> Any:
        """Return the dtype of training."""
        raise NotImplementedError

    def _scoring(self) -> Any:
        """Return what validation data is scored by."""
        raise NotImplementedError

    def _load(self, request: Request, goes_on: bool) -> Data | ChunkedData:
        """Check the training data and encode it; learn the targets at a first fit."""
        if isinstance(request.X, Chunks):
            return load_chunks(self, request, goes_on)
        y, classes = request.y, request.classes
        if request.incremental and classes is not None:
            classes = read_classes(classes)
        kind = type(self._targets) if goes_on else self._targets_type(y, classes)
        X, y = self._check_data(request.X, y, kind, reset=not goes_on)
        if request.groups is not None:
            check_groups(request.groups, X.shape[0])
        if goes_on:
            whole = self.warm_start or request.resume_from is not None
            self._targets.check_same(y, classes, exactly=whole)
        else:
            if request.incremental:
                kind.require_classes(y, classes)
            self._targets = kind.learn(y, classes)
            self._dtype = np.dtype(X.dtype if self.dtype is None else self.dtype)
        self._loss = build_loss(self, self._targets)
        if self.normalize_y and not goes_on:
            w = self._check_weights(X, request.sample_weight)
            seen = rows_of(y, request.rows), rows_of(w, request.rows)
            self._targets = self._targets.normalized(*seen, self._loss)
        return self._encode(X, y, request.sample_weight, request.rows)

    def _check_data(
        self, X: Any, y: Any, kind: type[Targets], reset: bool = False
    ) -> tuple[Any, Any]:
        if y is None:
            validate_data(self, X, y, reset=reset)  # raises scikit-learn's message
        X = self._check_X(X, reset)
        y = kind.check(y)
        check_consistent_length(X, y)
        return X, y

    def _encode(
        self, X: Any, y: Any, sample_weight: Any, rows: Array | None = None
    ) -> Data:
        """Return encoded data; balanced weights of classes are those of `rows`."""
        codes = self._targets.encode(y, self._working_dtype())
        self._loss.check_targets(codes)
        w = self._check_weights(X, sample_weight)
        weights = self._targets.weigh(self.class_weight, codes, w, rows)
        return Data(as_rows(X), y, codes, weights)

    @staticmethod
    def _check_weights(X: Any, w: Any) -> Array | None:
        if w is None:
            return None
        return read_weights(w, X)

    def _held_data(
        self, data: Any, request: Request
    ) -> tuple[Data | None, Array | None]:
        """Return the validation data, and the rows to train on if it is part of X."""
        X, y, w = request.X_val, request.y_val, request.sample_weight_val
        require_pair(X, y)
        if X is None and w is not None:
            raise ValueError("sample_weight_val is given without X_val and y_val.")
        if X is not None:
            return self._own_validation_data(X, y, w), request.rows
        if request.held is not None:
            return self._scored(data, request.held), request.rows
        splits = is_stochastic(self.solver) or self.validation_split is not None
        if not self.early_stopping or not splits:
            return None, request.rows
        train, held = self._split(data, request)
        if request.rows is not None:
            train, held = request.rows[train], request.rows[held]
        return self._scored(data, held), train

    def _own_validation_data(self, X: Any, y: Any, w: Any) -> Data:
        """Check and encode validation data; name them where they do not fit."""
        with naming_validation_data():
            X, y = self._check_data(X, y, type(self._targets))
            self._targets.check_same(y)
            return self._encode(X, y, w)

    def _split(self, data: Data, request: Request) -> tuple[Array, Array]:
        """Return which of the samples to train on, and which to hold out.

        They are drawn at the first fit of these many samples.
        """
        state, rows = self._state, request.rows
        n = data.X.shape[0] if rows is None else len(rows)
        if (
            state.train_rows is None
            or state.validation_rows is None
            or n != state.n_split
        ):
            groups = request.groups
            if groups is not None:
                groups = check_groups(groups, data.X.shape[0])
            classes = isinstance(self._targets, ClassTargets) and data.y.ndim == 1
            hold_out = HoldOut(self.validation_split, self.validation_fraction)
            state.train_rows, state.validation_rows = hold_out.draw(
                # only splitters look at X
                None if hold_out.splitter is None else rows_of(data.X, rows),
                rows_of(data.labels, rows),
                state.rng,
                strata=rows_of(data.y, rows) if classes else None,
                weights=rows_of(data.w, rows),
                groups=rows_of(groups, rows),
            )
            state.n_split = n
        return state.train_rows, state.validation_rows

    def _scored_training_data(self, data: Any, rows: Array | None) -> Data | None:
        if self._scoring() in (None, "loss") or isinstance(data, ChunkedData):
            return None
        return data if rows is None else self._scored(data, rows)

    def _scored(self, data: Data, rows: Array) -> Data:
        """Return the rows that scores are of, copied only for a scorer that wants X."""
        if self._scoring() in (None, "loss"):
            return data.only(rows)
        return data.take(rows)
