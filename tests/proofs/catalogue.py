"""Fitted models of every kind for the proofs: each estimator, layer, kind of input.

No script of its own: `threads.py`, `determinism.py` and `global_state.py` import it.
"""

import copy
import hashlib
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPEstimator,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.layers import (
    LAYERS,
    PLR,
    Activation,
    BatchNorm,
    Columns,
    Dense,
    Dropout,
    Embedding,
    LayerNorm,
    PiecewiseLinear,
    Residual,
    Scale,
)

METHODS = [
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "predict_quantiles",
    "predict_interval",
    "transform",
    "inverse_transform",
    "predict with std",
]

rng = np.random.RandomState(0)
X = rng.normal(size=(240, 4))
labels = np.array(["no", "so", "yes"])[np.digitize(X[:, 0], [-0.4, 0.4])]
two = (X[:, 0] + X[:, 1] > 0).astype(int)
multilabel = (X[:, :2] > 0).astype(int)
numbers = X @ [1.0, -2.0, 0.5, 0.0] + np.sin(2 * X[:, 0])
counts = rng.poisson(np.exp(0.3 * X[:, 0])).astype(float)
single = X.astype(np.float32)
few = sparse.csr_matrix(np.where(np.abs(X) > 0.8, X, 0.0))
table = X.astype(object)  # numbers, words, a missing number: no pandas needed
table[:, 2] = np.array(["red", "green", "blue"])[np.digitize(X[:, 2], [-0.5, 0.5])]
codes = np.column_stack([X[:, :2], np.digitize(X[:, 2:], [-1, -0.3, 0.3, 1])])
gaps = np.where(rng.uniform(size=X.shape) < 0.1, np.nan, X)

BRIEF: dict[str, Any] = {"max_iter": 4, "random_state": 0, "batch_size": 60}
SMALL: dict[str, Any] = {"hidden_layer_sizes": (6,), **BRIEF}
FEW: dict[str, Any] = {"n_estimators": 3, "min_steps": 0, **SMALL}


def of_layers(*layers: Any) -> MLPClassifier:
    """Return a classifier of these hidden layers."""
    return MLPClassifier(layers=list(layers), **BRIEF)


