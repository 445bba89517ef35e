"""MLPEnsembleClassifier and MLPEnsembleRegressor: networks trained as one stack."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import (
    check_consistent_length,
    check_random_state,
    get_tags,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from sknn._array import Array, as_rows
from sknn.estimators._callbacks import FitCallbacks, Listeners
from sknn.estimators._data import Request, rows_of
from sknn.estimators._parameters import (
    NONE,
    RANDOM_STATE,
    Parameter,
    document,
    instance_of,
    integer,
    one_of,
    validate_parameters,
)
from sknn.estimators._resampling import resample
from sknn.estimators._run import Run
from sknn.estimators._sklearn import safe_indexing
from sknn.estimators._targets import ClassTargets, RealTargets, Targets
from sknn.estimators._together import stack_size, train_together
from sknn.estimators._validation import check_groups
from sknn.estimators.classifier import MLPClassifier
from sknn.estimators.estimator import MLPEstimator
from sknn.estimators.mlp import BaseMLP
from sknn.estimators.regressor import MLPRegressor
from sknn.losses import GaussianNLL

_FLOATS = (np.float64, np.float32)

PARAMETERS: dict[str, Parameter] = {
    "estimator": Parameter(
        "MLP estimator or None, default=None",
        """
        The network of which each member is a clone with a random state of its own;
        None is one with default parameters.
        """,
        NONE | instance_of(BaseMLP, "a multi-layer perceptron of sknn"),
    ),
    "n_estimators": Parameter(
        "int, default=8",
        """
        Number of members.
        """,
        integer(1),
    ),
    "resampling": Parameter(
        "{'folds', 'bootstrap'} or None, default=None",
        """
        What each member is trained on. None: all samples, so that members differ in
        their random state only. 'folds': all but one of `n_estimators` folds, which are
        stratified for classes. 'bootstrap': as many samples as there are, drawn with
        replacement.
        With `groups` given to `fit`, whole groups are left out or drawn.
        """,
        NONE | one_of("folds", "bootstrap"),
    ),
    "random_state": Parameter(
        "int, RandomState instance or None, default=None",
        """
        Draws the random states of the members, and their samples. An int gives the
        same fit each time.
        """,
        RANDOM_STATE,
    ),
}

ATTRIBUTES = """
estimators_ : list of MLP estimator
    The members, fitted; each can be used, and go on, by itself.
estimators_samples_ : list of ndarray
    The rows that each member was given to train on.
oob_prediction_ : ndarray of shape (n_samples, n_classes) or the shape of y
    Predictions (of classes: probabilities) for each sample by the members that were
    not trained on it, NaN where there is none; only with `resampling`.
oob_score_ : float
    Accuracy or R2 of these predictions; only with `resampling`.
n_features_in_ : int
    Number of features seen in `fit`.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Their names, if X had names that are all strings.
