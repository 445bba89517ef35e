"""Memory of predictions beyond input and answer: every method, at growing n.

    python tests/proofs/predict_memory.py [rows ...] [--figure file.png]

Models are fitted on a few rows of 20 columns and asked about many. Each figure is the
peak that tracemalloc counts, NumPy's arrays included, minus the bytes of what is
returned, in MB (1e6 bytes). The answers are compared with those of parts of the input
asked one by one: largest difference over the largest value. Exits with an error beyond
64 MiB, 1e-13, or in float32 1e-5.
"""

import argparse
import gc
import sys
import tempfile
import tracemalloc
import warnings
from functools import partial

import numpy as np
from scipy import sparse

import sknn

LIMIT = 64 * 2**20
COLUMNS = 20
RNG = np.random.default_rng(0)
X_FIT = RNG.normal(size=(120, COLUMNS))
TEN = np.arange(120) % 10
TWO, NUMBERS = TEN % 2, X_FIT[:, 0] + 10 * X_FIT[:, 1] ** 2
SEVERAL = (X_FIT[:, :3] > 0).astype(int)
ONCE = {"max_iter": 2, "random_state": 0}
WIDE = {**ONCE, "hidden_layer_sizes": (64,)}


def make_models():
    """Return fitted models, and for each the calls that answer about rows of X."""
    classify = ["predict", "predict_proba", "predict_log_proba"]
    decide = [*classify, "decision_function"]
    quantiles = {"loss": "quantile", "quantile": (0.05, 0.5, 0.95)}
    tabular = {**ONCE, "n_estimators": 3, "min_steps": 0, "hidden_layer_sizes": (32,)}
    member = sknn.MLPClassifier(**WIDE)
    return {
        "MLPClassifier, 10 classes": (sknn.MLPClassifier(**WIDE), TEN, decide),
        "MLPClassifier, 2 classes": (sknn.MLPClassifier(**WIDE), TWO, decide),
        "MLPClassifier, multilabel": (sknn.MLPClassifier(**WIDE), SEVERAL, decide),
        "MLPClassifier, float32": (
            sknn.MLPClassifier(dtype="float32", **WIDE),
            TEN,
            decide,
        ),
        "MLPClassifier, scaled, missing": (
            sknn.MLPClassifier(scaling="robust", missing="indicator", **WIDE),
            TEN,
            decide,
        ),
        "MLPRegressor": (sknn.MLPRegressor(**WIDE), NUMBERS, ["predict"]),
        "MLPRegressor, gaussian_nll": (
            sknn.MLPRegressor(loss="gaussian_nll", **WIDE),
            NUMBERS,
            ["predict", "predict, std", "predict_interval"],
        ),
        "MLPRegressor, quantile": (
            sknn.MLPRegressor(**quantiles, **WIDE),
            NUMBERS,
            ["predict", "predict_quantiles", "predict_interval"],
        ),
        "MLPEstimator": (
            sknn.MLPEstimator(task="classification", **WIDE),
            TEN,
            decide,
        ),
        "MLPAutoencoder": (
            sknn.MLPAutoencoder(**WIDE),
            None,
            ["transform", "predict", "inverse_transform"],
        ),
        "MLPTransformer": (sknn.MLPTransformer(member), TEN, ["transform"]),
        "MLPEnsembleClassifier": (
            sknn.MLPEnsembleClassifier(member, 4, random_state=0),
            TEN,
            classify,
        ),
        "MLPEnsembleRegressor": (
            sknn.MLPEnsembleRegressor(
                sknn.MLPRegressor(loss="gaussian_nll", **WIDE), 4, random_state=0
            ),
            NUMBERS,
            ["predict", "predict, std"],
        ),
        "TabularMLPClassifier": (sknn.TabularMLPClassifier(**tabular), TEN, decide),
        "TabularMLPRegressor": (
            sknn.TabularMLPRegressor(**tabular),
            NUMBERS,
            ["predict", "predict, std", "predict_interval"],
        ),
        "PerceptronClassifier": (
            sknn.PerceptronClassifier(max_iter=5),
            TEN,
            ["predict", "decision_function"],
        ),
    }


