"""Fits in parts equal fits in whole, to the bit, also through files and processes."""

import itertools
import multiprocessing
import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from sknn import MLPClassifier, MLPRegressor
from sknn.optimizers import OPTIMIZERS, SGD, RMSProp
from sknn.schedules import (
    Cosine,
    Exponential,
    InverseScaling,
    OneCycle,
    Plateau,
    Warmup,
)
from sknn.training.averaging import EMA, SWA

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning",
    "ignore:lbfgs failed:sklearn.exceptions.ConvergenceWarning",
)

rng = np.random.default_rng(0)
X = rng.normal(size=(90, 5))
y = X @ [1.0, -2.0, 0.5, 0.0, 1.0] + 0.3 * rng.normal(size=90)
labels = np.digitize(y, [-1.0, 1.0])
weights = rng.integers(0, 4, size=90).astype(float)

RATES = {"sgd": 0.05, "lion": 0.003}
REGULARIZERS = {
    "plain": {},
    "dropout": {"dropout": 0.3, "input_dropout": 0.1},
    "batch norm": {"normalization": "batch"},
    "early stopping": {"early_stopping": True},
    "ema": {"average": "ema"},
    "swa": {"average": SWA(start=3)},
    "all": {
        "dropout": 0.2,
        "normalization": "batch",
        "early_stopping": True,
        "average": EMA(0.9),
        "max_grad_norm": 1.0,
    },
}
SCHEDULES = {
    "constant": "constant",
    "cosine": Cosine(total=10),
    "one cycle": OneCycle(total=10),
    "warmup": Warmup(epochs=4),
    "warmup of cosine": Warmup(Cosine(total=10), epochs=3),
    "exponential": Exponential(0.9),
    "plateau": Plateau(0.5),
}
# Kinds of data, which the pairs of optimiser and regulariser take in turns.
KINDS = {
    "numbers": (MLPRegressor, {}, {}, X, y),
    "classes": (MLPClassifier, {}, {}, X, labels),
    "float32": (MLPRegressor, {"dtype": "float32"}, {}, X, y),
    "weighted numbers": (MLPRegressor, {}, {"sample_weight": weights}, X, y),
    "weighted classes": (
        MLPClassifier,
        {"class_weight": "balanced", "dtype": "float32"},
        {"sample_weight": weights},
        X,
        labels,
    ),
    "several outputs": (MLPRegressor, {}, {}, X, np.column_stack([y, y**2])),
    "normalized": (MLPRegressor, {"normalize_y": True}, {}, X, 100 * y + 300),
    "sparse": (MLPClassifier, {}, {}, sparse.csr_array(X * (X > 0)), labels),
}


def settings(given):
    """Return settings under which no fit ends early: tests compare equal epochs."""
    return {
        "hidden_layer_sizes": (6,),
        "batch_size": 20,
        "random_state": 3,
        "max_iter": 10,
        "tol": 0.0,
        **given,
    }


def assert_equal(given, expected):
    """Models are the same to the bit, but for how many epochs the last call had."""
    np.testing.assert_array_equal(given._network.values, expected._network.values)
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(given, name), getattr(expected, name), strict=True):
            np.testing.assert_array_equal(a, b, strict=True)
    assert set(given.history_) == set(expected.history_)
    for name in set(expected.history_) - {"time"}:
        np.testing.assert_equal(given.history_[name], expected.history_[name])
    for name in (
        "t_",
        "loss_",
        "loss_curve_",
        "best_loss_",
        "validation_scores_",
        "best_validation_score_",
        "best_iter_",
    ):
        np.testing.assert_equal(getattr(given, name), getattr(expected, name))


def assert_in_parts(model, X, y, parts=(5, 5), **extra):
    """Fits of so many epochs equal one of their sum, pickled in between."""
    whole = clone(model).set_params(max_iter=sum(parts)).fit(X, y, **extra)
    assert whole.n_iter_ == sum(parts)
    model.set_params(warm_start=True)
    for n in parts:
        model = pickle.loads(pickle.dumps(model))
        model.set_params(max_iter=n).fit(X, y, **extra)
        assert model.n_iter_ == n
    assert_equal(model, whole)
    np.testing.assert_array_equal(model.predict(X), whole.predict(X))


# fit -------------------------------------------------------------------------------

PAIRS = list(itertools.product(OPTIMIZERS, REGULARIZERS))