"""


class BaseMLPEnsemble(BaseEstimator):
    """Private base of the ensembles: members, their samples, their training."""

    estimator: Any
    n_estimators: int
    resampling: str | None
    random_state: Any

    estimators_: list[BaseMLP]
    estimators_samples_: list[Array]
    _kind: ClassVar[type[Targets]]
    _targets: Targets

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        groups: Any = None,
    ) -> Any:
        """Fit all members.

        Small networks are trained as one stack, larger ones one after another; the
        numbers are the same. An exception leaves an earlier ensemble as it was. Ctrl-C
        keeps the last complete epoch, if every member has one, and warns.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels, a multilabel indicator, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data of all members.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of the validation data.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation data.
        groups : array-like of shape (n_samples,), default=None
            Groups of samples, which `resampling` and early stopping keep together.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        ValueError
            If a parameter or the data are not valid, or if training diverged.
        """
        validate_parameters(self, PARAMETERS, PARAMETERS)
        draft = copy.copy(self)
        if y is None:
            validate_data(draft, X, y)  # raises scikit-learn's message
        X = draft._check_X(X, reset=True)
        request = Request(
            X, y, sample_weight, X_val, y_val, sample_weight_val, groups=groups
        )
        draft._fit(request)
        self.__dict__ = draft.__dict__
        return self

    def _fit(self, request: Request) -> None:
        y = self._kind.check(request.y)
        check_consistent_length(request.X, y)
        self._targets = self._kind.learn(y)
        rng = check_random_state(self.random_state)
        self._draw(y, request.groups, rng)
        self.estimators_ = self._make_members(rng)
        requests = [self._request(request, y, rows) for rows in self._rows]
        self._train(requests)
        if self.resampling is not None:
            self._predict_left_out(request, y)
        every = np.arange(len(y))
        self.estimators_samples_ = [every if r is None else r for r in self._rows]
        del self._rows

    def _draw(self, y: Array, groups: Any, rng: np.random.RandomState) -> None:
        """Draw the rows of each member."""
        is_labels = isinstance(self._targets, ClassTargets) and y.ndim == 1
        strata = self._targets.encode(y, float) if is_labels else None
        groups = None if groups is None else check_groups(groups, len(y))
        args = (self.resampling, self.n_estimators, len(y), rng, strata, groups)
        self._rows = resample(*args)

    def _make_members(self, rng: np.random.RandomState) -> list[BaseMLP]:
        base = self._base()
        seeds = rng.randint(np.iinfo(np.int32).max, size=self.n_estimators)
        return [clone(base).set_params(random_state=int(seed)) for seed in seeds]

    def _base(self) -> BaseMLP:
        """Return the network that members are clones of."""
        raise NotImplementedError

    def _request(self, given: Request, y: Array, rows: Array | None) -> Request:
        """Return what one member is fitted with."""
        classes = None
        if isinstance(self._targets, ClassTargets) and y.ndim == 1:
            classes = self._targets.classes
        changes: dict[str, Any] = {"y": y, "classes": classes, "rows": rows}
        if rows is not None and self._takes_frames():
            # What encodes columns learns from a member's own samples.
            own = {name: getattr(given, name) for name in ("X", "sample_weight")}
            changes |= {k: _rows_of_given(v, rows) for k, v in own.items()}
            groups = _rows_of_given(given.groups, rows)
            changes |= {"y": y[rows], "rows": None, "groups": groups}
        return Request(**{**vars(given), **changes})

    def _train(self, requests: list[Request]) -> None:
        """Train as many members at once as are best trained at once."""
        members = self.estimators_
        first = 0
        while first < len(members):
            with ExitStack() as stack:
                runs = [_prepare(members[first], requests[first], stack)]
                size = stack_size(runs[0], len(members) - first)
                for i in range(first + 1, first + size):
                    runs.append(_prepare(members[i], requests[i], stack))
                first += size
                train_together(runs, keep_on_interrupt=first == len(members))
            for member, run in zip(members[first - size : first], runs, strict=True):
                self._publish(member, run)

    def _publish(self, member: BaseMLP, run: Run) -> None:
        run.draft._adopt(run)
        member.__dict__ = run.draft.__dict__
        names = vars(self).get("feature_names_in_")
        if names is not None:
            member.feature_names_in_ = names
        run.warn_of_ills()

    def _predict_left_out(self, request: Request, y: Array) -> None:
        """Predict each sample by the members that were not trained on it."""
        every, summed = np.arange(len(y)), None
        counts = np.zeros(len(y))
        for member, rows in zip(self.estimators_, self._rows, strict=True):
            left_out = np.setdiff1d(every, every if rows is None else rows)
            if not len(left_out):
                continue
            own = self._answer(member, _rows_of_given(request.X, left_out))
            if summed is None:
                summed = np.zeros((len(y), *own.shape[1:]), dtype=own.dtype)
            summed[left_out] += own
            counts[left_out] += 1
        if summed is None:
            raise ValueError(
                f"resampling={self.resampling!r} has left none of n_samples={len(y)} "
                "out: give more samples, or set resampling=None."
            )
        covered = counts > 0
        if not covered.all():
            warnings.warn(
                f"{np.count_nonzero(~covered)} samples were left out by no member and "
                "have no oob_prediction_. A larger n_estimators leaves out more.",
                stacklevel=4,
            )
        shape = (-1, *[1] * (summed.ndim - 1))
        with np.errstate(invalid="ignore"):
            predicted = summed / counts.reshape(shape)
        self.oob_prediction_ = predicted.astype(summed.dtype, copy=False)
        weights = request.sample_weight
        if weights is not None:
            weights = np.asarray(weights)[covered]
            weights = weights if weights.any() else None
        self.oob_score_ = self._targets.score(
            y[covered], self._decide(self.oob_prediction_[covered]), weights
        )

    def _answer(self, member: BaseMLP, X: Any) -> Array:
        """Return what one member predicts for checked input, to be averaged."""
        raise NotImplementedError

    def _decide(self, average: Array) -> Array:
        """Return predictions in the form of y from an average of answers."""
        raise NotImplementedError

    def _answers(self, X: Any) -> Iterator[Array]:
        """Yield the answers of all members."""
        check_is_fitted(self, "estimators_")
        X = self._check_X(X)
        for member in self.estimators_:
            yield self._answer(member, X)

    def _average(self, X: Any) -> Array:
        """Return the mean of the members' answers."""
        answers = self._answers(X)
        total = next(answers).copy()
        for answer in answers:
            total += answer
        total /= len(self.estimators_)
        return total

    def predict(self, X: Any) -> Array:
        """Predict labels or numbers, from the average of all members.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels, a multilabel indicator, or numbers.
        """
        return self._decide(self._average(X))

    # Input -----------------------------------------------------------------------

    def _takes_frames(self) -> bool:
        """Tell whether members look at the columns themselves."""
        base = self._base()
        encodes = getattr(base, "categorical_features", None) is not None
        return encodes or getattr(base, "missing", "error") != "error"

    def _check_X(self, X: Any, reset: bool = False) -> Any:
        if self._takes_frames():
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        kinds = ["csr", "csc"]
        X = validate_data(self, X, accept_sparse=kinds, dtype=_FLOATS, reset=reset)
        return as_rows(X)

    def _raw(self, member: BaseMLP, X: Any) -> Array:
        return member._raw(X) if self._takes_frames() else member._raw_of(X)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags, those of the members."""
        tags = super().__sklearn_tags__()
        if self.estimator is None or isinstance(self.estimator, BaseMLP):
            tags.input_tags = get_tags(self._base()).input_tags
        return tags


def _prepare(member: BaseMLP, request: Request, stack: ExitStack) -> Run:
    """Return the run of one member; its callbacks are told of the end by `stack`."""
    validate_parameters(member, member._rows, member._rows)
    listeners = Listeners(member)
    stack.enter_context(listeners.during(member.max_iter))
    return member._prepare(request, FitCallbacks(), listeners)


def _rows_of_given(given: Any, rows: Array) -> Any:
    """Return these rows of something array-like, or of a frame."""
    if given is None or isinstance(given, np.ndarray) or sparse.issparse(given):
        return rows_of(given, rows)
    return safe_indexing(given, rows)


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

    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 8,
        *,
        resampling: str | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.resampling = resampling
        self.random_state = random_state

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
        return self._average(X)

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
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


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

    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 8,
        *,
        resampling: str | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.resampling = resampling
        self.random_state = random_state

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
        check_is_fitted(self, "estimators_")
        X = self._check_X(X)
        means, variances = [], []
        for member in self.estimators_:
            mean, variance = self._moments(member, X)
            means.append(mean)
            variances.append(variance)
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
