"""MLPEnsembleClassifier and MLPEnsembleRegressor: what they average, and answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import get_tags

from sknn._array import Array
from sknn.estimators._ensemble import ATTRIBUTES, PARAMETERS, BaseMLPEnsemble
from sknn.estimators._parameters import document
from sknn.estimators._publication import of_one_model
from sknn.estimators._stored import storable
from sknn.estimators._targets import ClassTargets, RealTargets
from sknn.estimators.classifier import MLPClassifier
from sknn.estimators.estimator import MLPEstimator
from sknn.estimators.mlp import BaseMLP
from sknn.estimators.regressor import MLPRegressor
from sknn.losses import GaussianNLL


@storable
@document(PARAMETERS, ATTRIBUTES)
class MLPEnsembleClassifier(ClassifierMixin, BaseMLPEnsemble):
    """Ensemble of multi-layer perceptrons that averages probabilities.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; the indices of the columns for a multilabel target.
    {attributes}

    See Also
    --------
    MLPEnsembleRegressor : The same for numbers.
    MLPClassifier : One member.

    References
    ----------
    Hansen & Salamon, "Neural network ensembles", IEEE Transactions on Pattern Analysis
    and Machine Intelligence 12, 1990. Lakshminarayanan, Pritzel & Blundell, "Simple and
    scalable predictive uncertainty estimation using deep ensembles", NeurIPS 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier, MLPEnsembleClassifier
    >>> net = MLPClassifier(
    ...     (10,), max_iter=50, learning_rate="cosine", learning_rate_init=0.05,
    ...     n_iter_no_change=50,
    ... )
    >>> ensemble = MLPEnsembleClassifier(net, 5, resampling="folds", random_state=0)
    >>> ensemble.fit(*load_iris(return_X_y=True)).oob_score_ > 0.9
    True
    """

    _kind = ClassTargets

    def _base(self) -> BaseMLP:
        base = MLPClassifier() if self.estimator is None else self.estimator
        task = "classification" if isinstance(base, MLPClassifier) else None
        if isinstance(base, MLPEstimator):
            task = base.task
        if task not in ("classification", "auto"):
            raise ValueError(
                "estimator must be an MLPClassifier, or an MLPEstimator that "
                f"classifies, got {base!r}."
            )
        return base

    @property
    def classes_(self) -> Array:
        """Class labels."""
        if "_targets" not in vars(self):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet.")
        return self._class_targets().classes

    def _class_targets(self) -> ClassTargets:
        assert isinstance(self._targets, ClassTargets)
        return self._targets

    def _answer(self, member: BaseMLP, X: Any) -> Array:
        targets = member._targets
        assert isinstance(targets, ClassTargets)
        return targets.probabilities(self._raw(member, X), member._loss)

    def _decide(self, average: Array) -> Array:
        targets = self._class_targets()
        if targets.multilabel:
            return (average > 0.5).astype(int)
        return targets.classes[average.argmax(axis=1)]

    @of_one_model
    def predict_proba(self, X: Any) -> Array:
        """Return the mean of the members' probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            One column for each of ``classes_``; for a multilabel target the
            probability of each label.
        """
        return self._in_blocks(X, self._average)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of the mean probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            ``log(predict_proba(X))``; minus infinity where a probability is zero.
        """
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(p, out=p)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


@storable
@document(PARAMETERS, ATTRIBUTES)
class MLPEnsembleRegressor(RegressorMixin, BaseMLPEnsemble):
    """Ensemble of multi-layer perceptrons that averages predictions.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    MLPEnsembleClassifier : The same for labels.
    MLPRegressor : One member.

    References
    ----------
    Lakshminarayanan, Pritzel & Blundell, "Simple and scalable predictive uncertainty
    estimation using deep ensembles", NeurIPS 2017, section 2.4.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sknn import MLPEnsembleRegressor, MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = MLPRegressor(
    ...     hidden_layer_sizes=(20,), max_iter=30, learning_rate="cosine",
    ...     learning_rate_init=0.01, n_iter_no_change=30, normalize_y=True,
    ... )
    >>> ensemble = MLPEnsembleRegressor(net, 3, random_state=0).fit(X, y)
    >>> y_mean, y_std = ensemble.predict(X[:2], return_std=True)
    >>> y_std.shape
    (2,)
    """

    _kind = RealTargets

    def _base(self) -> BaseMLP:
        base = MLPRegressor() if self.estimator is None else self.estimator
        regresses = isinstance(base, MLPEstimator) and base.task == "regression"
        if not isinstance(base, MLPRegressor) and not regresses:
            raise ValueError(
                "estimator must be an MLPRegressor, or an MLPEstimator with "
                f"task='regression', got {base!r}."
            )
        return base

    def _answer(self, member: BaseMLP, X: Any) -> Array:
        return member._targets.predict(self._raw(member, X), member._loss)

    def _decide(self, average: Array) -> Array:
        return average

    @of_one_model
    def predict(self, X: Any, return_std: bool = False) -> Any:
        r"""Predict the mean of the members, and how sure they are of it.

        The standard deviation is that of a mixture of the members with equal weights:
        :math:`\sigma^2 = \frac1k \sum_j (\sigma_j^2 + \mu_j^2) - \mu^2`, where members
        without a standard deviation of their own (all but those with
        ``loss='gaussian_nll'``) have :math:`\sigma_j = 0`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.
        return_std : bool, default=False
            Whether to return standard deviations, too.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        std : ndarray of the shape of y
            Standard deviation of y at each sample; only with `return_std`.
        """
        if not return_std:
            return super().predict(X)
        return self._in_blocks(X, self._mixture, len(self._fitted()))

    def _mixture(self, X: Any) -> tuple[Array, Array]:
        """Return mean and standard deviation of the mixture, for checked input."""
        moments = [self._moments(member, X) for member in self.estimators_]
        means, variances = zip(*moments, strict=True)
        spread = np.var(means, axis=0) + np.mean(variances, axis=0)
        return np.mean(means, axis=0), np.sqrt(spread)

    def _moments(self, member: BaseMLP, X: Any) -> tuple[Array, Any]:
        raw, loss, targets = self._raw(member, X), member._loss, member._targets
        variance: Any = 0.0
        if isinstance(loss, GaussianNLL) and isinstance(targets, RealTargets):
            std = targets.restore(loss.standard_deviation(raw), moves=False)
            variance = np.square(std)
        return targets.predict(raw, loss), variance

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        if self.estimator is None or isinstance(self.estimator, BaseMLP):
            positive = get_tags(self._base()).target_tags.positive_only
            tags.target_tags.positive_only = positive
        return tags