def in_turns(table):
    """Give every pair an entry, so that each optimiser and each regulariser meets all.

    The step is coprime to the lengths of both tables.
    """
    names = list(table)
    return [names[(i + i // len(REGULARIZERS)) % len(names)] for i in range(len(PAIRS))]


CASES = [
    (*pair, schedule, kind)
    for pair, schedule, kind in zip(
        PAIRS, in_turns(SCHEDULES), in_turns(KINDS), strict=True
    )
]


@pytest.mark.parametrize(("solver", "regularizer", "schedule", "kind"), CASES)
def test_five_epochs_and_five_more_equal_ten(solver, regularizer, schedule, kind):
    make, own, extra, X, y = KINDS[kind]
    given = {**own, **REGULARIZERS[regularizer]}
    if kind == "sparse":
        given.pop("input_dropout", None)
    model = make(
        **settings(given),
        solver=solver,
        learning_rate=SCHEDULES[schedule],
        learning_rate_init=RATES.get(solver, 0.01),
    )
    assert_in_parts(model, X, y, **extra)


@pytest.mark.parametrize(
    "given",
    [
        {"learning_rate": "invscaling"},
        {"learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 10.0},
        {"learning_rate": InverseScaling(0.3), "momentum": 0.0},
        {"solver": SGD(momentum=0.5, weight_decay=0.01)},
        {"solver": RMSProp(momentum=0.5)},
        {"shuffle": False, "batch_size": 90},
        {"batch_size": 1, "alpha": 0.1, "l1_ratio": 0.5},
        {"normalization": "layer", "residual": True, "hidden_layer_sizes": (6, 6)},
        {"diagnostics": True, "scoring": "r2"},
        {"on_divergence": "warn"},
        {"on_divergence": "rescue"},
        {"activation": ["gelu"], "weight_init": "orthogonal"},
    ],
    ids=str,
)
def test_other_settings_go_on_exactly(given):
    assert_in_parts(MLPRegressor(**settings({"solver": "sgd", **given})), X, y)


@pytest.mark.parametrize("parts", [(1, 9), (9, 1), (3, 3, 4), (1,) * 10])
def test_parts_may_have_any_length(parts):
    model = MLPClassifier(
        **settings(REGULARIZERS["all"]), learning_rate=Cosine(total=10)
    )
    assert_in_parts(model, X, labels, parts)


def test_a_random_state_of_ones_own_goes_on():
    """An instance is drawn from by both fits, so each has its own of the same seed."""
    models = [
        MLPRegressor(**settings({"random_state": np.random.RandomState(5)}))
        for _ in range(2)
    ]
    whole = models[0].fit(X, y)
    half = models[1].set_params(max_iter=5, warm_start=True).fit(X, y)
    assert_equal(half.fit(X, y), whole)


def test_given_validation_data_go_on_exactly():
    extra = {"X_val": X[:30], "y_val": y[:30], "sample_weight_val": weights[:30]}
    model = MLPRegressor(**settings({"early_stopping": True}))
    assert_in_parts(model, X, y, **extra)


# What the state holds --------------------------------------------------------------


def test_order_and_split_are_part_of_the_state():
    model = MLPRegressor(**settings({"early_stopping": True, "warm_start": True}))
    model.set_params(max_iter=5).fit(X, y)
    kept = {
        name: getattr(model._state, name).copy()
        for name in ("train_rows", "validation_rows", "permutation")
    }
    rows = np.concatenate([kept["train_rows"], kept["validation_rows"]])
    assert sorted(rows) == list(range(90))
    assert sorted(kept["permutation"]) == list(range(len(kept["train_rows"])))
    twin = pickle.loads(pickle.dumps(model))
    for name, array in kept.items():
        np.testing.assert_array_equal(getattr(twin._state, name), array)
    before = twin._state.rng.get_state()[1]
    np.testing.assert_array_equal(before, model._state.rng.get_state()[1])
    twin.fit(X, y)
    for name in ("train_rows", "validation_rows"):
        np.testing.assert_array_equal(getattr(twin._state, name), kept[name])
    assert (twin._state.permutation != kept["permutation"]).any()
    np.testing.assert_array_equal(model._state.permutation, kept["permutation"])


def test_a_copy_goes_on_without_its_original():
    model = MLPRegressor(**settings({"max_iter": 5, "warm_start": True})).fit(X, y)
    one, two = pickle.loads(pickle.dumps(model)), pickle.loads(pickle.dumps(model))
    assert_equal(one.fit(X, y), two.fit(X, y))
    assert model.n_iter_ == 5
    assert model.history_["epoch"][-1] == 5


def test_the_other_rows_of_another_size_are_split_anew():
    model = MLPRegressor(**settings({"early_stopping": True, "warm_start": True}))
    model.fit(X, y).fit(X[:70], y[:70])
    rows = [*model._state.train_rows, *model._state.validation_rows]
    assert sorted(rows) == list(range(70))
    assert model.history_["epoch"] == list(range(1, 21))


# Other processes -------------------------------------------------------------------

CHILD = """
import pickle, sys
import warnings
warnings.simplefilter("ignore")
model, X, y = pickle.load(sys.stdin.buffer)
pickle.dump(model.fit(X, y), open(sys.argv[1], "wb"))
"""


def test_a_fit_begun_in_another_process_goes_on_here(tmp_path):
    given = settings({**REGULARIZERS["all"], "learning_rate": Warmup(Cosine(total=10))})
    whole = MLPClassifier(**given).fit(X, labels)
    model = MLPClassifier(**given).set_params(max_iter=5, warm_start=True)
    path = tmp_path / "half.pickle"
    subprocess.run(
        [sys.executable, "-c", CHILD, str(path)],
        input=pickle.dumps((model, X, labels)),
        check=True,
    )
    half = pickle.loads(path.read_bytes())
    assert half.n_iter_ == 5
    assert_equal(half.fit(X, labels), whole)


def test_a_fit_begun_here_goes_on_in_a_worker():
    given = settings({"solver": "nadam", "dropout": 0.2})
    whole = MLPRegressor(**given).fit(X, y)
    half = MLPRegressor(**given).set_params(max_iter=5, warm_start=True).fit(X, y)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert_equal(pool.apply(MLPRegressor.fit, (half, X, y)), whole)
    assert half.n_iter_ == 5


# partial_fit -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("solver", "n", "given"),
    [
        ("sgd", 20, {"learning_rate": "invscaling"}),
        ("adam", 100, {"dropout": 0.2}),
        ("adamw", 20, {"normalization": "batch"}),
        ("nadam", 20, {"average": "ema"}),
        ("rmsprop", 20, {"average": SWA(start=10)}),
        ("lion", 100, {"learning_rate": Cosine(total=100), "dtype": "float32"}),
    ],
)
def test_a_hundred_partial_fits_equal_a_hundred_epochs(solver, n, given):
    given = settings({**given, "n_iter_no_change": np.inf})
    given |= {"solver": solver, "learning_rate_init": RATES.get(solver, 0.01)}
    whole = MLPRegressor(**given).set_params(max_iter=n).fit(X, y)
    parts = MLPRegressor(**given)
    for i in range(n):
        if i == n // 2:
            parts = pickle.loads(pickle.dumps(parts))
        parts.partial_fit(X, y)
    assert parts.n_iter_ == 1
    assert_equal(parts, whole)


def test_fit_and_partial_fit_go_on_from_each_other():
    given = settings({"n_iter_no_change": np.inf})
    whole = MLPClassifier(**given).fit(X, labels)
    mixed = MLPClassifier(**given).set_params(max_iter=4, warm_start=True)
    mixed.fit(X, labels)
    for _ in range(2):
        mixed.partial_fit(X, labels)
    assert_equal(mixed.fit(X, labels), whole)


# L-BFGS ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("normalization", [None, "batch"])
def test_lbfgs_goes_on_from_its_last_weights_with_a_new_memory(dtype, normalization):
    given = settings({"solver": "lbfgs", "normalization": normalization})
    given |= {"max_iter": 5, "warm_start": True, "dtype": dtype}
    model = MLPRegressor(**given).fit(X, y)
    first = model.history_["loss"]
    assert model.n_iter_ == 5
    again = pickle.loads(pickle.dumps(model)).fit(X, y)
    assert again.n_iter_ == 5
    assert again.history_["epoch"] == list(range(1, 11))
    assert again.history_["loss"][:5] == first
    assert again.history_["loss"][5] < first[4]  # the first step goes down from there
    whole = MLPRegressor(**given).set_params(max_iter=10).fit(X, y)
    assert whole.history_["loss"][:5] == first
    assert whole.history_["loss"][5:] != again.history_["loss"][5:]


def test_lbfgs_that_has_converged_has_nothing_left_to_do():
    model = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=1.0)
    model.set_params(warm_start=True, tol=1e-8, random_state=0).fit(X, y)
    values = model._network.values.copy()
    model.fit(X, y)
    np.testing.assert_allclose(model._network.values, values, atol=1e-4)
    assert model.n_iter_ <= 2
