"""PerceptronClassifier: Rosenblatt's rule behind scikit-learn's interface."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metaestimators import available_if

from sknn._array import Array
from sknn.estimators._callbacks import FitCallbacks
from sknn.estimators._chunks import refuse_chunks
from sknn.estimators._parameters import document
from sknn.estimators._perceptron_checks import (
    check_classes,
    check_data,
    check_initial,
    check_parameters,
    check_weights,
    classes_of_all_calls,
    encode,
    refuse_balanced,
)
from sknn.estimators._perceptron_fit import PerceptronFit, make_targets, run
from sknn.estimators._perceptron_fitted import FittedPerceptron
from sknn.estimators._perceptron_parameters import PARAMETERS
from sknn.estimators._sklearn import CallbackSupportMixin, with_callbacks
from sknn.estimators._stored import storable
from sknn.training.perceptron import Average, Epoch, Samples, Weights


def _can_go_on(estimator: Any) -> bool:
    if estimator.early_stopping:
        raise AttributeError("partial_fit does not support early_stopping=True")
    return True


@storable
@document(PARAMETERS)
class PerceptronClassifier(
    CallbackSupportMixin, ClassifierMixin, FittedPerceptron, BaseEstimator
):
    """Perceptron, a drop-in for scikit-learn's `Perceptron`.

    Rosenblatt's rule with a step activation: samples are visited one by one, and each
    mistake moves the weights towards its side. With ``shuffle=False`` it computes
    scikit-learn's numbers; parameters from `average` on are additions.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Constants of the decision function.
    n_iter_ : int
        Epochs, of the one-vs-rest problem that took most of them.
    t_ : float
        One more than the number of samples seen, ``1 + n_iter_ * n_samples``.
    mistakes_curve_ : list of int
        For each epoch the number of samples that brought an update, summed over the
        one-vs-rest problems still in training. `partial_fit` appends.
    converged_ : bool
        Whether every problem went through its last epoch without an update. Without a
        penalty its weights then separate the samples of weight above zero, and more
        epochs would change nothing.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.

    See Also
    --------
    MLPClassifier : With hidden layers.

    Notes
    -----
    On separable samples the rule makes at most ``(R / gamma) ** 2`` mistakes, where
    samples, with a one appended for the intercept, have norms up to R, and gamma is the
    largest margin (Novikoff).

    A window of samples is scored by one product for all problems. Its first mistake is
    the next one of the online rule; weights take their step there, and the next window
    begins behind it. So Python works once per mistake, not once per sample, and the
    numbers are those of the online rule. An l1 penalty moves weights at every sample,
    on a path that windows of a plain array know in advance; sparse samples are then
    visited one by one.

    Without a penalty, margins that only rounding separates from zero are decided as by
    single steps in scikit-learn's order of sums.

    References
    ----------
    Rosenblatt, F. (1958). The perceptron: a probabilistic model for information storage
    and organization in the brain. Psychological Review 65, 386-408.

    Novikoff, A. B. J. (1962). On convergence proofs on perceptrons. Symposium on the
    Mathematical Theory of Automata 12, 615-622.

    Freund, Y. and Schapire, R. E. (1999). Large margin classification using the
    perceptron algorithm. Machine Learning 37, 277-296: averaging.

    Gallant, S. I. (1990). Perceptron-based learning algorithms. IEEE Transactions on
    Neural Networks 1, 179-191: the pocket.

    Crammer, K. and Singer, Y. (2003). Ultraconservative online algorithms for
    multiclass problems. JMLR 3, 951-991: the joint rule.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn import PerceptronClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = PerceptronClassifier().fit(X, y)
    >>> clf.score(X, y)
    0.9...
    >>> clf.mistakes_curve_[-1] < clf.mistakes_curve_[0]
    True
    """

    def __init__(
        self,
        *,
        penalty: str | None = None,
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: Any = 0,
        eta0: float = 1.0,
        n_jobs: int | None = None,
        random_state: Any = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
        average: bool | int = False,
        pocket: bool = False,
        multi_class: str = "ovr",
    ) -> None:
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.eta0 = eta0
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average
        self.pocket = pocket
        self.multi_class = multi_class

    # Fitting ---------------------------------------------------------------------

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> PerceptronClassifier:
        """Fit the model.

        An exception leaves an earlier model as it was. Ctrl-C keeps the last complete
        epoch and warns.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Class labels.
        coef_init : array-like of shape (n_classes, n_features), default=None
            Weights to start from; one row for two classes.
        intercept_init : array-like of shape (n_classes,), default=None
            Constants to start from; one for two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative: factors of the updates.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not valid, or if the weights overflow.
        """
        check_parameters(self)
        refuse_chunks(self, X, y)
        callbacks = FitCallbacks()
        metadata = {"sample_weight": sample_weight}
        callbacks.begin(self, X, y, metadata, max_subtasks=self.max_iter)
        draft = copy.copy(self)
        X, y = check_data(draft, X, y, reset=True)
        draft.classes_ = check_classes(np.unique(y))
        start = draft._start(X, coef_init, intercept_init)
        draft._forget()
        draft._train(X, y, sample_weight, start, self.max_iter, callbacks)
        draft._warn_if_unfinished()
        self.__dict__ = draft.__dict__
        callbacks.end(draft._fitted)
        return self

    @available_if(_can_go_on)
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> PerceptronClassifier:
        """Go on for one epoch over some samples.

        An exception, or Ctrl-C within the epoch, leaves the earlier model as it was.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Their labels; not every class must be among them.
        classes : array-like of shape (n_classes,), default=None
            All labels; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative: factors of the updates.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not valid, or if the weights overflow.
        """
        check_parameters(self)
        known = getattr(self, "classes_", None)
        draft = copy.copy(self)
        X, y = check_data(draft, X, y, reset=known is None)
        draft.classes_ = classes_of_all_calls(classes, known)
        if known is None:
            refuse_balanced(self.class_weight)
            start = draft._start(X)
            draft._forget()
        else:
            start = draft._resume(X)
        draft._train(X, y, sample_weight, start, 1, FitCallbacks())
        self.__dict__ = draft.__dict__
        return self

    # The methods from here to the predictions are for drafts: copies in training.

    def _start(
        self, X: Any, coef_init: Any = None, intercept_init: Any = None
    ) -> Weights:
        """Return the weights that a fit starts from, in arrays of their own."""
        weights = _zeros(1 if len(self.classes_) == 2 else len(self.classes_), X)
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = self._dense_coef() if coef_init is None else coef_init
            intercept_init = (
                self.intercept_ if intercept_init is None else intercept_init
            )
        if coef_init is not None:
            shape = weights.coef.shape
            weights.coef[...] = check_initial("coef_init", coef_init, shape)
        if intercept_init is not None:
            weights.intercept[...] = check_initial(
                "intercept_init", intercept_init, weights.intercept.shape
            )
        return weights

    def _resume(self, X: Any) -> Weights:
        """Return a copy of the weights in training, which may not be published."""
        running = getattr(self, "_running", None)
        coef, intercept = running or (self._dense_coef(), self.intercept_)
        weights = _zeros(len(coef), X)
        weights.coef[...], weights.intercept[...] = coef, intercept
        return weights

    def _resume_average(self, weights: Weights) -> Average | None:
        """Return a copy of the mean that goes on, if there is to be one."""
        if not self.average:
            return None
        average = Average.none(int(self.average), weights)
        average.seen += int(self.t_) - 1
        mean = getattr(self, "_mean", None)
        if mean is not None and mean["start"] == average.start:
            average.total.coef[...] = mean["coef"]
            average.total.intercept[...] = mean["intercept"]
            average.seen[...] = mean["seen"]
        return average

    def _forget(self) -> None:
        """Drop what earlier calls have learned and counted."""
        for name in ("coef_", "intercept_"):
            self.__dict__.pop(name, None)
        self.t_: float = 1.0
        self.mistakes_curve_: list[int] = []
        self._running: tuple[Array, Array] | None = None
        self._mean: dict[str, Any] | None = None

    def _train(
        self,
        X: Any,
        y: Array,
        sample_weight: Any,
        weights: Weights,
        max_iter: int,
        callbacks: FitCallbacks,
    ) -> None:
        """Train and set what has been learned."""
        published = weights
        if hasattr(self, "coef_"):
            published = Weights(self._dense_coef(), self.intercept_)
        w = check_weights(sample_weight, X)
        # Infinite weights are an error of their own.
        with np.errstate(over="ignore", invalid="ignore"):
            fit = PerceptronFit(
                params=self,
                samples=Samples(X, encode(y, self.classes_), w),
                targets=make_targets(self, self.classes_, y),
                weights=weights,
                average=self._resume_average(weights),
                best=published,
                max_iter=max_iter,
            )
            learned = run(fit, callbacks, self._describe)
        self.__dict__.update(learned)

    def _describe(self, fit: PerceptronFit, epoch: Epoch) -> dict[str, Any]:
        """Return the fitted attributes behind an epoch, in arrays of their own."""
        published, running, average = fit.published(), fit.weights, fit.average
        dtype = self.coef_.dtype if hasattr(self, "coef_") else fit.samples.X.dtype
        hidden = published is not running
        coef = np.array(published.coef, dtype=dtype, order="C")
        intercept = np.array(published.intercept, dtype=dtype)
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            raise ValueError(
                f"The weights of epoch {epoch.number} are too large for {dtype}. "
                "Scale X, or pass it in float64."
            )
        return {
            **self._fitted(),
            "coef_": coef,
            "intercept_": intercept,
            "n_iter_": epoch.number,
            "t_": self.t_ + epoch.number * len(fit.samples.codes),
            "converged_": epoch.separates,
            "_running": running.copies() if hidden else None,
            "_mean": None if average is None else average.as_dict(),
        }

    def _fitted(self) -> dict[str, Any]:
        """Return all fitted attributes."""
        return {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") or name in ("_running", "_mean")
        }

    def _warn_if_unfinished(self) -> None:
        at_limit = self.tol is not None and self.n_iter_ == self.max_iter
        if at_limit and not self.converged_:
            warnings.warn(
                "Maximum number of iteration reached before "
                "convergence. Consider increasing max_iter to "
                "improve the fit.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _zeros(n_functions: int, X: Any) -> Weights:
    """Return weights of zero, with functions in columns where X is sparse."""
    coef = np.zeros((n_functions, X.shape[1]))
    if sparse.issparse(X):
        coef = np.asfortranarray(coef)
    return Weights(coef, np.zeros(n_functions))
