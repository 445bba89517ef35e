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
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from sknn._array import Array
from sknn.estimators._callbacks import FitCallbacks
from sknn.estimators._parameters import document, validate_parameters
from sknn.estimators._perceptron_fit import PerceptronFit, make_targets, run, scores
from sknn.estimators._perceptron_parameters import PARAMETERS
from sknn.estimators._sklearn import (
    CallbackSupportMixin,
    check_sample_weight,
    with_callbacks,
)
from sknn.training.perceptron import Average, Epoch, Samples, Weights


def _can_go_on(estimator: Any) -> bool:
    if estimator.early_stopping:
        raise AttributeError("partial_fit does not support early_stopping=True")
    return True


@document(PARAMETERS)
class PerceptronClassifier(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
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
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X has names that are strings.

    See Also
    --------
    MLPClassifier : With hidden layers.

    Notes
    -----
    On separable samples the rule makes at most ``(R / gamma) ** 2`` mistakes, where
    samples, with a one appended for the intercept, have norms up to R, and gamma is the
    largest margin (Novikoff).

    Samples are scored in blocks by one product. Within a block, a mistake raises the
    later scores by its row of the block's Gram matrix, which is the online rule itself:
    the work of Python is a step per mistake. Only an l1 penalty moves weights at every
    sample; then the next mistake is looked for in windows of samples, and sparse
    samples are visited one by one.

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
        self._check_parameters()
        callbacks = FitCallbacks()
        metadata = {"sample_weight": sample_weight}
        callbacks.begin(self, X, y, metadata, max_subtasks=self.max_iter)
        draft = copy.copy(self)
        X, y = draft._check_data(X, y, reset=True)
        draft.classes_ = _checked_classes(np.unique(y))
        weights = draft._starting_weights(X, coef_init, intercept_init)
        draft._forget()
        draft._train(X, y, sample_weight, weights, callbacks, self.max_iter)
        draft._warn_if_unfinished()
        self.__dict__ = draft.__dict__
        callbacks.end(draft._fitted_attributes)
        return self

    @available_if(_can_go_on)
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> PerceptronClassifier:
        """Go on for one epoch over some samples.

        An exception or Ctrl-C leaves the earlier model as it was.

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
        self._check_parameters()
        first = not hasattr(self, "classes_")
        draft = copy.copy(self)
        X, y = draft._check_data(X, y, reset=first)
        draft.classes_ = self._all_classes(classes, first)
        if first:
            draft._refuse_balanced()
            draft._forget()
            weights = draft._starting_weights(X, None, None)
        else:
            weights = draft._running_weights(X)
        draft._train(X, y, sample_weight, weights, FitCallbacks(), max_iter=1)
        self.__dict__ = draft.__dict__
        return self

    def _check_parameters(self) -> None:
        validate_parameters(self, PARAMETERS, PARAMETERS)
        if self.average and self.pocket:
            raise ValueError(
                f"average={self.average!r} and pocket=True exclude each other: the "
                "first publishes mean weights, the second the best. Set one of them to "
                "False."
            )

    def _check_data(self, X: Any, y: Any, reset: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            order="C",
            accept_large_sparse=False,
            reset=reset,
        )
        check_classification_targets(y)
        if sparse.issparse(X) and not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        return X, y

    def _all_classes(self, classes: Any, first: bool) -> Array:
        """Return the classes of all calls of `partial_fit`."""
        if first:
            if classes is None:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit."
                )
            return _checked_classes(unique_labels(classes))
        if classes is not None and not np.array_equal(
            self.classes_, unique_labels(classes)
        ):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to "
                f"partial_fit, was: {self.classes_!r}"
            )
        return self.classes_

    def _refuse_balanced(self) -> None:
        if isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit, which does "
                "not know all samples. Pass the weights as a dict, for example from "
                "sklearn.utils.class_weight.compute_class_weight."
            )

    def _starting_weights(self, X: Any, coef_init: Any, intercept_init: Any) -> Weights:
        """Return the weights that a fit starts from, in arrays of their own."""
        n = 1 if len(self.classes_) == 2 else len(self.classes_)
        weights = Weights(*_empty(n, X))
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = self._dense_coef() if coef_init is None else coef_init
            intercept_init = (
                self.intercept_ if intercept_init is None else intercept_init
            )
        if coef_init is not None:
            weights.coef[...] = _initial("coef_init", coef_init, weights.coef)
        if intercept_init is not None:
            weights.intercept[...] = _initial(
                "intercept_init", intercept_init, weights.intercept
            )
        return weights

    def _running_weights(self, X: Any) -> Weights:
        """Return a copy of the weights under training, which may be unpublished."""
        coef, intercept = self._running or (self._dense_coef(), self.intercept_)
        weights = Weights(*_empty(len(coef), X))
        weights.coef[...], weights.intercept[...] = coef, intercept
        return weights

    def _running_average(self, weights: Weights) -> Average | None:
        """Return a copy of the mean that goes on, if there is to be one."""
        if not self.average:
            return None
        average = Average.none(int(self.average), weights)
        average.seen += int(self.t_) - 1
        if self._mean is not None and self._mean["start"] == average.start:
            average.total.coef[...] = self._mean["coef"]
            average.total.intercept[...] = self._mean["intercept"]
            average.seen[...] = self._mean["seen"]
        return average

    def _dense_coef(self) -> Array:
        return self.coef_.toarray() if sparse.issparse(self.coef_) else self.coef_

    def _forget(self) -> None:
        """Drop what earlier calls have counted and learned."""
        for name in ("coef_", "intercept_", "_running", "_mean"):
            vars(self).pop(name, None)
        vars(self).update(t_=1.0, mistakes_curve_=[], _running=None, _mean=None)

    def _train(
        self,
        X: Any,
        y: Array,
        sample_weight: Any,
        weights: Weights,
        callbacks: FitCallbacks,
        max_iter: int,
    ) -> None:
        """Train a draft: set what it has learned."""
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y has labels that are not among classes: {unknown}.")
        codes = np.searchsorted(self.classes_, y)
        fit = PerceptronFit(
            params=self,
            samples=Samples(X, codes, _checked_weights(sample_weight, X)),
            targets=make_targets(self, self.classes_, y),
            weights=weights,
            average=self._running_average(weights),
            best=self._best(weights),
            max_iter=max_iter,
        )
        vars(self).update(run(fit, callbacks, self._describe))

    def _best(self, weights: Weights) -> Weights:
        """Return what the pocket starts with: the published weights, if any."""
        if not hasattr(self, "coef_"):
            return weights
        return Weights(self._dense_coef(), self.intercept_)

    def _describe(
        self, fit: PerceptronFit, epoch: Epoch, curve: list[int]
    ) -> dict[str, Any]:
        """Return the fitted attributes behind an epoch, in arrays of their own."""
        published, running, average = fit.published(), fit.weights, fit.average
        dtype = self.coef_.dtype if hasattr(self, "coef_") else fit.samples.X.dtype
        return {
            **self._fitted_attributes(),
            "coef_": np.array(published.coef, dtype=dtype, order="C"),
            "intercept_": np.array(published.intercept, dtype=dtype),
            "n_iter_": epoch.number,
            "t_": self.t_ + epoch.number * len(fit.samples.codes),
            "mistakes_curve_": [*self.mistakes_curve_, *curve],
            "converged_": epoch.separates,
            "_running": (
                None
                if published is running
                else (running.coef.copy(), running.intercept.copy())
            ),
            "_mean": None if average is None else average.as_dict(),
        }

    def _fitted_attributes(self) -> dict[str, Any]:
        fitted = ("_running", "_mean", "n_features_in_", "feature_names_in_")
        return {
            name: value
            for name, value in vars(self).items()
            if name in fitted or name.endswith("_")
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

    # Predicting ------------------------------------------------------------------

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
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        raw = scores(X, Weights(self.coef_, self.intercept_))
        return raw[:, 0] if raw.shape[1] == 1 else raw

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
        raw = self.decision_function(X)
        codes = (raw > 0).astype(int) if raw.ndim == 1 else raw.argmax(axis=1)
        return self.classes_[codes]

    def densify(self) -> PerceptronClassifier:
        """Turn ``coef_`` back into a plain array.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_is_fitted(self)
        self.coef_ = self._dense_coef()
        return self

    def sparsify(self) -> PerceptronClassifier:
        """Turn ``coef_`` into a sparse matrix, which pays where most of it is zero.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        check_is_fitted(self)
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _checked_classes(classes: Array) -> Array:
    if len(classes) < 2:
        raise ValueError(
            "The number of classes has to be greater than one; got "
            f"{len(classes)} class"
        )
    return classes


def _checked_weights(sample_weight: Any, X: Any) -> Array:
    w = check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    if not w.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return w


def _empty(n_functions: int, X: Any) -> tuple[Array, Array]:
    """Return zeros, with the functions in columns where X is sparse."""
    order = "F" if sparse.issparse(X) else "C"
    return np.zeros((n_functions, X.shape[1]), order=order), np.zeros(n_functions)


def _initial(name: str, given: Any, like: Array) -> Array:
    """Return weights to start from in the shape of `like`."""
    array = np.asarray(given, dtype=np.float64)
    if len(like) == 1 and array.size == like.size and array.ndim <= like.ndim:
        array = array.reshape(like.shape)
    if array.shape != like.shape:
        raise ValueError(
            f"{name} must have the shape {like.shape} to match classes and features, "
            f"got {array.shape}."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    return array
