"""What the multi-layer perceptrons share: one fit, one publication, one prediction.

The siblings in `classifier`, `regressor` and `estimator` say what y is and which
methods a prediction has; numbers are computed on the floors below.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sknn._array import Array
from sknn.estimators._architecture import Architecture, as_fitted, as_planned
from sknn.estimators._blocks import in_blocks
from sknn.estimators._build import (
    build_layers,
    is_stochastic,
    needs_horizon,
    refuse_sparse,
    resolve_signs,
    takes_sparse,
)
from sknn.estimators._callbacks import FitCallbacks, Listeners
from sknn.estimators._chunks import as_chunks
from sknn.estimators._data import Request
from sknn.estimators._divergence import NON_FINITE, Divergence
from sknn.estimators._fitted import FittedNetwork
from sknn.estimators._html import ArchitectureHTML
from sknn.estimators._loading import TrainingInput
from sknn.estimators._parameters import validate_parameters
from sknn.estimators._publication import of_one_model
from sknn.estimators._reading import require_finite
from sknn.estimators._resume import resume
from sknn.estimators._run import Run
from sknn.estimators._scorer import Scorer
from sknn.estimators._sklearn import (
    CallbackSupportMixin,
    is_of_callbacks,
    with_callbacks,
)
from sknn.estimators._storing import check_storable
from sknn.estimators._targets import ClassTargets
from sknn.layers import Embedding, Layer
from sknn.layers.containers import adapts
from sknn.losses import Gamma, Poisson, Tweedie
from sknn.network import Network
from sknn.objective import Objective
from sknn.training.diagnostics import Diagnostics
from sknn.training.divergence import all_finite
from sknn.training.state import TrainingState


class BaseMLP(
    TrainingInput,
    FittedNetwork,
    CallbackSupportMixin,
    ArchitectureHTML,
    BaseEstimator,
):
    """Private base of the multi-layer perceptrons."""

    # Set by the constructors of the siblings.
    loss: Any
    hidden_layer_sizes: Any
    activation: Any
    solver: Any
    alpha: float
    batch_size: Any
    learning_rate: Any
    learning_rate_init: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: Any
    warm_start: bool
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: Any
    max_fun: int
    class_weight: Any = None
    normalize_y: bool = False
    monotonic_cst: Any = None
    dropout: Any
    max_grad_norm: float | None
    dtype: Any
    scoring: Any
    l1_ratio: float
    average: Any
    normalization: str | None
    residual: bool
    input_dropout: float
    weight_init: Any
    parametrization: str = "standard"
    input_scale: float | None = None
    layers: Any
    categorical_embedding: Any
    numeric_embedding: Any
    diagnostics: bool
    validation_split: Any
    callbacks: Any
    checkpoint: Any
    max_time: float | None
    on_divergence: str

    _dtype: Any

    def _store(self, given: dict[str, Any]) -> None:
        """Keep the constructor's arguments, each under its own name."""
        self.__dict__.update({name: given[name] for name in self._rows})

    # Fitting ---------------------------------------------------------------------

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        groups: Any = None,
        coefs_init: Any = None,
        intercepts_init: Any = None,
        resume_from: Any = None,
    ) -> Any:
        """Fit the model.

        An exception leaves an earlier model as it was. Ctrl-C keeps the last complete
        epoch and warns; of networks with more than 32 MiB of parameters, which have no
        second copy, it keeps the weights of the moment.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or iterable
            Training data. Or, without y, chunks of data that memory need not hold at
            once: a list of tuples (X, y) or (X, y, sample_weight), or any object
            whose ``__iter__`` starts to give out such tuples anew each time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels, a multilabel indicator, or numbers; None for chunks.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative; only their ratios matter for the loss.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data; early stopping then holds nothing out.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of the validation data.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation data.
        groups : array-like of shape (n_samples,), default=None
            Groups of samples, of which early stopping holds out whole ones; see
            `validation_split`.
        coefs_init : list of array-like, default=None
            Kernels to start from, in the shapes of `coefs_`; None in the list leaves
            the kernel of that layer to `weight_init`.
        intercepts_init : list of array-like, default=None
            Intercepts to start from, in the shapes of `intercepts_`, likewise.
        resume_from : str, path-like or None, default=None
            A file that `checkpoint` has left, of a fit with the same parameters and
            data that was broken off. Training goes on from it to the end that the fit
            would have had; for stochastic solvers the result is the same to the bit.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not valid, if training diverged, or if
            `resume_from` is no checkpoint of a fit like this one.
        OSError
            If a file cannot be read or written.
        """
        chunks = as_chunks(X, y)
        return self._train(
            Request(
                X if chunks is None else chunks,
                y,
                sample_weight,
                X_val,
                y_val,
                sample_weight_val,
                groups=groups,
                coefs_init=coefs_init,
                intercepts_init=intercepts_init,
                resume_from=resume_from,
            )
        )

    @with_callbacks
    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any) -> Any:
        weight = self.class_weight
        if isinstance(weight, str):
            raise ValueError(
                f"class_weight={weight!r} is not supported for partial_fit, which does "
                "not see all samples. Give the weights as a dict, for instance from "
                "sklearn.utils.class_weight.compute_class_weight."
            )
        request = Request(X, y, sample_weight, classes=classes, incremental=True)
        return self._train(request)

    def _train(self, request: Request) -> Any:
        """Train a copy and publish it whole, so that a failure leaves `self` alone."""
        validate_parameters(self, self._rows, self._rows)
        callbacks, listeners = FitCallbacks(), Listeners(self)
        weights = {"sample_weight": request.sample_weight}
        n_epochs = 1 if request.incremental else self.max_iter
        callbacks.begin(self, request.X, request.y, weights, max_subtasks=n_epochs)

        with listeners.during(n_epochs):
            run = self._prepare(request, callbacks, listeners)
            run.train()
        draft = run.draft
        draft._adopt(run)
        callbacks.end(run.snapshot)
        self.__dict__ = draft.__dict__
        run.warn_of_ills()
        return self

    def _prepare(
        self, request: Request, callbacks: FitCallbacks, listeners: Listeners
    ) -> Run:
        """Return a run of training on a copy of this estimator."""
        draft = copy.copy(self)
        goes_on = (request.incremental or self.warm_start) and hasattr(self, "_network")
        if request.resume_from is not None:
            draft, goes_on = resume(self, request), True
        data = draft._load(request, goes_on)
        draft._start(goes_on, data, request)
        run = draft._make_run(data, request, callbacks, listeners, adapt=not goes_on)
        if request.resume_from is not None:
            run.resume()
        return run

    def _check_storable(self) -> None:
        """Raise TypeError where a checkpoint of this model could not be written."""
        unwatched = copy.copy(self)
        unwatched.callbacks = unwatched.checkpoint = None
        check_storable(unwatched)

    def _working_dtype(self) -> Any:
        """Return the dtype of training: L-BFGS needs the digits of float64."""
        return self._dtype if is_stochastic(self.solver) else np.dtype(np.float64)

    def _start(self, goes_on: bool, data: Any, request: Request) -> None:
        """Make the network and the state of training, or copy those of the last fit."""
        layers = self._build_layers()
        if sparse.issparse(data.X):
            refuse_sparse(layers)
        dtype = self._working_dtype()
        if goes_on:
            self._check_same_layers(layers)
            self._network = self._network.copy(dtype)
            self._state = self._state.copy()
        else:
            rng = check_random_state(self.random_state)
            self._network = Network(layers, self._n_inputs(), dtype, rng)
            self._state = TrainingState(rng)
        for name in ("coefs", "intercepts"):
            arrays = getattr(request, f"{name}_init")
            if arrays is not None:
                self._replace(getattr(self, f"{name}_"), arrays, f"{name}_init")

    def _build_layers(self) -> list[Layer]:
        n_outputs = self._targets.n_outputs
        n_raw = self._loss.n_raw(n_outputs)
        signs = None if self.monotonic_cst is None else self._signs(n_raw)
        return build_layers(self, n_raw, self._columns, signs)

    def _architecture(
        self, n_features: int | None = None, n_outputs: int | None = None
    ) -> Architecture:
        """Return the layers as they are or, before a fit, as they are planned."""
        if "_network" in vars(self):
            return as_fitted(self._network, self._loss.link)
        embedding = self.categorical_embedding
        if embedding is None and self.categorical_features is not None:
            embedding = Embedding()
        layers = build_layers(self, n_outputs or 1)
        return as_planned(layers, n_features, n_outputs, embedding)

    def _signs(self, n_raw: int) -> tuple[int, ...]:
        """Return the constraint of each column that the network sees."""
        targets = self._targets
        several = isinstance(targets, ClassTargets) and not targets.multilabel
        if n_raw != targets.n_outputs or (several and n_raw > 1):
            what = f"{n_raw} classes" if several else type(self._loss).__name__
            raise ValueError(
                "monotonic_cst needs one score for each output, two classes or numbers,"
                f" but has to do with {what}."
            )
        names = getattr(self, "feature_names_in_", None)
        signs = resolve_signs(self.monotonic_cst, names, self.n_features_in_)
        return signs + (0,) * (self._n_inputs() - len(signs))

    def _check_same_layers(self, layers: list[Layer]) -> None:
        if tuple(layers) != self._network.layers:
            raise ValueError(
                "hidden_layer_sizes, activation, dropout and whatever else describes "
                "the layers must stay as they were when a fit goes on (warm_start=True "
                "or partial_fit). Set warm_start=False to start anew."
            )

    def _make_run(
        self,
        data: Any,
        request: Request,
        callbacks: FitCallbacks,
        listeners: Listeners,
        adapt: bool,
    ) -> Run:
        held, rows = self._held_data(data, request)
        if adapt and any(map(adapts, self._network.layers)):
            self._network.adapt(data.X if rows is None else data.X[rows])
        mean = data.mean_weight(rows)
        dtype = self._working_dtype()
        size = self._batch_size(data.n_samples if rows is None else len(rows))
        batches = data.batches(mean, size, dtype, self._targets.table(dtype), rows)
        # The penalty is divided by the number of samples, not by their weight.
        penalty = float(self.alpha) / mean
        rng = self._state.rng
        objective = Objective(
            self._network, self._loss, penalty, rng, float(self.l1_ratio)
        )
        return Run(
            draft=self,
            objective=objective,
            batches=batches,
            state=self._state,
            scorer=Scorer(self._scoring(), self._loss, self._watched(), self._targets),
            validation=held,
            training=self._scored_training_data(data, rows),
            stops_early=bool(self.early_stopping) and held is not None,
            callbacks=callbacks,
            listeners=listeners,
            divergence=Divergence(self, objective, batches, self._state),
            incremental=request.incremental,
            diagnostics=(
                Diagnostics(self._network, self._loss, batches)
                if self.diagnostics
                else None
            ),
        )

    def _scoring(self) -> Any:
        """Return `scoring`; under class weights its default is the loss.

        Accuracy under unequal weights is soon as good as it gets, and its patience
        would end training before the light classes have been looked at.
        """
        weighted = self.class_weight is not None
        return "loss" if self.scoring is None and weighted else self.scoring

    def _watched(self) -> Any:
        """Return a view of the draft that scorers may predict with."""
        watched = copy.copy(self)
        watched.__dict__.pop("feature_names_in_", None)
        watched.n_features_in_ = self._n_inputs()
        watched._columns = None
        return watched

    def _batch_size(self, n: int) -> int:
        if not is_stochastic(self.solver):
            return n
        if isinstance(self.batch_size, str):
            return min(200, n)
        if self.batch_size > n:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going "
                "to be clipped",
                stacklevel=2,
            )
        return min(int(self.batch_size), n)

    # Publishing ------------------------------------------------------------------

    def _adopt(self, run: Run) -> None:
        """Take over what the run has learned, as fitted attributes."""
        if not all_finite(self._network.values):
            raise ValueError(NON_FINITE)
        if self._network.values.dtype != self._dtype:
            self._network = self._network.copy(self._dtype)
        self.__dict__.update(self._fitted_attributes(run))

    def _fitted_attributes(self, run: Run) -> dict[str, Any]:
        state, early = self._state, run.stops_early
        return {
            "n_iter_": run.n_iter,
            "t_": state.samples,
            "loss_": run.loss,
            "history_": state.history,
            "loss_curve_": state.history.get("loss", []),
            "best_loss_": None if early else state.best_loss,
            "validation_scores_": (
                state.history.get("validation_score", []) if early else None
            ),
            "best_validation_score_": state.best_score if early else None,
            "best_iter_": state.best_epoch if early else None,
        }

    def _snapshot(self, run: Run) -> dict[str, Any]:
        """Return the fitted attributes of this moment with arrays of their own.

        Training can go on from them as if there had been no more epochs.
        """
        twin = copy.copy(self)
        twin._network = self._network.copy(self._dtype)
        twin._state = self._state.copy()
        twin.__dict__.update(twin._fitted_attributes(run))
        return {k: v for k, v in vars(twin).items() if not is_of_callbacks(k)}

    # Predicting ------------------------------------------------------------------

    def _raw(self, X: Any, part: slice = slice(None)) -> Array:
        """Return the output of these layers for X, a new array of two dimensions."""
        return self._answer(X, lambda raw: raw, part)

    def _answer(
        self, X: Any, finish: Callable[[Array], Any], part: slice = slice(None)
    ) -> Any:
        """Return what `finish` makes of the output of these layers, in row blocks."""
        check_is_fitted(self, "_network")

        def answer(block: Any) -> Any:
            return finish(self._raw_of(self._check_X(block), part))

        return in_blocks(answer, X, self._network.block_rows, self._n_block_columns())

    def _raw_of(self, X: Any, part: slice = slice(None)) -> Array:
        """Return the same for X that has been checked."""
        if sparse.issparse(X):
            refuse_sparse(self._network.layers)
            X = X.tocsr()
        with np.errstate(over="ignore", invalid="ignore"):
            raw = self._network.predict(X, part)
        return require_finite(raw, X)

    @of_one_model
    def predict(self, X: Any) -> Array:
        """Predict labels or numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels, a multilabel indicator, or numbers.
        """
        return self._answer(X, lambda raw: self._targets.predict(raw, self._loss))

    def _takes_positive_only(self) -> bool:
        """Tell whether the loss takes no targets below zero."""
        deviances = (Poisson, Gamma, Tweedie)
        if isinstance(self.loss, str):
            return self.loss in ("poisson", "gamma", "tweedie")
        return isinstance(self.loss, deviances)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = takes_sparse(self)
        tags.input_tags.categorical = self.categorical_features is not None
        tags.input_tags.allow_nan = self.missing != "error"
        return tags


def can_go_on(estimator: BaseMLP) -> bool:
    """Tell whether `partial_fit` exists; raise AttributeError where it does not."""
    if not is_stochastic(estimator.solver):
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    if estimator.early_stopping:
        raise AttributeError("partial_fit does not support early_stopping=True")
    if needs_horizon(estimator):
        raise AttributeError(
            "partial_fit does not know how long training will last, which "
            f"learning_rate={estimator.learning_rate!r} and "
            f"average={estimator.average!r} need: give a number of epochs in an "
            "object, such as Cosine(total=100) or SWA(start=75)."
        )
    return True
