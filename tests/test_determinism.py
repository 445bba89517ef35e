"""What docs/guide/determinism.md promises, briefly; tests/proofs has the long forms."""

import random
import warnings

import numpy as np
import pytest

SOME = ["classifier", "quantiles", "categories", "perceptron", "tabular regressor"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def threads(load_proof):
    return load_proof("threads")


@pytest.fixture(scope="module")
def determinism(load_proof):
    return load_proof("determinism")


@pytest.fixture(scope="module")
def global_state(load_proof):
    return load_proof("global_state")


def some(cases, names=SOME):
    return {name: cases[name] for name in names}


def test_threads_predict_what_one_thread_predicts(threads):
    assert threads.predict_at_once(40, some(threads.CASES)) == (8 * 40, 0)


def test_the_comparison_sees_another_answer(threads, monkeypatch):
    monkeypatch.setattr(threads, "bits", lambda arrays: random.random())
    n, different = threads.predict_at_once(2, some(threads.CASES))
    assert different == n


@pytest.mark.parametrize("name", ["classifier", "perceptron"])
def test_predictions_during_refits_are_those_of_one_fit(threads, name):
    found = threads.predict_during_refits(threads.CASES[name], 0.3)
    assert found["mix"] == 0
    assert found["fits"] >= 2


def test_fits_at_once_are_those_alone(threads):
    n, different = threads.fit_at_once(some(threads.CASES), rounds=1)
    assert (n, different) == (len(SOME), 0)


def test_fits_at_once_may_share_parameter_objects(threads):
    n, different = threads.fit_sharing(rounds=1)
    assert n > 20
    assert different == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_prediction_depends_on_rows_beside_it_by_rounding_only(determinism, dtype):
    sizes, limit = [1, 2, 7, 64, 257], {np.float32: 1e-5, np.float64: 1e-13}[dtype]
    for name in ("two classes", "block", "columns, plr, embedding", "sparse"):
        model = determinism.CASES[name].fitted()
        network = model._network.copy(dtype)
        X = determinism.CASES[name].X
        assert determinism.beside(network, X, sizes, n_tries=1) <= limit


def test_fits_failures_and_interruptions_leave_no_trace(global_state):
    wanted = ("fit, ask: cat", "NaN", "Ctrl-C", "divergence, w", "a callback")
    tried = 0
    for name, work in global_state.actions():
        if name == "a search":  # and what comes behind, minutes in all
            break
        if name.startswith(wanted):
            assert (name, global_state.changes(work)) == (name, [])
            tried += 1
    assert tried == 6


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda: np.random.rand(), "NumPy's generator"),
        (lambda: random.random(), "Python's generator"),
        (lambda: warnings.simplefilter("always"), "filters of warnings"),
    ],
)
def test_a_trace_would_be_seen(global_state, change, name):
    kept = np.random.get_state(), random.getstate()
    assert global_state.changes(change) == [name]
    np.random.set_state(kept[0])
    random.setstate(kept[1])
