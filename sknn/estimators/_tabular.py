"""What the tabular networks share: parameters, folds that validate, length of training.

The siblings in `tabular` say what is averaged and what is learned of samples left out.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_consistent_length
from sklearn.utils.metaestimators import available_if

from sknn._array import Array
from sknn.estimators._callbacks import FitCallbacks, Listeners
from sknn.estimators._data import Request
from sknn.estimators._ensemble import ATTRIBUTES as ENSEMBLE_ATTRIBUTES
from sknn.estimators._ensemble import PARAMETERS as ENSEMBLE_PARAMETERS
from sknn.estimators._ensemble import BaseMLPEnsemble, left_out
from sknn.estimators._inputs import Encoded, NetworkInput
from sknn.estimators._mlp_parameters import CLASSIFIER, REGRESSOR
from sknn.estimators._parameters import BOOLEAN, Parameter, integer, one_of
from sknn.estimators._reading import read_weights
from sknn.estimators._resampling import resample
from sknn.estimators._together import stack_size
from sknn.estimators._validation import naming_validation_data, require_pair
from sknn.estimators.mlp import BaseMLP

# With fewer networks than this, each still holds out no more than one of five folds.
_FEW_MEMBERS = 4
_FOLDS_OF_FEW = 5

# Beyond the cache: a step has several times as many calls as layers. Eight networks of
# 128 units take a fifth less time at once than one by one, of 192 units about the same.
_STACK_BYTES = 1 << 26

_LARGE = 10_000
_BATCH_SIZES = {True: 256, False: 128}

_OWN: dict[str, Parameter] = {
    "n_estimators": Parameter(
        "int, default=8",
        """
        Number of networks. Each is validated on a fold of its own, of as many folds as
        there are networks or, where they are fewer than four, of five.
        """,
        integer(1),
    ),
    "min_steps": Parameter(
        "int, default=400",
        """
        Fewest steps of a network: on small data there are more epochs than `max_iter`.
        """,
        integer(0),
    ),
    "batch_size": Parameter(
        "int or 'auto', default='auto'",
        """
        Samples per minibatch; 'auto' is 256 for a network trained on at least 10,000
        samples, else 128.
        """,
        one_of("auto") | integer(1),
    ),
    "random_state": ENSEMBLE_PARAMETERS["random_state"],
}

# Parameters of the networks, and what they are by default.
_PRESETS: dict[str, Any] = {
    "hidden_layer_sizes": (192, 192, 192),
    "activation": "selu",
    "solver": "adam",
    "alpha": 0.0,
    "learning_rate": "coslog4",
    "learning_rate_init": 0.04,
    "max_iter": 48,
    "tol": 1e-4,
    "n_iter_no_change": "cycle",
    "beta_1": 0.9,
    "beta_2": 0.95,
    "dropout": 0.125,
    "input_scale": 6.0,
    "parametrization": "ntk",
    "weight_init": "auto",
    "normalization": None,
    "residual": False,
    "max_grad_norm": None,
    "average": None,
    "categorical_features": "from_dtype",
    "categorical_embedding": None,
    "numeric_embedding": "pbld",
    "missing": "indicator",
    "scaling": "robust",
    "scoring": "loss",
    "dtype": "float32",
    "verbose": False,
    "callbacks": None,
    "max_time": None,
    "on_divergence": "raise",
}
CLASSIFIER_PRESETS = {
    **_PRESETS,
    "class_weight": None,
    "label_smoothing": 0.1,
    "loss": "log_loss",
}
_CLIP = Parameter(
    "bool, default=True",
    """
    Whether the predictions of each network stay within the range of y in the training
    data.
    """,
    BOOLEAN,
)
REGRESSOR_PRESETS = {
    **_PRESETS,
    "activation": "relu",
    "learning_rate_init": 0.2,
    "max_iter": 24,
    "dropout": 0.0,
    "numeric_embedding": "piecewise_linear_embedding",
    "input_scale": None,
    "normalize_y": True,
    "loss": "squared_error",
}


def _preset(row: Parameter, default: Any) -> Parameter:
    """Return the row of a parameter with another default."""
    line = re.sub(r"default=.*$", f"default={default!r}", row.type_line)
    return Parameter(line, row.description, row.allowed)


def _rows(rows: dict[str, Parameter], presets: dict[str, Any]) -> dict[str, Parameter]:
    inherited = {name: _preset(rows[name], value) for name, value in presets.items()}
    return {**_OWN, **inherited}


CLASSIFIER_ROWS = _rows(CLASSIFIER, CLASSIFIER_PRESETS)
REGRESSOR_ROWS = {
    **_rows(REGRESSOR, REGRESSOR_PRESETS),
    "min_steps": _preset(_OWN["min_steps"], 300),
    "clip_predictions": _CLIP,
}

ATTRIBUTES = f"""
n_iter_ : int
    Largest number of epochs of a network.
{ENSEMBLE_ATTRIBUTES.strip()}
""".replace("only with `resampling`", "not with `X_val`")


def _refuses_partial_fit(estimator: Any) -> bool:
    raise AttributeError(
        f"{type(estimator).__name__} has no partial_fit: its schedule, folds and "
        "scaling need all samples at once. MLPClassifier and MLPRegressor have one."
    )


class BaseTabularMLP(NetworkInput, BaseMLPEnsemble):
    """Private base of the tabular networks."""

    batch_size: Any
    max_iter: int
    max_time: float | None
    min_steps: int

    # of the ensemble
    _stack_bytes = _STACK_BYTES
    estimator = None
    resampling = "folds"

    def _store(self, given: dict[str, Any]) -> None:
        """Keep the constructor's arguments, each under its own name."""
        self.__dict__.update({name: given[name] for name in self._rows})

    @available_if(_refuses_partial_fit)
    def partial_fit(self, X: Any, y: Any) -> Any:
        """Not available."""

    # Members ---------------------------------------------------------------------

    def _network_kind(self) -> type[BaseMLP]:
        """Return the class of the networks."""
        raise NotImplementedError

    def _base(self) -> BaseMLP:
        kind = self._network_kind()
        names = [name for name in kind._rows if name in self._rows]
        given = {name: getattr(self, name) for name in names}
        given |= {"early_stopping": True}
        return kind(**given)

    def _draw(
        self, y: Array, request: Request, rng: np.random.RandomState
    ) -> list[Array | None]:
        """Draw folds; with validation data given, each network takes all samples."""
        k = self.n_estimators
        if request.X_val is not None:
            return [np.arange(len(y))] * k
        strata, groups = self._strata(y), self._groups(request, y)
        n_units = len(y) if groups is None else len(np.unique(groups))
        if n_units < 2:
            what = "sample" if groups is None else "group"
            raise ValueError(
                f"{type(self).__name__} holds out a part of the data and needs at "
                f"least 2 {what}s, got {n_units} {what}. Give more, or X_val and y_val."
            )
        n_folds = min(k if k >= _FEW_MEMBERS else _FOLDS_OF_FEW, n_units)
        folds = resample("folds", n_folds, len(y), rng, strata, groups)
        return [folds[i % n_folds] for i in range(k)]

    def _make_members(self, rng: np.random.RandomState) -> list[BaseMLP]:
        members = super()._make_members(rng)
        for member, rows in zip(members, self._samples, strict=True):
            assert rows is not None
            n, size = len(rows), self.batch_size
            size = _BATCH_SIZES[n >= _LARGE] if isinstance(size, str) else size
            size = min(int(size), n)
            epochs = max(self.max_iter, -(-self.min_steps * size // n))
            member.set_params(batch_size=size, max_iter=epochs)
        return members

    def _request(self, given: Request, y: Array, rows: Array | None) -> Request:
        """Return what one network is fitted with: X encoded, its fold held out."""
        request = super()._request(given, y, rows)
        X_val = None if given.X_val is None else Encoded(given.X_val, self)
        held = left_out(rows, len(y))
        return replace(request, X=Encoded(given.X, self), X_val=X_val, held=held)

    def _fit(self, request: Request) -> None:
        self._deadline = None
        if self.max_time is not None:
            self._deadline = time.perf_counter() + self.max_time
        if request.X_val is not None:
            request = replace(request, **self._check_validation(request))
        super()._fit(request)
        self.n_iter_ = max(member.n_iter_ for member in self.estimators_)
        del self._deadline

    def _check_validation(self, request: Request) -> dict[str, Any]:
        """Return the validation data checked, X encoded."""
        require_pair(request.X_val, request.y_val)
        w = request.sample_weight_val
        with naming_validation_data():
            X, y = self._check_X(request.X_val), self._kind.check(request.y_val)
            check_consistent_length(X, y)
            if w is not None:
                w = read_weights(w, X)
        return {"X_val": X, "y_val": y, "sample_weight_val": w}

    def _before_training(self, waiting: list[BaseMLP], request: Request) -> None:
        """Share out what is left of `max_time` among the networks that wait."""
        if self._deadline is None:
            return
        run = waiting[0]._prepare(request, FitCallbacks(), Listeners(waiting[0]))
        # networks that train at the same time
        size = stack_size(run, len(waiting), self._stack_bytes)
        left = max(self._deadline - time.perf_counter(), 1e-9)
        for member in waiting[:size]:
            member.set_params(max_time=left * size / len(waiting))

    # Input -----------------------------------------------------------------------

    def _check_X(self, X: Any, reset: bool = False) -> Any:
        if sparse.issparse(X):
            raise TypeError(
                "Sparse data was passed for X, but dense data is required. Use "
                "X.toarray()."
            )
        return super()._check_X(X, reset)

    def _takes_frames(self) -> bool:
        return False  # members are given what has been encoded

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags
