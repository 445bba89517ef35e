"""MLPEstimator: one class for labels and for numbers."""

from __future__ import annotations

from typing import Any

from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.metaestimators import available_if

from sknn._array import Array
from sknn.estimators._mlp_parameters import ATTRIBUTES, ESTIMATOR
from sknn.estimators._parameters import document
from sknn.estimators._publication import of_one_model
from sknn.estimators._reading import reading
from sknn.estimators._stored import storable
from sknn.estimators._targets import ClassTargets, RealTargets, Targets
from sknn.estimators._task import resolve_task
from sknn.estimators.classifier import ClassifierMethods
from sknn.estimators.mlp import BaseMLP, can_go_on
from sknn.estimators.regressor import RegressorMethods


def _classifies(estimator: MLPEstimator) -> bool:
    if estimator._current_task() == "classification":
        return True
    raise AttributeError("Only available when MLPEstimator predicts classes.")


@storable
@document(ESTIMATOR, ATTRIBUTES)
class MLPEstimator(RegressorMethods, BaseMLP):
    """Multi-layer perceptron for labels or numbers, by `task`.

    With ``task="auto"`` the first `fit` decides from y. Until then the estimator says
    that it is a classifier, because a wrong guess then costs nothing: scikit-learn's
    splitters fall back to plain folds for numbers, while a classifier taken for a
    regressor would be cross-validated on sorted labels. Name the task when a regression
    is cross-validated, stacked or put to a vote.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    task_ : str
        'classification' or 'regression', as resolved by `fit`.
    classes_ : ndarray of shape (n_classes,)
        Class labels; only where labels are predicted.
    {attributes}

    See Also
    --------
    MLPClassifier : Labels only.
    MLPRegressor : Numbers only.

    References
    ----------
    Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors",
    Nature 323, 1986, equations 1-9.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes, load_iris
    >>> from sknn import MLPEstimator
    >>> est = MLPEstimator((10,), max_iter=500, random_state=0, solver="lbfgs")
    >>> est.fit(*load_iris(return_X_y=True)).task_
    'classification'
    >>> MLPEstimator(solver="lbfgs", max_iter=500, task="regression", tol=1.0,
    ...     alpha=1.0, hidden_layer_sizes=(2,), activation="tanh", random_state=0
    ... ).fit(*load_diabetes(return_X_y=True)).task_
    'regression'
    """

    _rows = ESTIMATOR
    task_: str

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        task: str = "auto",
        loss: Any = "auto",
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
        quantile: Any = None,
        normalize_y: bool = False,
        monotonic_cst: Any = None,
        label_smoothing: float = 0.0,
        diagnostics: bool = False,
        validation_split: Any = None,
        callbacks: Any = None,
        checkpoint: Any = None,
        max_time: float | None = None,
        on_divergence: str = "raise",
    ) -> None:
        self._store(locals())

    def _current_task(self) -> str:
        """Return the task as far as it is known; an unknown one is classification."""
        if isinstance(self.task, str) and self.task != "auto":
            return self.task
        return vars(self).get("task_", "classification")

    def _targets_type(self, y: Any, classes: Any) -> type[Targets]:
        with reading("y"):
            self.task_ = resolve_task(self.task, y, classes)
        return ClassTargets if self.task_ == "classification" else RealTargets

    @property
    def classes_(self) -> Array:
        """Class labels."""
        targets = self._of_fit("_targets")
        if not isinstance(targets, ClassTargets):
            raise AttributeError("This MLPEstimator predicts numbers: no classes_.")
        return targets.classes

    predict_proba = available_if(_classifies)(ClassifierMethods.predict_proba)
    predict_log_proba = available_if(_classifies)(ClassifierMethods.predict_log_proba)
    decision_function = available_if(_classifies)(ClassifierMethods.decision_function)
    _class_targets = ClassifierMethods._class_targets

    @of_one_model
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of labels or R2 of numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True labels or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
            The score; 1 is perfect.
        """
        predicted = self.predict(X)
        return self._targets.score(y, predicted, sample_weight)

    @available_if(can_go_on)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> MLPEstimator:
        """Train for one epoch over the given data; calls go on from one another.

        With ``task="auto"`` the first call classifies if `classes` is given.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels, a multilabel indicator, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed at the first call for labels.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags, by the task as far as it is known."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if self._current_task() == "classification":
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags(multi_label=True)
        else:
            tags.estimator_type = "regressor"
            tags.regressor_tags = RegressorTags()
            tags.target_tags.multi_output = True
            tags.target_tags.positive_only = self._takes_positive_only()
        return tags
