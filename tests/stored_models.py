"""Fitted estimators of every kind, small: what is stored and loaded in tests."""

import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedShuffleSplit

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
    callbacks,
)
from sknn.initializers import Orthogonal
from sknn.layers import Activation, Dense, LayerNorm, Residual, Scale
from sknn.losses import Huber
from sknn.optimizers import Adam
from sknn.schedules import Cosine, Warmup
from sknn.training.averaging import SWA

rng = np.random.RandomState(0)
X = rng.normal(size=(60, 4))
NUMBERS = X @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.normal(size=60)
CODES = np.digitize(NUMBERS, [-1.0, 1.0])
LABELS = np.array(["ja", "nein", "größer"])[CODES]
TWO = np.where(CODES > 0, 3, -1)
INDICATOR = np.stack([CODES > 0, CODES > 1], axis=1).astype(int)
FRAME = pd.DataFrame(X, columns=list("abcd")).assign(
    kind=np.where(X[:, 0] > 0, "u", "v"), b=np.where(X[:, 1] > 1, np.nan, X[:, 1])
)
SMALL = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
TABLE = {"n_estimators": 2, "max_iter": 2, "hidden_layer_sizes": (4,)}

#: Name to an unfitted estimator, its X and its y.
MODELS = {
    "plain": (MLPClassifier(**SMALL), X, LABELS),
    "two classes, float32": (MLPClassifier(**SMALL, dtype="float32"), X, TWO),
    "lbfgs": (MLPRegressor(**SMALL, solver="lbfgs", normalize_y=True), X, NUMBERS),
    "multilabel": (MLPClassifier(**SMALL, batch_size=16), X, INDICATOR),
    "several outputs": (MLPRegressor(**SMALL), X, X[:, :2]),
    "quantiles": (
        MLPRegressor("quantile", **SMALL, quantile=[0.1, 0.9], solver="adamw"),
        X,
        NUMBERS,
    ),
    "everything that remembers": (
        MLPClassifier(
            **SMALL | {"max_iter": 4, "random_state": np.random.RandomState(3)},
            dropout=0.2,
            normalization="batch",
            residual=True,
            early_stopping=True,
            average="ema",
            learning_rate=Warmup(Cosine(total=9), epochs=2),
            class_weight={"ja": 1.0, "nein": 2, "größer": np.float32(0.5)},
            validation_split=StratifiedShuffleSplit(1, test_size=0.2, random_state=0),
            callbacks=[callbacks.TimeLimit(60.0)],
            diagnostics=True,
        ),
        X,
        LABELS,
    ),
    "objects": (
        MLPRegressor(
            Huber(2.0),
            solver=Adam(weight_decay=0.1),
            average=SWA(start=1),
            layers=[
                Scale(),
                Dense(4, kernel_init=Orthogonal(0.5), trainable=False),
                Residual([LayerNorm(), Activation("gelu"), Dense(4)]),
                Dense(1, lr_factor=0.5),
            ],
            max_iter=2,
            random_state=0,
        ),
        X,
        NUMBERS,
    ),
    "monotonic": (
        MLPRegressor(**SMALL, monotonic_cst=[1, -1, 0, 0]),
        X,
        NUMBERS,
    ),
    "columns": (
        MLPClassifier(
            **SMALL,
            categorical_features="from_dtype",
            missing="indicator",
            scaling="robust",
            numeric_embedding="plr",
        ),
        FRAME,
        LABELS,
    ),
    "estimator": (MLPEstimator(**SMALL), X, LABELS),
    "perceptron": (PerceptronClassifier(random_state=0), X, LABELS),
    "averaged perceptron": (
        PerceptronClassifier(average=True, random_state=0),
        X,
        TWO,
    ),
    "ensemble": (
        MLPEnsembleClassifier(MLPClassifier(**SMALL), 2, resampling="folds"),
        X,
        LABELS,
    ),
    "ensemble of regressors": (
        MLPEnsembleRegressor(MLPRegressor(**SMALL), 2),
        X,
        NUMBERS,
    ),
    "tabular": (TabularMLPClassifier(**TABLE, random_state=0), FRAME, LABELS),
    "tabular numbers": (TabularMLPRegressor(**TABLE, random_state=0), X, NUMBERS),
    "autoencoder": (MLPAutoencoder(2, (3,), max_iter=2, random_state=0), X, None),
    "transformer": (MLPTransformer(MLPClassifier(**SMALL)), X, LABELS),
}


def fit(name):
    """Return the fitted model of this name, its X and its y."""
    model, inputs, y = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)  # that dead units were found
        return model.fit(inputs, y), inputs, y


def answers(model, inputs):
    """Return what every method answers that a prediction has."""
    names = ["predict", "predict_proba", "decision_function", "transform"]
    return {
        name: getattr(model, name)(inputs) for name in names if hasattr(model, name)
    }