def call(model, method, X):
    if method == "predict, std":
        return model.predict(X, return_std=True)
    if method == "inverse_transform":
        X = X[:, : model.n_components]
    return getattr(model, method)(X)


def measure(function):
    """Return what `function` returns, and its peak memory beyond that."""
    gc.collect()
    tracemalloc.start()
    answer = function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    parts = answer if isinstance(answer, tuple) else (answer,)
    owners = {id(a if a.base is None else a.base): a for a in parts}
    return answer, peak - sum(a.nbytes for a in owners.values())


def difference(model, method, X, answer, n_parts=3):
    """Return how far parts asked one by one, each in one block, are from `answer`."""
    n = min(len(X), 6000)
    pieces = np.array_split(np.arange(n), n_parts)
    worst = 0.0
    for rows in pieces:
        own = call(model, method, X[rows])
        for whole, part in zip(_tuple(answer), _tuple(own), strict=True):
            if part.dtype.kind != "f":
                assert (whole[rows] == part).all()
                continue
            finite = np.isfinite(part)
            scale = max(np.abs(part[finite]).max(initial=0.0), np.finfo(float).tiny)
            far = np.abs(whole[rows][finite] - part[finite]).max(initial=0.0) / scale
            worst = max(worst, float(far))
    return worst


def _tuple(answer):
    return answer if isinstance(answer, tuple) else (answer,)


def kinds_of(X, folder):
    """Yield names and forms of X that no whole copy may be made of."""
    counts = (X > 0).astype(np.int8)
    on_disk = np.lib.format.open_memmap(
        f"{folder}/X.npy", "w+", dtype=np.float32, shape=X.shape
    )
    on_disk[...] = X
    yield "float64", X
    yield "float32", X.astype(np.float32)
    yield "Fortran order", np.asfortranarray(X)
    yield "float16", X.astype(np.float16)
    yield "int8", counts
    yield "bool", counts.astype(bool)
    yield "memmap of float32", on_disk
    yield "CSR", sparse.csr_array(counts.astype(float))


def every_method(models, n):
    """Yield (model, method, extra bytes, difference, tolerance) at `n` rows."""
    X = np.random.default_rng(1).normal(size=(n, COLUMNS))
    for name, (model, _, methods) in models.items():
        for method in methods:
            answer, extra = measure(partial(call, model, method, X))
            single = _tuple(answer)[0].dtype == np.float32
            far = difference(model, method, X, answer)
            yield name, method, extra, far, 1e-5 if single else 1e-13


def every_kind(model, n):
    """Yield (kind of X, extra bytes) for `predict` of one model."""
    X = np.random.default_rng(1).normal(size=(n, COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        for kind, given in kinds_of(X, folder):
            yield kind, measure(partial(model.predict, given))[1]


def fitted_models():
    models = make_models()
    for model, y, _ in models.values():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X_FIT, y)
    return models


def draw(sizes, table, file):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for (name, method), extras in table.items():
        label = f"{name}: {method}" if method == "predict" else None
        axes.plot(sizes, np.array(extras) / 1e6, ".-", lw=1, label=label)
    axes.axhline(LIMIT / 1e6, color="black", ls="--")
    axes.set(xscale="log", xlabel="rows", ylabel="MB beyond input and answer")
    axes.set_ylim(0)
    figure.savefig(file, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=[100_000, 2_000_000])
    parser.add_argument("--figure")
    options = parser.parse_args()
    models, table, bad = fitted_models(), {}, 0
    for n in options.rows:
        for name, method, extra, far, tolerance in every_method(models, n):
            table.setdefault((name, method), []).append(extra)
            bad += extra > LIMIT or far > tolerance
            print(f"{n:>9} {name:32} {method:18} {extra / 1e6:6.1f} MB {far:8.1e}")
    model = models["MLPClassifier, 10 classes"][0]
    for kind, extra in every_kind(model, max(options.rows)):
        bad += extra > LIMIT
        print(f"{max(options.rows):>9} {'predict of ' + kind:51} {extra / 1e6:6.1f} MB")
    worst = max(extra for extras in table.values() for extra in extras)
    print(f"largest: {worst / 1e6:.1f} MB, in {len(table)} methods; limit 67.1 MB")
    if options.figure:
        draw(options.rows, table, options.figure)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
