"""MLPRegressor: numbers, one or several per sample."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from scipy.special import ndtri
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from sknn._array import Array
from sknn.estimators._mlp_parameters import ATTRIBUTES, REGRESSOR
from sknn.estimators._parameters import document
from sknn.estimators._publication import of_one_model
from sknn.estimators._stored import storable
from sknn.estimators._targets import RealTargets, Targets
from sknn.estimators.mlp import BaseMLP, can_go_on
from sknn.losses import GaussianNLL, Loss, Quantile


def gives_quantiles(estimator: Any) -> bool:
    """Tell whether the loss has quantiles; raise AttributeError where it has not."""
    loss = estimator.loss
    if loss == "quantile" or isinstance(loss, Quantile):
        return True
    raise AttributeError(f"loss={loss!r} has no quantiles; set loss='quantile'.")


def gives_intervals(estimator: Any) -> bool:
    """Tell whether the loss has intervals; raise AttributeError where it has not."""
    loss = estimator.loss
    if loss == "gaussian_nll" or isinstance(loss, GaussianNLL):
        return True
    return gives_quantiles(estimator)


class RegressorMethods:
    """What a multi-layer perceptron answers about numbers."""

    _loss: Loss

    @of_one_model
    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.
        return_std : bool, default=False
            Whether to return standard deviations, too; needs ``loss='gaussian_nll'``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions; with several quantiles the median.
        std : ndarray of the shape of y
            Standard deviation of y at each sample; only with `return_std`.
        """
        return self._answer(X, self._moments if return_std else self._means)  # type: ignore[attr-defined]

    def _means(self, raw: Array) -> Array:
        return self._of_fit("_targets").predict(raw, self._loss)  # type: ignore[attr-defined]

    def _moments(self, raw: Array) -> tuple[Array, Array]:
        """Return predictions and standard deviations from raw ones."""
        targets, loss = self._of_fit("_targets"), self._loss  # type: ignore[attr-defined]
        if not isinstance(loss, GaussianNLL):
            raise ValueError(
                "return_std=True needs loss='gaussian_nll', which learns a standard "
                f"deviation for each sample; this loss is {type(loss).__name__}."
            )
        std = targets.restore(loss.standard_deviation(raw), moves=False)
        return targets.predict(raw, loss), std

    @available_if(gives_quantiles)
    @of_one_model
    def predict_quantiles(self, X: Any) -> Array:
        """Predict the quantiles that the network was trained for.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.

        Returns
        -------
        quantiles : ndarray of shape (n_samples, n_quantiles) or \
                (n_samples, n_outputs, n_quantiles)
            In the order of `quantile`; they do not cross.
        """
        return self._answer(X, self._quantiles)  # type: ignore[attr-defined]

    def _quantiles(self, raw: Array) -> Array:
        return self._of_fit("_targets").restore(self._loss.quantiles(raw))  # type: ignore[attr-defined]

    @available_if(gives_intervals)
    @of_one_model
    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """Predict the interval that holds y with a given probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.
        coverage : float, default=0.9
            The probability, in (0, 1). As much lies below the interval as above. With
            ``loss='quantile'`` both its ends must be among the quantiles.

        Returns
        -------
        interval : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Lower and upper end.
        """
        if not isinstance(coverage, numbers.Real) or not 0 < coverage < 1:
            raise ValueError(f"coverage must lie in (0, 1), got {coverage!r}.")
        tail = (1 - coverage) / 2
        if isinstance(self._of_fit("_loss"), GaussianNLL):
            reach = ndtri(1 - tail)
            return self._answer(X, lambda raw: self._around_mean(raw, reach))
        levels = np.atleast_1d(self._loss.quantile)
        ends = [np.flatnonzero(np.isclose(levels, q)) for q in (tail, 1 - tail)]
        if not all(map(len, ends)):
            raise ValueError(
                f"coverage={coverage} needs the quantiles {tail:.4g} and {1 - tail:.4g}"
                f", but the network was trained for {levels.tolist()}. Add them to "
                "quantile, or choose another coverage."
            )
        chosen = [int(end[0]) for end in ends]
        return self._answer(X, lambda raw: self._quantiles(raw)[..., chosen])

    def _around_mean(self, raw: Array, n_std: float) -> Array:
        """Return what lies so many standard deviations below and above the mean."""
        mean, std = self._moments(raw)
        reach = std * std.dtype.type(n_std)
        return np.stack([mean - reach, mean + reach], axis=-1)


@storable
@document(REGRESSOR, ATTRIBUTES)
class MLPRegressor(RegressorMethods, RegressorMixin, BaseMLP):
    """Multi-layer perceptron regressor, a drop-in for scikit-learn's.

    Minimises the squared error, or another loss, by a gradient method. At the defaults
    it computes scikit-learn's numbers; parameters from `dropout` on are additions.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    MLPClassifier : The same for labels.
    MLPEstimator : One class for both tasks.

    Notes
    -----
    Differences from scikit-learn are listed, each with its test, in
    ``docs/deviations.md``. Targets far from unit scale train badly: set
    ``normalize_y=True``.

    References
    ----------
    Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors",
    Nature 323, 1986, equations 1-9.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.model_selection import train_test_split
    >>> from sknn import MLPRegressor
    >>> X, y = make_regression(n_samples=200, n_features=20, random_state=1)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
    >>> regr = MLPRegressor(random_state=1, max_iter=2000, tol=0.1)
    >>> regr.fit(X_train, y_train).predict(X_test[:2]).shape
    (2,)
    >>> regr.score(X_test, y_test)
    0.98...
    """

    _rows = REGRESSOR

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        max_grad_norm: float | None = None,
        dtype: Any = None,
        scoring: Any = None,
        l1_ratio: float = 0.0,
        average: Any = None,
        normalization: str | None = None,
        residual: bool = False,
        input_dropout: float = 0.0,
        weight_init: Any = "auto",
        parametrization: str = "standard",
        input_scale: float | None = None,
        layers: Any = None,
        categorical_features: Any = None,
        categorical_embedding: Any = None,
        numeric_embedding: Any = None,
        missing: str = "error",
        scaling: str | None = None,
        quantile: Any = None,
        normalize_y: bool = False,
        monotonic_cst: Any = None,
        diagnostics: bool = False,
        validation_split: Any = None,
        callbacks: Any = None,
        checkpoint: Any = None,
        max_time: float | None = None,
        on_divergence: str = "raise",
    ) -> None:
        self._store(locals())

    def _targets_type(self, y: Any, classes: Any) -> type[Targets]:
        return RealTargets

    @available_if(can_go_on)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch over the given data; calls go on from one another.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._partial_fit(X, y, sample_weight, None)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self._takes_positive_only()
        return tags
