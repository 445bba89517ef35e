"""What the ensembles share: members, their samples, one training, averages.

The siblings in `ensemble` say what is averaged and how it is decided by.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.utils import (
    check_consistent_length,
    check_random_state,
    get_tags,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from sknn._array import Array, as_rows
from sknn.estimators._architecture import Architecture
from sknn.estimators._blocks import in_blocks
from sknn.estimators._callbacks import FitCallbacks, Listeners
from sknn.estimators._chunks import refuse_chunks
from sknn.estimators._data import Request, rows_of
from sknn.estimators._html import ArchitectureHTML
from sknn.estimators._parameters import (
    NONE,
    RANDOM_STATE,
    Parameter,
    instance_of,
    integer,
    one_of,
    validate_parameters,
)
from sknn.estimators._publication import of_one_model
from sknn.estimators._reading import as_plain, read_matrix, read_weights, reading
from sknn.estimators._resampling import resample
from sknn.estimators._run import Run
from sknn.estimators._sklearn import safe_indexing
from sknn.estimators._targets import ClassTargets, Targets
from sknn.estimators._together import stack_size, train_together
from sknn.estimators._validation import check_groups
from sknn.estimators.mlp import BaseMLP

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
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Their names, if X had names that are all strings.
"""


class BaseMLPEnsemble(ArchitectureHTML, BaseEstimator):
    """Private base of the ensembles: members, their samples, their training."""

    estimators_: list[BaseMLP]
    estimators_samples_: list[Array]
    resampling: str | None
    random_state: Any
    n_estimators: int
    _stack_bytes: ClassVar[int | None] = None
    _rows: ClassVar[dict[str, Parameter]] = PARAMETERS
    _kind: ClassVar[type[Targets]]
    _targets: Targets
    _samples: list[Array | None]

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
        validate_parameters(self, self._rows, self._rows)
        draft = copy.copy(self)
        refuse_chunks(self, X, y)
        if y is None:
            validate_data(draft, X, y)  # raises scikit-learn's message
        X = draft._check_X(X, reset=True)
        if sample_weight is not None:
            sample_weight = read_weights(sample_weight, X)
        request = Request(
            X, y, sample_weight, X_val, y_val, sample_weight_val, groups=groups
        )
        draft._fit(request)
        self.__dict__ = draft.__dict__
        return self

    def _fit(self, request: Request) -> None:
        for name in ("oob_prediction_", "oob_score_"):
            self.__dict__.pop(name, None)
        y = self._kind.check(request.y)
        check_consistent_length(request.X, y)
        self._targets = self._kind.learn(y)
        rng = check_random_state(self.random_state)
        self._samples = self._draw(y, request, rng)
        self.estimators_ = self._make_members(rng)
        requests = [self._request(request, y, rows) for rows in self._samples]
        self._train(requests)
        self._conclude(request, y)
        every = np.arange(len(y))
        self.estimators_samples_ = [every if r is None else r for r in self._samples]
        del self._samples

    def _draw(
        self, y: Array, request: Request, rng: np.random.RandomState
    ) -> list[Array | None]:
        """Draw the rows of each member."""
        strata, groups = self._strata(y), self._groups(request, y)
        args = (self.resampling, self.n_estimators, len(y), rng, strata, groups)
        return resample(*args)

    def _strata(self, y: Array) -> Array | None:
        """Return the codes of labels, None where y is something else."""
        is_labels = isinstance(self._targets, ClassTargets) and y.ndim == 1
        return self._targets.encode(y, float) if is_labels else None

    @staticmethod
    def _groups(request: Request, y: Array) -> Array | None:
        groups = request.groups
        return None if groups is None else check_groups(groups, len(y))

    def _make_members(self, rng: np.random.RandomState) -> list[BaseMLP]:
        base = self._base()
        if base.checkpoint is not None:
            raise ValueError(
                f"checkpoint={base.checkpoint!r} of the estimator in an ensemble would "
                "be overwritten by each member in turn. Set it to None."
            )
        seeds = rng.randint(np.iinfo(np.int32).max, size=self.n_estimators)
        return [clone(base).set_params(random_state=int(seed)) for seed in seeds]

    def _base(self) -> BaseMLP:
        """Return the network that members are clones of."""
        raise NotImplementedError

    def _architecture(
        self, n_features: int | None = None, n_outputs: int | None = None
    ) -> Architecture:
        """Return the layers of each network, fitted or not."""
        members = getattr(self, "estimators_", None) or [self._base()]
        found = members[0]._architecture(n_features, n_outputs)
        fitted = hasattr(self, "estimators_")
        n = len(members) if fitted else self.n_estimators
        return replace(found, n_networks=n)

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
                self._before_training(members[first:], requests[first])
                runs = [_prepare(members[first], requests[first], stack)]
                size = stack_size(runs[0], len(members) - first, self._stack_bytes)
                for i in range(first + 1, first + size):
                    runs.append(_prepare(members[i], requests[i], stack))
                first += size
                train_together(runs, keep_on_interrupt=first == len(members))
            for member, run in zip(members[first - size : first], runs, strict=True):
                self._publish(member, run)

    def _before_training(self, waiting: list[BaseMLP], request: Request) -> None:
        """Prepare for the next of the members that wait for their training."""

    def _publish(self, member: BaseMLP, run: Run) -> None:
        run.draft._adopt(run)
        member.__dict__ = run.draft.__dict__
        names = vars(self).get("feature_names_in_")
        if names is not None:
            member.feature_names_in_ = names
        run.warn_of_ills()

    def _conclude(self, request: Request, y: Array) -> None:
        """Learn from the samples that members were not trained on."""
        if self.resampling is not None:
            self._predict_left_out(request, y)

    def _answers_left_out(self, X: Any, n: int) -> list[tuple[Array, Array]]:
        """Return for each member the samples that it left out, and its answers."""
        answers = []
        for member, rows in zip(self.estimators_, self._samples, strict=True):
            others = left_out(rows, n)
            if len(others):
                own = self._answer(member, _rows_of_given(X, others))
                answers.append((others, own))
        return answers

    def _predict_left_out(self, request: Request, y: Array) -> None:
        """Predict each sample by the members that were not trained on it."""
        answers = self._answers_left_out(request.X, len(y))
        if not answers:
            raise ValueError(
                f"resampling={self.resampling!r} has left none of n_samples={len(y)} "
                "out: give more samples, or set resampling=None."
            )
        self.oob_prediction_, covered = average_left_out(answers, len(y))
        if not covered.all():
            warnings.warn(
                f"{np.count_nonzero(~covered)} samples were left out by no member and "
                "have no oob_prediction_. A larger n_estimators leaves out more.",
                stacklevel=5,
            )
        decided = self._decide(self.oob_prediction_[covered])
        self._score_left_out(decided, covered, y, request)

    def _score_left_out(
        self, predicted: Array, covered: Array, y: Array, request: Request
    ) -> None:
        weights = request.sample_weight
        if weights is not None:
            weights = weights[covered]
            weights = weights if weights.any() else None
        self.oob_score_ = self._targets.quick_score(y[covered], predicted, weights)

    def _answer(self, member: BaseMLP, X: Any) -> Array:
        """Return what one member predicts for checked input, to be averaged."""
        raise NotImplementedError

    def _decide(self, average: Array) -> Array:
        """Return predictions in the form of y from an average of answers."""
        raise NotImplementedError

    def _answers(self, X: Any) -> Iterator[Array]:
        """Yield the answers of all members for checked input."""
        for member in self.estimators_:
            yield self._answer(member, X)

    def _fitted(self) -> list[BaseMLP]:
        check_is_fitted(self, "estimators_")
        return self.estimators_

    def _in_blocks(self, X: Any, answer: Callable[[Any], Any], n_kept: int = 1) -> Any:
        """Return `answer(X)` of checked input, in row blocks.

        `n_kept` is the number of members whose answers are held at a time.
        """
        first = self._fitted()[0]
        size = first._network.block_rows // n_kept
        # Where X was encoded for all members, they know its columns as well.
        columns = first._n_block_columns()
        return in_blocks(lambda block: answer(self._check_X(block)), X, size, columns)

    def _average(self, X: Any) -> Array:
        """Return the mean of the members' answers, for checked input."""
        answers = self._answers(X)
        total = next(answers).copy()
        for answer in answers:
            total += answer
        total /= len(self.estimators_)
        return total

    @of_one_model
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
        return self._in_blocks(X, lambda block: self._decide(self._average(block)))

    # Input -----------------------------------------------------------------------

    def _takes_frames(self) -> bool:
        """Tell whether members look at the columns themselves."""
        return self._base()._encodes()

    def _check_X(self, X: Any, reset: bool = False) -> Any:
        if self._takes_frames():
            with reading("X"):
                X = as_plain("X", X)
                validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        kinds = ["csr", "csc"]
        return as_rows(read_matrix(self, X, reset, accept_sparse=kinds, dtype=_FLOATS))

    def _raw(self, member: BaseMLP, X: Any) -> Array:
        return member._raw(X) if self._takes_frames() else member._raw_of(X)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags, those of the members."""
        tags = super().__sklearn_tags__()
        if self.estimator is None or isinstance(self.estimator, BaseMLP):
            tags.input_tags = get_tags(self._base()).input_tags
        return tags


def left_out(rows: Array | None, n: int) -> Array:
    """Return which of `n` samples are not among `rows`; None is all of them."""
    every = np.arange(n)
    return np.setdiff1d(every, every if rows is None else rows)


def average_left_out(
    answers: Sequence[tuple[Array, Array]], n: int
) -> tuple[Array, Array]:
    """Return the mean answer for each of `n` samples, NaN without one, and which have.

    Parameters
    ----------
    answers : sequence of (ndarray, ndarray)
        Of each member: indices of samples, and its answers for them.
    n : int
        Number of samples.
    """
    first = answers[0][1]
    summed, counts = np.zeros((n, *first.shape[1:]), dtype=first.dtype), np.zeros(n)
    for rows, own in answers:
        summed[rows] += own
        counts[rows] += 1
    with np.errstate(invalid="ignore"):
        average = summed / counts.reshape(-1, *[1] * (summed.ndim - 1))
    return average.astype(summed.dtype, copy=False), counts > 0


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
