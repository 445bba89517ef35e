"""TabularMLPClassifier and TabularMLPRegressor: tables as they are, no tuning."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from sknn._array import Array, largest
from sknn.estimators._calibration import Residuals, fit_temperature
from sknn.estimators._data import Request, rows_of
from sknn.estimators._ensemble import average_left_out
from sknn.estimators._parameters import document
from sknn.estimators._publication import of_one_model
from sknn.estimators._stored import storable
from sknn.estimators._tabular import (
    ATTRIBUTES,
    CLASSIFIER_ROWS,
    REGRESSOR_ROWS,
    BaseTabularMLP,
)
from sknn.estimators.classifier import MLPClassifier
from sknn.estimators.ensemble import MLPEnsembleClassifier, MLPEnsembleRegressor
from sknn.estimators.mlp import BaseMLP
from sknn.estimators.regressor import MLPRegressor
from sknn.losses import LOSSES, Loss


@storable
@document(CLASSIFIER_ROWS, ATTRIBUTES)
class TabularMLPClassifier(BaseTabularMLP, MLPEnsembleClassifier):
    """Classifier for tables as they are, accurate and calibrated without tuning.

    Takes a data frame with numbers, categories and missing values. Several networks
    are trained, each validated on a fold of its own: it keeps the weights with the
    least validation loss. Their scores are averaged, and one temperature fitted on the
    samples left out makes the probabilities honest.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; the indices of the columns for a multilabel target.
    temperature_ : float
        What scores were divided by; below 1 the networks were too cautious. The
        members' output layers contain it.
    {attributes}

    See Also
    --------
    TabularMLPRegressor : The same for numbers.
    MLPClassifier : One network with scikit-learn's defaults.

    Notes
    -----
    What was tried on the way to these defaults, with figures, and where trees are
    better, is in ``docs/guide/tabular.md``.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024 (scaling, embeddings, schedule). Guo,
    Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML 2017
    (temperature).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import TabularMLPClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clf = TabularMLPClassifier(min_steps=0, max_iter=20, random_state=0).fit(X, y)
    >>> clf.oob_score_ > 0.9
    True
    """

    _rows = CLASSIFIER_ROWS
    _loss: Loss
    _pools_scores = True  # which sknn.explain looks at

    def __init__(
        self,
        n_estimators: int = 8,
        *,
        min_steps: int = 400,
        batch_size: Any = "auto",
        random_state: Any = None,
        hidden_layer_sizes: Any = (192, 192, 192),
        activation: Any = "selu",
        solver: Any = "adam",
        alpha: float = 0.0,
        learning_rate: Any = "coslog4",
        learning_rate_init: float = 0.04,
        max_iter: int = 48,
        tol: float = 1e-4,
        n_iter_no_change: Any = "cycle",
        beta_1: float = 0.9,
        beta_2: float = 0.95,
        dropout: Any = 0.125,
        input_scale: float | None = 6.0,
        parametrization: str = "ntk",
        weight_init: Any = "auto",
        normalization: str | None = None,
        residual: bool = False,
        max_grad_norm: float | None = None,
        average: Any = None,
        categorical_features: Any = "from_dtype",
        categorical_embedding: Any = None,
        numeric_embedding: Any = "pbld",
        missing: str = "indicator",
        scaling: str | None = "robust",
        scoring: Any = "loss",
        dtype: Any = "float32",
        verbose: Any = False,
        callbacks: Any = None,
        max_time: float | None = None,
        on_divergence: str = "raise",
        class_weight: Any = None,
        label_smoothing: float = 0.1,
        loss: Any = "log_loss",
    ) -> None:
        self._store(locals())

    def _network_kind(self) -> type[BaseMLP]:
        return MLPClassifier

    def _answer(self, member: BaseMLP, X: Any) -> Array:
        return member._raw_of(X)

    def _decide(self, average: Array) -> Array:
        return self._targets.predict(average, self._loss)

    def _conclude(self, request: Request, y: Array) -> None:
        self._loss = self.estimators_[0]._loss
        if request.X_val is not None:
            raw = np.mean(list(self._answers(request.X_val)), axis=0)
            self._calibrate(raw, request.y_val, request.sample_weight_val)
            return
        answers = self._answers_left_out(request.X, len(y))
        raw, covered = average_left_out(answers, len(y))
        self._calibrate(
            raw[covered], y[covered], rows_of(request.sample_weight, covered)
        )
        raw /= self.temperature_
        targets = self._class_targets()
        self.oob_prediction_ = targets.probabilities(raw.copy(), self._loss)
        self._score_left_out(self._decide(raw[covered]), covered, y, request)

    def _calibrate(self, raw: Array, y: Array, sample_weight: Any) -> None:
        """Find the temperature; put it into the output layers of the members."""
        targets = self._class_targets()
        self.temperature_ = 1.0
        codes = targets.encode(y, raw.dtype)
        w = targets.weigh(self.class_weight, codes, sample_weight)
        usable = w is None or np.any(w)
        if len(targets.classes) > 1 and usable:
            table = targets.table(raw.dtype)
            rows = codes if table is None else table[codes]
            # Platt's prior: where all are right, no temperature would be low enough.
            kind: Any = LOSSES[targets.loss]
            loss = kind(label_smoothing=1 / (len(rows) + 1))
            self.temperature_ = fit_temperature(raw, rows, w, loss)
        for member in self.estimators_:
            for name in ("W", "b"):
                member._network.views[-1][name] /= self.temperature_

    @of_one_model
    def decision_function(self, X: Any) -> Array:
        """Return the mean of the members' scores, divided by the temperature.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Input.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Logits; for two classes one number, positive for ``classes_[1]``.
        """
        return self._in_blocks(X, self._scores)

    def _scores(self, X: Any) -> Array:
        """Return scores for checked input."""
        return self._class_targets().scores(self._average(X))

    @of_one_model
    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the classes, from the mean of the scores.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Input.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            One column for each of ``classes_``; for a multilabel target the
            probability of each label.
        """
        return self._in_blocks(X, self._probabilities)

    def _probabilities(self, X: Any) -> Array:
        """Return probabilities for checked input."""
        return self._class_targets().probabilities(self._average(X), self._loss)


