"""MLPRegressor: numbers, one or several per sample."""

from __future__ import annotations

from typing import Any

from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from sknn.estimators._mlp_parameters import ATTRIBUTES, REGRESSOR
from sknn.estimators._parameters import document
from sknn.estimators._targets import RealTargets, Targets
from sknn.estimators.mlp import BaseMLP, can_go_on


@document(REGRESSOR, ATTRIBUTES)
class MLPRegressor(RegressorMixin, BaseMLP):
    """Multi-layer perceptron regressor, a drop-in for scikit-learn's.

    Minimises the squared error or the Poisson deviance by Adam, SGD or L-BFGS. At the
    defaults it computes scikit-learn's numbers; parameters from `dropout` on are
    additions.

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
    ``docs/deviations.md``. Targets far from unit scale train badly: scale them with
    :class:`sklearn.compose.TransformedTargetRegressor`.

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
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        max_grad_norm: float | None = None,
        dtype: Any = None,
        scoring: Any = None,
        normalization: str | None = None,
        residual: bool = False,
        input_dropout: float = 0.0,
        weight_init: Any = "auto",
        layers: Any = None,
        categorical_features: Any = None,
        categorical_embedding: Any = None,
        numeric_embedding: Any = None,
        missing: str = "error",
        diagnostics: bool = False,
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
        tags.target_tags.positive_only = self._counts()
        return tags
