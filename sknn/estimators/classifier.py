"""MLPClassifier: class labels and multilabel indicators."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from sknn._array import Array
from sknn.estimators._mlp_parameters import ATTRIBUTES, CLASSIFIER
from sknn.estimators._parameters import document
from sknn.estimators._publication import of_one_model
from sknn.estimators._stored import storable
from sknn.estimators._targets import ClassTargets, Targets
from sknn.estimators.mlp import BaseMLP, can_go_on


class ClassifierMethods:
    """What a multi-layer perceptron answers about classes."""

    def _class_targets(self) -> ClassTargets:
        return self._of_fit("_targets")  # type: ignore[attr-defined]

    @of_one_model
    def decision_function(self, X: Any) -> Array:
        """Return the raw scores of the network, before any link.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Logits; for two classes one number, positive for ``classes_[1]``.
        """
        return self._answer(  # type: ignore[attr-defined]
            X, lambda raw: self._class_targets().scores(raw)
        )

    @of_one_model
    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the classes.

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
        return self._answer(  # type: ignore[attr-defined]
            X,
            lambda raw: self._class_targets().probabilities(raw, self._loss),  # type: ignore[attr-defined]
        )

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of the probabilities of the classes.

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


@storable
@document(CLASSIFIER, ATTRIBUTES)
class MLPClassifier(ClassifierMethods, ClassifierMixin, BaseMLP):
    """Multi-layer perceptron classifier, a drop-in for scikit-learn's.

    Minimises the log loss by a gradient method. At the defaults it computes
    scikit-learn's numbers; parameters from `class_weight` on are additions.

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
    MLPRegressor : The same for numbers.
    MLPEstimator : One class for both tasks.
    PerceptronClassifier : The linear ancestor.

    Notes
    -----
    Differences from scikit-learn are listed, each with its test, in
    ``docs/deviations.md``.

    References
    ----------
    Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors",
    Nature 323, 1986, equations 1-9.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.model_selection import train_test_split
    >>> from sknn import MLPClassifier
    >>> X, y = make_classification(n_samples=100, random_state=1)
    >>> X_train, X_test, y_train, y_test = train_test_split(
    ...     X, y, stratify=y, random_state=1
    ... )
    >>> clf = MLPClassifier(random_state=1, max_iter=300).fit(X_train, y_train)
    >>> clf.predict_proba(X_test[:1]).shape
    (1, 2)
    >>> clf.score(X_test, y_test)
    0.8...
    """

    _rows = CLASSIFIER

    def __init__(
        self,
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
        class_weight: Any = None,
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
        monotonic_cst: Any = None,
        label_smoothing: float = 0.0,
        diagnostics: bool = False,
        validation_split: Any = None,
        callbacks: Any = None,
        checkpoint: Any = None,
        max_time: float | None = None,
        on_divergence: str = "raise",
        loss: Any = "log_loss",
    ) -> None:
        self._store(locals())

    def _targets_type(self, y: Any, classes: Any) -> type[Targets]:
        return ClassTargets

    @property
    def classes_(self) -> Array:
        """Class labels."""
        return self._class_targets().classes

    @available_if(can_go_on)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> MLPClassifier:
        """Train for one epoch over the given data; calls go on from one another.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels, or a multilabel indicator.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed at the first call only.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the first call lacks `classes`, or if `y` has a label not in them.
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