def _with_weight(values: Array, w: Array | None) -> Array:
    """Return the values of samples that weigh something."""
    return values if w is None or not w.any() else values[w > 0]


def _errors(y: Array, predicted: Array) -> Array:
    """Return what predictions miss; raise where that overflows."""
    with np.errstate(over="ignore"):
        errors = y - predicted
    if not np.isfinite(errors).all():
        raise ValueError(
            f"y holds values up to {largest(y):.3g}, too far apart for {errors.dtype}: "
            "scale y."
        )
    return errors


@storable
@document(REGRESSOR_ROWS, ATTRIBUTES)
class TabularMLPRegressor(BaseTabularMLP, MLPEnsembleRegressor):
    """Regressor for tables as they are, accurate without tuning, with intervals.

    Takes a data frame with numbers, categories and missing values. Several networks
    are trained, each validated on a fold of its own: it keeps the weights with the
    least validation loss. Their predictions are averaged.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    TabularMLPClassifier : The same for labels.
    MLPRegressor : One network with scikit-learn's defaults.

    Notes
    -----
    What was tried on the way to these defaults, with figures, and where trees are
    better, is in ``docs/guide/tabular.md``.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024 (scaling, embeddings, schedule).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sknn import TabularMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> reg = TabularMLPRegressor(min_steps=0, max_iter=20, random_state=0).fit(X, y)
    >>> reg.predict_interval(X[:3], coverage=0.8).shape
    (3, 2)
    """

    _rows = REGRESSOR_ROWS

    def __init__(
        self,
        n_estimators: int = 8,
        *,
        min_steps: int = 300,
        batch_size: Any = "auto",
        random_state: Any = None,
        hidden_layer_sizes: Any = (192, 192, 192),
        activation: Any = "relu",
        solver: Any = "adam",
        alpha: float = 0.0,
        learning_rate: Any = "coslog4",
        learning_rate_init: float = 0.2,
        max_iter: int = 24,
        tol: float = 1e-4,
        n_iter_no_change: Any = "cycle",
        beta_1: float = 0.9,
        beta_2: float = 0.95,
        dropout: Any = 0.0,
        input_scale: float | None = None,
        parametrization: str = "ntk",
        weight_init: Any = "auto",
        normalization: str | None = None,
        residual: bool = False,
        max_grad_norm: float | None = None,
        average: Any = None,
        categorical_features: Any = "from_dtype",
        categorical_embedding: Any = None,
        numeric_embedding: Any = "piecewise_linear_embedding",
        missing: str = "indicator",
        scaling: str | None = "robust",
        scoring: Any = "loss",
        dtype: Any = "float32",
        verbose: Any = False,
        callbacks: Any = None,
        max_time: float | None = None,
        on_divergence: str = "raise",
        normalize_y: bool = True,
        loss: Any = "squared_error",
        clip_predictions: bool = True,
    ) -> None:
        self._store(locals())

    _residuals: Residuals
    _range: tuple[Any, Any]

    def _network_kind(self) -> type[BaseMLP]:
        return MLPRegressor

    def _answer(self, member: BaseMLP, X: Any) -> Array:
        return self._clipped(super()._answer(member, X))

    def _clipped(self, predicted: Array) -> Array:
        return np.clip(predicted, *self._range) if self.clip_predictions else predicted

    def _moments(self, member: BaseMLP, X: Any) -> tuple[Array, Any]:
        mean, variance = super()._moments(member, X)
        return self._clipped(mean), variance

    def _conclude(self, request: Request, y: Array) -> None:
        seen = _with_weight(y, request.sample_weight)
        self._range = seen.min(axis=0), seen.max(axis=0)
        if request.X_val is not None:
            predicted = np.mean(list(self._answers(request.X_val)), axis=0)
            errors = _errors(request.y_val, predicted)
            weights = request.sample_weight_val
            self._residuals = Residuals.of([_with_weight(errors, weights)])
            return
        answers = self._answers_left_out(request.X, len(y))
        self._residuals = Residuals.of(
            _with_weight(_errors(y[rows], own), rows_of(request.sample_weight, rows))
            for rows, own in answers
        )
        self.oob_prediction_, covered = average_left_out(answers, len(y))
        self._score_left_out(self.oob_prediction_[covered], covered, y, request)

    @of_one_model
    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """Predict the interval that holds y with a given probability.

        The interval is conformal (CV+): where samples are exchangeable it holds y at
        least with probability ``2 coverage - 1`` whatever their distribution, and in
        practice about with `coverage`. It rests on the errors of each network on the
        samples left out, of `X_val` where that was given, and is about equally wide
        everywhere; ``MLPRegressor(loss='quantile')`` learns where errors are large.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Input.
        coverage : float, default=0.9
            The probability, in (0, 1).

        Returns
        -------
        interval : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Lower and upper end, in float64.

        References
        ----------
        Barber, Candès, Ramdas & Tibshirani, "Predictive inference with the jackknife+",
        Annals of Statistics 49, 2021, section 3.
        """
        if not isinstance(coverage, numbers.Real) or not 0 < coverage < 1:
            raise ValueError(f"coverage must lie in (0, 1), got {coverage!r}.")
        return self._in_blocks(
            X, lambda block: self._interval(block, float(coverage)), len(self._fitted())
        )

    def _interval(self, X: Any, coverage: float) -> Array:
        """Return the interval for checked input."""
        answers = list(self._answers(X))
        n_members = len(self._residuals.of_members)
        if n_members < len(answers):  # the errors are those of their mean
            answers = [np.mean(answers, axis=0)]
        columns = [a.reshape(len(a), -1) for a in answers]
        ends = self._residuals.interval(columns, coverage)
        return ends[:, 0] if self._targets.n_outputs == 1 else ends
