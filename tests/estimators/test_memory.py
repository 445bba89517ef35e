"""Predictions and fits take little memory beyond their data; short forms of proofs."""

import runpy
import tracemalloc
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from sknn import (
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPRegressor,
    PerceptronClassifier,
)
from sknn import network as network_room
from sknn.estimators import _blocks

PROOFS = Path(__file__).parents[1] / "proofs"
RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 10))
TEN = np.arange(200) % 10
SETTINGS = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}


def peak_of(function):
    tracemalloc.start()
    answer = function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return answer, peak


def fitted(model, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y)


NLL = MLPRegressor(loss="gaussian_nll", **SETTINGS)
ENSEMBLES = MLPEnsembleClassifier(MLPClassifier(**SETTINGS), 3, random_state=0)
MODELS = {
    "classifier": (MLPClassifier(**SETTINGS), TEN),
    "scaled": (MLPClassifier(scaling="robust", missing="mean", **SETTINGS), TEN),
    "nll": (NLL, X[:, 0]),
    "ensemble": (ENSEMBLES, TEN),
    "perceptron": (PerceptronClassifier(max_iter=2, tol=None), TEN),
}
CALLS = [
    ("classifier", "predict", {}),
    ("classifier", "predict_log_proba", {}),
    ("classifier", "decision_function", {}),
    ("scaled", "predict_proba", {}),
    ("nll", "predict", {"return_std": True}),
    ("nll", "predict_interval", {}),
    ("ensemble", "predict_log_proba", {}),
    ("ensemble", "predict", {}),
    ("perceptron", "predict", {}),
]


@pytest.mark.parametrize(("name", "method", "given"), CALLS)
def test_memory_beyond_the_answer_does_not_grow_with_rows(name, method, given):
    model = fitted(*MODELS[name])
    ask = partial(getattr(model, method), np.tile(X, (300, 1)), **given)
    small = (1 << 19, 1 << 19)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_room, "_BLOCK_BYTES", small[0])
        patch.setattr(_blocks, "INPUT_BYTES", small[1])
        patch.setattr("sknn.estimators._perceptron_fitted._BLOCK_ROWS", 1 << 11)
        answer, peak = peak_of(ask)
    parts = answer if isinstance(answer, tuple) else (answer,)
    # X itself has 4.8 MB, and so have ten scores for each row
    assert peak - sum(a.nbytes for a in parts) < 2.5e6


@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        lambda a: a.astype(np.float32),
        lambda a: a.astype(np.float16),
        lambda a: (a > 0).astype(np.int8),
        lambda a: a > 0,
        lambda a: a.tolist(),
        sparse.csr_array,
        sparse.csc_matrix,
        sparse.coo_array,
        lambda a: pytest.importorskip("pandas").DataFrame(a),
        lambda a: pytest.importorskip("polars").DataFrame(a),
    ],
)
def test_blocks_answer_as_one_block_does(monkeypatch, convert):
    for model, method in [("classifier", "predict_proba"), ("ensemble", "predict")]:
        ask = partial(getattr(fitted(*MODELS[model]), method), convert(X))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that names of columns are new
            whole = ask()
            monkeypatch.setattr(_blocks, "INPUT_BYTES", 8 * 10 * 7)
            np.testing.assert_allclose(ask(), whole, rtol=1e-13)
        monkeypatch.undo()


def test_blocks_keep_the_kind_of_the_answer(monkeypatch):
    names = np.array([f"name {i}" for i in range(10)], dtype=object)[TEN]
    model = fitted(MLPClassifier(**SETTINGS), names)
    whole = model.predict(X)
    monkeypatch.setattr(_blocks, "INPUT_BYTES", 8 * 10 * 7)
    assert model.predict(X).dtype == object
    assert model.predict(X).tolist() == whole.tolist()
    ensemble = MLPEnsembleRegressor(NLL, 2, random_state=0)
    mean, std = fitted(ensemble, X[:, 0]).predict(X, return_std=True)
    assert mean.shape == std.shape == (200,)


def test_bad_rows_of_any_block_are_refused(monkeypatch):
    model = fitted(MLPClassifier(**SETTINGS), TEN)
    monkeypatch.setattr(_blocks, "INPUT_BYTES", 8 * 10 * 7)
    bad = X.copy()
    bad[-1, 3] = np.inf
    with pytest.raises(ValueError, match="contains infinity"):
        model.predict(bad)
    with pytest.raises(ValueError, match="X has 9 features, but"):
        model.predict(X[:, :9])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"early_stopping": True, "validation_fraction": 0.5},
        {"dtype": "float32"},
        {"class_weight": "balanced"},
    ],
    ids=str,
)
def test_a_fit_copies_no_share_of_x(monkeypatch, changes):
    monkeypatch.setattr(network_room, "_BLOCK_BYTES", 1 << 17)
    wide = RNG.normal(size=(8000, 100))
    model = MLPClassifier(**{**SETTINGS, **changes}, batch_size=100)
    fitted(model, TEN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, peak = peak_of(partial(model.fit, wide, np.arange(8000) % 3))
    # X has 6.4 MB; what goes by sample is 8 bytes each, a dozen times
    assert peak < 1.5e6


def test_held_rows_score_as_their_copy_does(monkeypatch):
    settings = {**SETTINGS, "early_stopping": True, "max_iter": 3}
    for scoring in (None, "loss"):
        model = MLPClassifier(**settings, scoring=scoring)
        whole = fitted(model, TEN).history_
        monkeypatch.setattr(network_room, "_BLOCK_BYTES", 2000)
        parts = fitted(model, TEN).history_
        for name in ("validation_loss", "validation_score"):
            np.testing.assert_allclose(parts[name], whole[name], rtol=1e-12)
        monkeypatch.undo()


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_training_out_of_core_takes_each_way(tmp_path):
    proof = runpy.run_path(str(PROOFS / "out_of_core.py"))
    n = proof["write"](tmp_path, 2_000_000)
    for way in proof["WAYS"][1:]:
        assert proof["train"](way, tmp_path).t_ == n
