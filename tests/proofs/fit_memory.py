"""Memory of fits beyond X, over what training must hold.

    python tests/proofs/fit_memory.py [rows]

Each figure is the peak that tracemalloc counts during `fit`, NumPy's arrays included,
over parameters, gradients, the optimiser's memory and batch buffers: four vectors of
the length of the parameters for Adam (a fifth where best weights are kept for early
stopping or, below 32 MiB, for Ctrl-C), twice the numbers that a batch leaves between
layers, and one batch of X. What goes by sample and not by feature (codes of labels, the
order, rows held out, weights: 8 bytes each) is printed beside, and taken off before
the ratio is made. Exits with an error where a ratio is above 1.5.
"""

import gc
import sys
import tempfile
import tracemalloc
import warnings
from functools import partial
from itertools import pairwise

import numpy as np
from scipy import sparse

from sknn import MLPClassifier, MLPEnsembleClassifier, MLPRegressor

COLUMNS, UNITS, BATCH = 500, (1000, 500), 200
SETTINGS = {
    "hidden_layer_sizes": UNITS,
    "batch_size": BATCH,
    "max_iter": 2,
    "random_state": 0,
}
# Numbers of 8 bytes for each sample: order and codes; both sides of a split; weights.
PLAIN, SPLIT, WEIGHED = 2, 6, 3


def classifier(**changes):
    return MLPClassifier(**{**SETTINGS, **changes})


def cases(X, y, folder):
    """Yield name, estimator, how often parameters are held, numbers by sample, call."""
    w = np.random.default_rng(2).random(len(y))
    early = {"early_stopping": True, "validation_fraction": 0.3}
    on_disk = np.lib.format.open_memmap(f"{folder}/X.npy", "w+", X.dtype, X.shape)
    on_disk[...] = X
    thin = sparse.csr_array(np.where(X > 1.5, X, 0))
    val = {"X_val": X[: len(X) // 3], "y_val": y[: len(y) // 3]}
    single = {"dtype": "float32"}
    yield "plain", classifier(), 5, PLAIN, (X, y), {}
    yield "float32 network", classifier(**single), 5, PLAIN, (X, y), {}
    yield "memmap", classifier(), 5, PLAIN, (on_disk, y), {}
    yield "CSR", classifier(), 5, PLAIN, (thin, y), {}
    yield "weights", classifier(), 5, PLAIN + WEIGHED, (X, y, w), {}
    balanced = classifier(class_weight="balanced")
    yield "class weights", balanced, 5, PLAIN + WEIGHED, (X, y), {}
    yield "early stopping", classifier(**early), 5, PLAIN + SPLIT, (X, y), {}
    yield "X_val, early", classifier(early_stopping=True), 5, PLAIN + 2, (X, y), val
    regressor = MLPRegressor(**SETTINGS)
    yield "regression", regressor, 5, PLAIN, (X, X[:, 0].copy()), {}
    ensemble = MLPEnsembleClassifier(classifier(), 2, random_state=0)
    yield "ensemble of 2", ensemble, 8, 2 * PLAIN + 2, (X, y), {}
    chunks = [(X[i : i + 1000], y[i : i + 1000]) for i in range(0, len(X), 1000)]
    yield "chunks", classifier(), 5, 0, (chunks,), {}


def needed(itemsize, n_vectors):
    """Return the bytes of parameter vectors, a batch's numbers and its rows of X."""
    widths = (COLUMNS, *UNITS, 10)
    n_parameters = sum((a + 1) * b for a, b in pairwise(widths))
    numbers = n_vectors * n_parameters + 2 * BATCH * sum(UNITS) + BATCH * COLUMNS
    return numbers * itemsize


def peak_of(function):
    gc.collect()
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def measure(n):
    """Yield name, peak, bytes by sample, ratio of the rest to what is needed, X."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, COLUMNS))
    y = np.arange(n) % 10
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classifier().fit(X[:300], y[:300])  # what is imported late is not the fit's
        for name, model, n_vectors, by_sample, data, given in cases(X, y, folder):
            peak = peak_of(partial(model.fit, *data, **given))
            itemsize = 4 if "float32" in name else 8
            own = 8 * by_sample * n
            yield name, peak, own, (peak - own) / needed(itemsize, n_vectors), X.nbytes


def main(n="5000"):
    bad = 0
    for name, peak, own, ratio, given in measure(int(n)):
        bad += ratio > 1.5
        print(
            f"{name:16} peak {peak / 1e6:6.1f} MB, {own / 1e6:4.1f} of it by sample; "
            f"the rest {ratio:.2f} x what is needed (X has {given / 1e6:.0f} MB)"
        )
    sys.exit(bool(bad))


if __name__ == "__main__":
    main(*sys.argv[1:])