@dataclass
class Case:
    """An estimator and the data that it is fitted on."""

    estimator: Any
    X: Any
    y: Any

    def fitted(self, n: int | None = None) -> Any:
        """Return a copy fitted on the first `n` samples."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.fit(copy.deepcopy(self.estimator), n)

    def fit(self, estimator: Any, n: int | None = None) -> Any:
        """Fit `estimator` on the first `n` samples."""
        return estimator.fit(self.X[:n], None if self.y is None else self.y[:n])


CASES = {
    "classifier": Case(MLPClassifier(**SMALL), X, labels),
    "two classes": Case(MLPClassifier((8, 4), **BRIEF), X, two),
    "multilabel": Case(MLPClassifier(**SMALL), X, multilabel),
    "float32": Case(MLPClassifier(**SMALL), single, labels),
    "sparse": Case(MLPClassifier(**SMALL), few, labels),
    "lbfgs": Case(MLPClassifier(**SMALL, solver="lbfgs"), X, labels),
    "early stopping": Case(MLPClassifier(**SMALL, early_stopping=True), X, labels),
    "estimator": Case(MLPEstimator(**SMALL), X, numbers),
    "regressor": Case(MLPRegressor(**SMALL, normalize_y=True), X, numbers),
    "gaussian_nll": Case(MLPRegressor("gaussian_nll", **SMALL), X, numbers),
    "quantiles": Case(
        MLPRegressor("quantile", **SMALL, quantile=[0.05, 0.5, 0.95]), X, numbers
    ),
    "poisson": Case(MLPRegressor("poisson", **SMALL, average="ema"), X, counts),
    "autoencoder": Case(MLPAutoencoder(2, (6,), **BRIEF), X, None),
    "transformer": Case(MLPTransformer(MLPClassifier(**SMALL)), X, labels),
    "monotonic": Case(MLPRegressor(**SMALL, monotonic_cst=[1, -1, 0, 0]), X, numbers),
    "residual": Case(
        MLPClassifier((6, 6, 6), residual=True, normalization="batch", **BRIEF), X, two
    ),
    "layer norm, dropout": Case(
        of_layers(Dense(8), LayerNorm(), Activation("gelu"), Dropout(0.3)), X, labels
    ),
    "batch norm, scale": Case(
        of_layers(Scale(), Dense(8, parametrization="ntk"), BatchNorm(), Dense(5)),
        X,
        labels,
    ),
    "block": Case(
        of_layers(Dense(5), Residual([LayerNorm(), Activation("silu"), Dense(5)])),
        X,
        two,
    ),
    "columns, plr, embedding": Case(
        of_layers(
            Columns(
                [
                    ((0,), PLR(3, 2)),
                    ((1,), PiecewiseLinear(5)),
                    ((2, 3), Embedding((5, 5), dim=2, one_hot_max_size=2)),
                ]
            ),
            Dense(6),
            Activation("tanh"),
        ),
        codes,
        labels,
    ),
    "categories": Case(
        MLPClassifier(
            **SMALL,
            categorical_features=[2],
            scaling="robust",
            numeric_embedding="pbld",
        ),
        table,
        labels,
    ),
    "missing": Case(
        MLPRegressor(**SMALL, missing="indicator", scaling="standard"), gaps, numbers
    ),
    "perceptron": Case(PerceptronClassifier(max_iter=20), X, labels),
    "perceptron, sparse": Case(PerceptronClassifier(average=True), few, two),
    "ensemble": Case(MLPEnsembleClassifier(MLPClassifier(**SMALL), 3), X, labels),
    "ensemble, folds": Case(
        MLPEnsembleRegressor(
            MLPRegressor(**SMALL), 3, resampling="folds", random_state=0
        ),
        X,
        numbers,
    ),
    "tabular": Case(TabularMLPClassifier(**FEW), gaps, labels),
    "tabular regressor": Case(TabularMLPRegressor(**FEW), gaps, numbers),
}
CASES["ensemble"].estimator.random_state = 0


def methods_of(model: Any) -> list[str]:
    """Return which of METHODS a fitted model has."""
    takes_std = getattr(model, "loss", None) == "gaussian_nll"
    takes_std |= isinstance(model, MLPEnsembleRegressor)
    here = [name for name in METHODS[:-1] if hasattr(model, name)]
    return here + METHODS[-1:] * takes_std


def ask(model: Any, method: str, X: Any) -> list[Any]:
    """Return the arrays that a method answers with."""
    if method == METHODS[-1]:
        return list(model.predict(X, return_std=True))
    if method == "inverse_transform":  # any numbers are codes
        X = X[:, : model.n_components]
    return [getattr(model, method)(X)]


def bits(arrays: list[Any]) -> bytes:
    """Return something equal for equal bits only."""
    packed = [
        repr(a.tolist()).encode() if a.dtype.kind in "OU" else a.tobytes()
        for a in map(np.asarray, arrays)
    ]
    return b"|".join([*packed, *(str(np.shape(a)).encode() for a in arrays)])


def answers(model: Any, X: Any) -> bytes:
    """Return all that a model answers for X."""
    return b"/".join(bits(ask(model, method, X)) for method in methods_of(model))


def learned(model: Any) -> list[Any]:
    """Return the arrays that a fit has learned."""
    if hasattr(model, "coef_"):
        return [model.coef_, model.intercept_]
    members = getattr(model, "estimators_", None) or [model]
    members = [getattr(member, "estimator_", member) for member in members]
    return [member._network.values for member in members]


def digest(model: Any, X: Any) -> str:
    """Return a digest of what a model has learned and of its answers."""
    return hashlib.sha256(bits(learned(model)) + answers(model, X)).hexdigest()[:16]


def layers_covered(models: Any) -> set[str]:
    """Return the names of the layers that some models consist of."""
    found = set()
    for model in models:
        for member in getattr(model, "estimators_", None) or [model]:
            network = getattr(getattr(member, "estimator_", member), "_network", None)
            if network is not None:
                found |= {type(layer) for layer, _, _ in network.walk()}
    return {name for name, layer in LAYERS.items() if layer in found}
