"""Coverage of prediction intervals, and calibration of probabilities, on real data.

    python tests/benchmarks/uncertainty.py [DIR] [--seeds 3] [--cap 5000]

DIR is a folder with a `load.py` that has ``TABULAR``, ``load(name)`` and
``split(name, seed, cap)``; without it, sets that scikit-learn ships are used. Prints
two tables: 90 % intervals of networks with quantile loss and Gaussian likelihood beside
HistGradientBoosting's quantile loss, and log loss and expected calibration error of a
network before and after CalibratedClassifierCV. Test rows are seen by no fit.
"""

import argparse
import importlib.util
import pathlib
import warnings

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import log_loss, mean_pinball_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from sknn import MLPClassifier, MLPRegressor

LEVELS = [0.05, 0.5, 0.95]
NETWORK = {
    "hidden_layer_sizes": (64, 64),
    "activation": "silu",
    "learning_rate": "cosine",
    "learning_rate_init": 3e-3,
    "max_iter": 60,
    "n_iter_no_change": 60,
}


def columns(X):
    """Numbers scaled, categories as codes."""
    words = make_column_selector(dtype_include=object)
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1
    )
    return make_column_transformer(
        (encoder, words), remainder=StandardScaler(), verbose_feature_names_out=False
    )


def network(kind, X, seed, **settings):
    n_words = X.select_dtypes(object).shape[1]
    model = kind(
        categorical_features=list(range(n_words)) or None,
        missing="mean",
        alpha=0.1,
        random_state=seed,
        **{**NETWORK, **settings},
    )
    return make_pipeline(columns(X), model)


def intervals(splits):
    """Yield coverage, mean width over the standard deviation of y, and pinball loss."""
    for seed, (X_train, X_test, y_train, y_test) in enumerate(splits):
        spread = y_train.std()
        quantile = network(
            MLPRegressor, X_train, seed, loss="quantile", quantile=LEVELS
        ).set_params(mlpregressor__normalize_y=True)
        normal = network(MLPRegressor, X_train, seed, loss="gaussian_nll")
        normal.set_params(mlpregressor__normalize_y=True)
        found = {
            "quantile": inner(quantile.fit(X_train, y_train), X_test),
            "gaussian_nll": inner(normal.fit(X_train, y_train), X_test),
            "boosting": boosting(X_train, y_train, X_test, seed),
        }
        yield {
            name: (
                np.mean((ends[:, 0] <= y_test) & (y_test <= ends[:, 1])),
                np.mean(ends[:, 1] - ends[:, 0]) / spread,
                sum(
                    mean_pinball_loss(y_test, end, alpha=level)
                    for end, level in zip(ends.T, (0.05, 0.95), strict=True)
                )
                / spread,
            )
            for name, ends in found.items()
        }


def inner(model, X):
    return model[-1].predict_interval(model[:-1].transform(X), coverage=0.9)


def boosting(X_train, y_train, X_test, seed):
    encoder = columns(X_train)
    codes, later = encoder.fit_transform(X_train), encoder.transform(X_test)
    n_words = X_train.select_dtypes(object).shape[1]
    mask = np.arange(codes.shape[1]) < n_words
    ends = [
        HistGradientBoostingRegressor(
            loss="quantile",
            quantile=level,
            random_state=seed,
            categorical_features=mask,
        )
        .fit(codes, y_train)
        .predict(later)
        for level in (0.05, 0.95)
    ]
    return np.stack(ends, axis=1)


def calibration_error(y, p, n_bins=15):
    """Expected calibration error of the predicted class, in bins of equal width."""
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    bins = np.minimum((sure * n_bins).astype(int), n_bins - 1)
    gaps = [
        abs(right[bins == b].mean() - sure[bins == b].mean()) * np.mean(bins == b)
        for b in np.unique(bins)
    ]
    return sum(gaps)


def calibrations(splits, methods):
    """Yield log loss and calibration error of each method."""
    for seed, (X_train, X_test, y_train, y_test) in enumerate(splits):
        settings = {"learning_rate": "constant", "n_iter_no_change": 10}
        model = network(MLPClassifier, X_train, seed, **settings)
        found = {"before": model.fit(X_train, y_train).predict_proba(X_test)}
        for method in methods:
            calibrated = CalibratedClassifierCV(model, method=method, cv=3)
            found[method] = calibrated.fit(X_train, y_train).predict_proba(X_test)
        yield {
            name: (log_loss(y_test, p), calibration_error(y_test, p))
            for name, p in found.items()
        }


def sets_of(folder, seeds, cap):
    """Yield name, task and splits of each set."""
    if folder is None:
        yield from shipped_sets(seeds)
        return
    spec = importlib.util.spec_from_file_location("load", folder / "load.py")
    room = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(room)
    for name in room.TABULAR:
        splits = [room.split(name, seed, cap) for seed in range(seeds)]
        yield name, splits[0][4], [split[:4] for split in splits]


def shipped_sets(seeds):
    for make in (load_diabetes, load_breast_cancer, load_wine, load_digits):
        X, y = make(return_X_y=True, as_frame=True)
        task = "regression" if make is load_diabetes else "multiclass"
        splits = [
            [
                part.to_numpy() if isinstance(part, pd.Series) else part
                for part in train_test_split(X.astype(float), y, random_state=seed)
            ]
            for seed in range(seeds)
        ]
        yield make.__name__.removeprefix("load_"), task, splits


def table(title, rows, names):
    print(f"\n| {title} | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|", flush=True)
    for name, results in rows:
        cells = []
        for column in names:
            values = np.mean([result[column] for result in results], axis=0)
            cells.append(" / ".join(f"{value:.3f}" for value in values))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cap", type=int, default=5000)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    sets = list(sets_of(options.folder, options.seeds, options.cap))
    numbers = [(name, splits) for name, task, splits in sets if task == "regression"]
    classes = [(name, splits) for name, task, splits in sets if task != "regression"]
    methods = ["isotonic", "sigmoid", "temperature"]
    table(
        "coverage of 0.9 / width / pinball loss",
        ((name, list(intervals(splits))) for name, splits in numbers),
        ["quantile", "gaussian_nll", "boosting"],
    )
    table(
        "log loss / calibration error",
        ((name, list(calibrations(splits, methods))) for name, splits in classes),
        ["before", *methods],
    )


if __name__ == "__main__":
    main()
