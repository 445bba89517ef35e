"""Test error, log loss, RMSE and CPU time of the tabular networks, beside others.

    OMP_NUM_THREADS=1 python tests/benchmarks/tabular.py [DIR] [--seeds 0 1 2]
        [--cap 5000] [--models tabular mlp boosting realmlp-1 realmlp-4]
        [--sets NAME ...] [--realmlp-python PATH] [--results FILE]

DIR is a folder with a `load.py` that has ``TABULAR`` and ``split(name, seed, cap)``;
without it, sets that scikit-learn ships are used.
Each fit adds a line to FILE (tabular.jsonl); what is there already is not fitted again,
so that a run can be ended and goes on later. At the end the tables of
docs/guide/tabular.md are printed from all of FILE. ``--cap 0`` takes all rows.
``mnist`` among the sets reads DIR/mnist.npz and fits one network with the setting
that docs/guide/tabular.md names.

RealMLP is fitted by pytabkit, which needs an environment of its own: give that of its
Python in ``--realmlp-python``. Each model sees the raw columns; where it does not take
them as they are, numbers are filled with medians and scaled and categories one-hot.
CPU seconds are those of the fit, of one thread where OMP_NUM_THREADS=1 is set.
"""

import argparse
import importlib.util
import json
import pathlib
import resource
import subprocess
import sys
import time
import warnings

import numpy as np

TABULAR, MLP, BOOSTING = "TabularMLP", "scikit-learn MLP", "HistGradientBoosting"
REALMLP = "RealMLP_TD n_cv={}"


def tabular(task, words, seed):
    from sknn import TabularMLPClassifier, TabularMLPRegressor

    kind = TabularMLPRegressor if task == "regression" else TabularMLPClassifier
    return kind(random_state=seed)


def scikit_mlp(task, words, seed):
    from sklearn.compose import (
        TransformedTargetRegressor,
        make_column_selector,
        make_column_transformer,
    )
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
        (numbers, make_column_selector(dtype_exclude=object)),
    )
    if task != "regression":
        return make_pipeline(columns, MLPClassifier(random_state=seed))
    model = make_pipeline(columns, MLPRegressor(random_state=seed))
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def boosting(task, words, seed):
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    def as_categories(X):
        return X.astype({name: "category" for name in words})

    kind = (
        HistGradientBoostingRegressor
        if task == "regression"
        else HistGradientBoostingClassifier
    )
    model = kind(categorical_features="from_dtype", random_state=seed)
    return make_pipeline(FunctionTransformer(as_categories), model)


class RealMLP:
    """pytabkit's, with numbers filled by medians, which it needs."""

    def __init__(self, task, words, seed, n_cv):
        import torch
        from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

        torch.set_num_threads(1)
        kind = RealMLP_TD_Regressor if task == "regression" else RealMLP_TD_Classifier
        self.model = kind(device="cpu", random_state=seed, n_cv=n_cv, n_threads=1)
        self.words = words

    def filled(self, X):
        numbers = [name for name in X if name not in self.words]
        return X.fillna({name: self.medians[name] for name in numbers})

    def fit(self, X, y):
        numbers = [name for name in X if name not in self.words]
        self.medians = X[numbers].median()
        self.model.fit(self.filled(X), y, cat_col_names=self.words)
        self.classes_ = getattr(self.model, "classes_", None)
        return self

    def predict(self, X):
        return np.asarray(self.model.predict(self.filled(X))).reshape(len(X))

    def predict_proba(self, X):
        return np.asarray(self.model.predict_proba(self.filled(X)))


MODELS = {
    "tabular": (TABULAR, tabular),
    "mlp": (MLP, scikit_mlp),
    "boosting": (BOOSTING, boosting),
    "realmlp-1": (REALMLP.format(1), lambda *about: RealMLP(*about, 1)),
    "realmlp-4": (REALMLP.format(4), lambda *about: RealMLP(*about, 4)),
}


def measure(make, split, seed):
    """Fit one model; return its figures."""
    from sklearn.metrics import log_loss

    X, X_test, y, y_test, task, words = split
    model = make(task, words, seed)
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    row = {"task": task, "n_train": len(y), "n_test": len(y_test)}
    row["cpu"] = time.process_time() - started
    row["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if task == "regression":
        row["rmse"] = float(np.sqrt(np.mean((model.predict(X_test) - y_test) ** 2)))
        return row
    p = model.predict_proba(X_test)
    row["error"] = float(np.mean(model.classes_[p.argmax(axis=1)] != y_test))
    row["log_loss"] = float(log_loss(y_test, p, labels=model.classes_))
    return row


def mnist_split(folder, cap):
    import pandas as pd

    data = np.load(folder / "mnist.npz")
    X, y = data["X_train"], data["y_train"]
    X, X_test = (
        pd.DataFrame(a.reshape(len(a), -1).astype(np.float32) / 255).add_prefix("p")
        for a in (X, data["X_test"])
    )
    rows = slice(cap)
    return X[rows], X_test, y[rows], data["y_test"], "multiclass", []


def mnist_network(task, words, seed):
    from sknn import TabularMLPClassifier

    return TabularMLPClassifier(random_state=seed, **MNIST)


# Pixels have one scale and often no quartiles: they enter as they are.
MNIST = {
    "n_estimators": 4,
    "hidden_layer_sizes": (512, 256),
    "activation": "relu",
    "max_iter": 15,
    "scaling": None,
    "missing": "error",
    "numeric_embedding": None,
    "input_scale": None,
}


class Shipped:
    """Sets that scikit-learn ships, split as the sets of a folder are."""

    TABULAR = ("breast_cancer", "wine", "digits", "diabetes")

    @staticmethod
    def split(name, seed, cap=None):
        from sklearn import datasets
        from sklearn.model_selection import train_test_split

        X, y = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=True)
        y = y.to_numpy()
        task = "regression" if name == "diabetes" else "multiclass"
        labels = None if task == "regression" else y
        X, X_test, y, y_test = train_test_split(
            X, y, test_size=0.25, random_state=seed, stratify=labels
        )
        return X[:cap], X_test, y[:cap], y_test, task, []


def load_splits(folder):
    if folder is None:
        return Shipped
    spec = importlib.util.spec_from_file_location("load", folder / "load.py")
    load = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(load)
    return load


def read(path):
    return [json.loads(line) for line in path.open()] if path.exists() else []


def run(args):
    """Fit what is asked for and not yet in the file."""
    load = load_splits(args.folder)
    known = {
        (r["set"], r["seed"], r["model"], r.get("cap")) for r in read(args.results)
    }
    for seed in args.seeds:
        for name in args.sets or load.TABULAR:
            for key in args.models:
                model, make = MODELS[key]
                if (name, seed, model, args.cap) in known:
                    continue
                cap = args.cap or None
                if name == "mnist":
                    split, make = mnist_split(args.folder, cap), mnist_network
                else:
                    split = load.split(name, seed, cap=cap)
                row = {"set": name, "seed": seed, "model": model, "cap": args.cap}
                row |= measure(make, split, seed)
                with args.results.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)


def elsewhere(python, models):
    """Run this script for some models with another Python."""
    command = [python, __file__, *sys.argv[1:], "--only", *models]
    subprocess.run(command, check=True)


METRICS = {"error": "error", "log_loss": "log loss", "rmse": "RMSE"}


def figure(row, metric):
    """Return what geometric means are taken of: an error of zero counts half a case."""
    return row["error"] + 1 / row["n_test"] if metric == "error" else row[metric]


def tables(rows, cap):
    """Print ratios to each other model, and the figures of each set."""
    rows = [r for r in rows if r.get("cap") == cap and r["set"] != "mnist"]
    by_key = {(r["model"], r["set"], r["seed"]): r for r in rows}
    models = list(dict.fromkeys(r["model"] for r in rows))
    print(
        "\n| TabularMLP over | error | log loss | RMSE | worst | CPU, geometric | all |"
    )
    print("|---|---|---|---|---|---|---|")
    if TABULAR not in models:
        models = []
    for other in (m for m in models if m != TABULAR):
        print(f"| {other} | {' | '.join(ratios(by_key, other))} |")
    print(f"\n| set | figure | {' | '.join(models)} |")
    print(f"|---|---|{'---|' * len(models)}")
    for name in dict.fromkeys(r["set"] for r in rows):
        for metric, words in {**METRICS, "cpu": "CPU s"}.items():
            cells = []
            for model in models:
                found = [
                    r[metric]
                    for r in rows
                    if (r["set"], r["model"]) == (name, model) and metric in r
                ]
                cells.append(f"{np.mean(found):.4g}" if found else "")
            if any(cells):
                print(f"| {name} | {words} | {' | '.join(cells)} |")


def ratios(by_key, other):
    """Return the cells of one row of the first table."""
    pairs = [
        (row, by_key[other, *key[1:]])
        for key, row in by_key.items()
        if key[0] == TABULAR and (other, *key[1:]) in by_key
    ]
    cells, worst = [], {}
    for metric in METRICS:
        logs = {}
        for own, theirs in pairs:
            if metric in own:
                ratio = np.log(figure(own, metric) / figure(theirs, metric))
                logs.setdefault(own["set"], []).append(ratio)
        for name, values in logs.items():
            worst[f"{name}, {METRICS[metric]}"] = np.exp(np.mean(values))
        every = [v for values in logs.values() for v in values]
        cells.append(f"{np.exp(np.mean(every)):.3f}" if every else "")
    place = max(worst, key=worst.get)
    cells.append(f"{worst[place]:.2f} ({place})")
    cpu = np.array([(own["cpu"], theirs["cpu"]) for own, theirs in pairs])
    geometric = np.exp(np.mean(np.log(cpu[:, 0] / cpu[:, 1])))
    total = cpu[:, 0].sum() / cpu[:, 1].sum()
    return [*cells, f"{geometric:.2f}", f"{total:.2f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cap", type=int, default=5000)
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=["tabular", "mlp", "boosting"]
    )
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--realmlp-python")
    parser.add_argument(
        "--results", type=pathlib.Path, default=pathlib.Path("tabular.jsonl")
    )
    parser.add_argument("--only", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        args.models = args.only
        run(args)
        return
    theirs = [m for m in args.models if m.startswith("realmlp")]
    args.models = [m for m in args.models if m not in theirs]
    run(args)
    if theirs and args.realmlp_python:
        elsewhere(args.realmlp_python, theirs)
    tables(read(args.results), args.cap)


if __name__ == "__main__":
    main()
