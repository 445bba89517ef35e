"""Sparse input trains as dense input does, in little memory, and lazily if asked to."""

import itertools
import pickle
import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sknn import MLPClassifier, MLPRegressor, _array
from sknn.estimators import _run
from sknn.layers import Activation, Dense, Dropout
from sknn.losses import SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import SGD, AdaGrad, Adam
from sknn.schedules import Constant
from sknn.training import Batches, TrainingState, train

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, D, BATCH, UNITS = 30, 25, 6, 4
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def dense_data(seed=0):
    """Samples with columns of very different frequency, some of them empty."""
    rng = np.random.default_rng(seed)
    often = 1 / np.arange(1, D + 1) ** 0.7
    X = rng.normal(size=(N, D)) * (rng.random((N, D)) < often)
    X[:, [7, D - 1]] = 0.0
    X[6:13] = 0.0  # rows without an entry, one batch without any
    return X, rng.integers(0, 2, N)


def unsorted(X):
    rows = sparse.csr_array(X)
    for start, stop in itertools.pairwise(rows.indptr):
        rows.data[start:stop] = rows.data[start:stop][::-1].copy()
        rows.indices[start:stop] = rows.indices[start:stop][::-1].copy()
    rows.has_sorted_indices = False
    return rows


def with_duplicates(X):
    """Every entry twice, each with half of the value."""
    rows = sparse.csr_array(X)
    indptr = 2 * rows.indptr
    parts = (np.repeat(rows.data / 2, 2), np.repeat(rows.indices, 2), indptr)
    return sparse.csr_array(parts, shape=X.shape)


def with_stored_zeros(X):
    rows = sparse.csr_array(np.where(X == 0, 7.0, X))
    rows.data[rows.data == 7.0] = 0.0
    assert rows.nnz == X.size
    return rows


def wide(X):
    rows = sparse.csr_array(X)
    rows.indices, rows.indptr = rows.indices.astype("i8"), rows.indptr.astype("i8")
    return rows


FORMS = {
    "csr matrix": sparse.csr_matrix,
    "csr array": sparse.csr_array,
    "csc matrix": sparse.csc_matrix,
    "csc array": sparse.csc_array,
    "64-bit indices": wide,
    "unsorted": unsorted,
    "duplicates": with_duplicates,
    "stored zeros": with_stored_zeros,
}
EACH_FORM = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def fit(X, y, solver="adam", **parameters):
    parameters = {"max_iter": 4, "learning_rate_init": 0.02} | parameters
    model = MLPClassifier(
        (UNITS,), solver=solver, batch_size=BATCH, random_state=0, **parameters
    )
    return model.fit(X, y)


def assert_same_fit(model, twin, tolerance):
    compare = {"rtol": tolerance, "atol": tolerance}
    values, others = model._network.values, twin._network.values
    assert values.dtype == others.dtype
    np.testing.assert_allclose(values, others, **compare)
    np.testing.assert_allclose(model.loss_curve_, twin.loss_curve_, **compare)


# The defaults ----------------------------------------------------------------------


@EACH_FORM
@DTYPES
@pytest.mark.parametrize("block_bytes", [1, 1 << 20], ids=["pieces", "whole"])
def test_every_form_trains_as_dense_input_does(monkeypatch, form, dtype, block_bytes):
    monkeypatch.setattr(_array, "_BLOCK_BYTES", block_bytes)
    X, y = dense_data()
    given = form(X).astype(dtype)
    kept = given.copy()
    model, twin = fit(given, y), fit(X.astype(dtype), y)
    assert_same_fit(model, twin, 1e-4 if dtype == np.float32 else 1e-11)
    assert abs(given - kept).max() == 0
    tolerance = 1e-4 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(
        model.predict_proba(given), twin.predict_proba(X.astype(dtype)), tolerance
    )


def test_the_gradient_by_pieces_changes_no_bit_of_a_fit(monkeypatch):
    X, y = dense_data()
    whole = fit(sparse.csr_array(X), y)
    monkeypatch.setattr(_array, "_BLOCK_BYTES", 1)
    assert_same_fit(fit(sparse.csr_array(X), y), whole, 0.0)


# Lazy steps ------------------------------------------------------------------------


class PlainLazyAdam:
    """Adam on a dense kernel, of which only rows of the batch's columns step."""

    def __init__(self, optimizer, network):
        self.o, self.network, self.number = optimizer, network, 0
        self.m, self.v = (np.zeros_like(network.values) for _ in range(2))

    def step(self, X, y, alpha, rate, max_norm):
        network, o = self.network, self.o
        self.number += 1
        objective = Objective(network, SquaredError())
        loss = objective.value_and_gradient(X.toarray(), y)
        stepped = np.ones(network.values.shape, bool)
        occurs = np.bincount(X.indices, minlength=D) > 0
        stepped[: D * UNITS] = np.repeat(occurs, UNITS)
        penalized = stepped & (np.arange(len(stepped)) < network.n_penalized)
        p, g = network.values, objective.gradient
        loss += alpha / (2 * len(y)) * np.sum(p[penalized] ** 2)
        g = g + alpha / len(y) * np.where(penalized, p, 0.0)
        g *= 1.0 if max_norm is None else min(1.0, max_norm / np.linalg.norm(g))
        m = o.beta_1 * self.m + (1 - o.beta_1) * g
        v = o.beta_2 * self.v + (1 - o.beta_2) * g**2
        shrunk = np.where(penalized, p * (1 - rate * o.weight_decay), p)
        rate *= np.sqrt(1 - o.beta_2**self.number) / (1 - o.beta_1**self.number)
        moved = shrunk - rate * m / (np.sqrt(v) + o.epsilon)
        self.m, self.v = np.where(stepped, m, self.m), np.where(stepped, v, self.v)
        p[...] = np.where(stepped, moved, p)
        return loss


def make(seed=0, first=(), dtype=np.float64, alpha=0.3):
    rng = np.random.RandomState(seed)
    layers = [*first, Dense(UNITS), Activation("tanh"), Dense(2)]
    network = Network(layers, D, dtype, rng)
    return Objective(network, SquaredError(), alpha, rng), TrainingState(rng)


def numbers(seed=1):
    return np.random.default_rng(seed).normal(size=(N, 2))


def epochs_of(objective, state, optimizer, X, n, **options):
    dtype = objective.network.values.dtype
    batches = Batches(X.astype(dtype), numbers().astype(dtype), None, BATCH, dtype)
    options = {"learning_rate": 0.02} | options
    epochs = train(objective, batches, optimizer, Constant(), state, **options)
    return [epoch.loss for epoch in itertools.islice(epochs, n)]


@EACH_FORM
@pytest.mark.parametrize("max_norm", [None, 0.5])
@pytest.mark.parametrize("weight_decay", [0.0, 0.4])
def test_lazy_adam_equals_its_plain_replica(form, max_norm, weight_decay):
    optimizer = Adam(lazy=True, weight_decay=weight_decay)
    (objective, state), (twin, _) = make(), make()
    X, y = form(dense_data()[0]), numbers()
    options = {"shuffle": False, "max_grad_norm": max_norm}
    losses = epochs_of(objective, state, optimizer, X, 3, **options)
    replica, rows = PlainLazyAdam(optimizer, twin.network), X.tocsr()
    for loss in losses:
        summed = 0.0
        for start in range(0, N, BATCH):
            batch, targets = rows[start : start + BATCH], y[start : start + BATCH]
            summed += BATCH * replica.step(batch, targets, twin.alpha, 0.02, max_norm)
        np.testing.assert_allclose(loss, summed / N, rtol=1e-12)
    np.testing.assert_allclose(
        objective.network.values, twin.network.values, rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("kind", [SGD, Adam])
@DTYPES
@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_with_all_columns_in_each_batch_the_numbers_are_the_dense_ones(
    monkeypatch, kind, dtype, block_bytes
):
    monkeypatch.setattr(_array, "_BLOCK_BYTES", block_bytes)
    X = with_stored_zeros(dense_data()[0])
    ends = []
    for lazy in (False, True):
        objective, state = make(dtype=dtype)
        solver = kind(lazy=lazy, weight_decay=0.1)
        losses = epochs_of(objective, state, solver, X, 4)
        ends.append((losses, objective.network.values))
    (losses, values), (lazy_losses, lazy_values) = ends
    np.testing.assert_array_equal(lazy_values, values)
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(lazy_losses, losses, rtol=tolerance)


def test_columns_that_never_occur_stay_as_they_were_drawn():
    objective, state = make()
    before = objective.network.copy()
    X = sparse.csr_array(dense_data()[0])
    epochs_of(objective, state, Adam(lazy=True, weight_decay=0.5), X, 3)
    moved = (objective.network.views[0]["W"] != before.views[0]["W"]).any(axis=1)
    occurs = np.isin(np.arange(D), X.indices)
    np.testing.assert_array_equal(moved, occurs)
    assert not occurs.all()
    for name in ("gradients", "squares"):
        memory = state.memory[name][: D * UNITS].reshape(D, UNITS)
        np.testing.assert_array_equal(memory.any(axis=1), occurs)


def test_batches_without_any_entry_move_the_other_layers():
    objective, state = make()
    before = objective.network.copy()
    epochs_of(objective, state, Adam(lazy=True), sparse.csr_array((N, D)), 2)
    first, last = objective.network.views[0], objective.network.views[-1]
    np.testing.assert_array_equal(first["W"], before.views[0]["W"])
    assert (first["b"] != before.views[0]["b"]).all()
    assert (last["W"] != before.views[-1]["W"]).all()


@pytest.mark.parametrize("kind", [SGD, Adam])
@pytest.mark.parametrize(
    ("form", "first"),
    [
        (np.asarray, []),
        (np.asarray, [Dropout(0.3)]),
        (sparse.csr_array, [Dense(5, trainable=False)]),
    ],
    ids=["dense", "dense dropped", "frozen"],
)
def test_elsewhere_lazy_changes_no_bit(kind, form, first):
    X, ends = form(dense_data()[0]), []
    for lazy in (False, True):
        objective, state = make(first=first)
        losses = epochs_of(objective, state, kind(lazy=lazy), X, 3)
        ends.append([*losses, *objective.network.values])
    np.testing.assert_array_equal(*ends)


def test_lazy_adagrad_without_penalties_takes_the_same_steps():
    X, ends = sparse.csr_array(dense_data()[0]), []
    for lazy in (False, True):
        objective, state = make(alpha=0.0)
        losses = epochs_of(objective, state, AdaGrad(lazy=lazy), X, 5)
        ends.append([*losses, *objective.network.values])
    np.testing.assert_allclose(*ends, rtol=1e-10)


@pytest.mark.parametrize("solver", [SGD(lazy=True), Adam(lazy=True)], ids=repr)
@pytest.mark.parametrize("first", [[], [Dropout(0.3)]], ids=["plain", "dropped"])
@DTYPES
def test_five_epochs_and_five_equal_ten_to_the_bit(solver, first, dtype):
    X = sparse.csr_array(dense_data()[0])
    whole, at_end = make(first=first, dtype=dtype)
    expected = epochs_of(whole, at_end, solver, X, 10)
    objective, state = make(first=first, dtype=dtype)
    losses = epochs_of(objective, state, solver, X, 5)
    network, state = pickle.loads(pickle.dumps((objective.network, state)))
    resumed = Objective(network, objective.loss, objective.alpha, state.rng)
    losses += epochs_of(resumed, state, clone(solver), X, 5)
    assert losses == expected
    np.testing.assert_array_equal(network.values, whole.network.values)
    for name, array in state.memory.items():
        np.testing.assert_array_equal(array, at_end.memory[name])


def test_partial_fit_goes_on_lazily_to_the_bit():
    X, y = dense_data()
    X = sparse.csr_matrix(X)
    model = MLPClassifier((3,), solver=Adam(lazy=True), batch_size=5, random_state=0)
    twin = clone(model)
    for i in range(4):
        model.partial_fit(X, y, classes=[0, 1])
        twin.partial_fit(X, y, classes=[0, 1])
        twin = pickle.loads(pickle.dumps(twin)) if i == 1 else twin
    assert_same_fit(model, twin, 0.0)


def test_another_kind_of_step_starts_with_an_empty_memory():
    objective, state = make()
    X = sparse.csr_array(dense_data()[0])
    epochs_of(objective, state, Adam(), X, 2)
    assert state.steps == 10
    epochs_of(objective, state, Adam(lazy=True), X, 1)
    assert state.steps == 5


def test_a_lazy_stack_equals_its_networks_one_by_one():
    X = sparse.csr_array(dense_data()[0])
    singles = [make(seed) for seed in range(3)]
    stack = Objective(
        Network.stack([objective.network for objective, _ in singles]),
        SquaredError(),
        0.3,
    )
    solver, options = Adam(lazy=True), {"shuffle": False, "max_grad_norm": 0.5}
    batches = Batches(X, numbers(), None, BATCH, np.float64)
    state = TrainingState(np.random.RandomState(0))
    state.adopt(solver, stack.network.values)
    stack.keep_rows()
    network = stack.network
    rows = stack.rows
    step = solver.stepper(
        network.values, stack.gradient, state.memory, network.n_penalized, rows
    )
    number = 0
    for _ in range(3):
        for x, y, w in batches.epoch(None):
            number += 1
            stack.value_and_gradient(x, y, w)
            clip(stack, 0.5)
            step(0.02, number)
    for (objective, own), values in zip(singles, network.values, strict=True):
        epochs_of(objective, own, solver, X, 3, **options)
        np.testing.assert_allclose(values, objective.network.values, 1e-11, 1e-12)


def clip(objective, norm):
    from sknn.optimizers import clip_by_norm

    return clip_by_norm(objective.gradient, norm, objective.rows)


@pytest.mark.parametrize("model", [MLPClassifier, MLPRegressor])
def test_a_search_reaches_lazy(model):
    X, y = dense_data()
    search = GridSearchCV(
        model(hidden_layer_sizes=(3,), solver=Adam(), max_iter=3, random_state=0),
        {"solver__lazy": [False, True]},
        cv=2,
    ).fit(sparse.csr_array(X), y)
    assert len(search.cv_results_["params"]) == 2


def test_lazy_must_be_a_bool():
    X, y = dense_data()
    with pytest.raises(ValueError, match=r"'lazy' parameter of Adam.*'no'"):
        fit(sparse.csr_array(X), y, Adam(lazy="no"))


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array])
def test_lazy_adam_learns(form):
    rng = np.random.default_rng(0)
    X = rng.random((300, 60)) * (rng.random((300, 60)) < 0.1)
    y = (X[:, :20].sum(axis=1) > X[:, 20:40].sum(axis=1)).astype(int)
    model = MLPClassifier(
        (8,), solver=Adam(lazy=True), max_iter=60, learning_rate_init=0.01
    )
    assert model.set_params(random_state=0).fit(form(X), y).score(form(X), y) > 0.95


# Memory ----------------------------------------------------------------------------


def text(form, dtype, n=2_000, d=100_000, entries=100):
    """Rows like counted words: few of many columns, by Zipf's law."""
    rng = np.random.default_rng(0)
    share = np.cumsum(1 / np.arange(1, d + 1))
    columns = np.searchsorted(share / share[-1], rng.random(n * entries))
    starts = np.arange(0, n * entries + 1, entries)
    parts = (np.ones(n * entries, dtype), columns.astype("i4"), starts.astype("i4"))
    X = sparse.csr_array(parts, shape=(n, d))
    X.sum_duplicates()
    return form(X), rng.integers(0, 2, n)


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("solver", ["adam", Adam(lazy=True)], ids=["dense", "lazy"])
@DTYPES
def test_a_fit_takes_little_more_than_data_parameters_and_adams_memory(
    form, solver, dtype
):
    X, y = text(form, dtype)
    model = MLPClassifier((100,), solver=solver, max_iter=1, random_state=0)
    tracemalloc.start()
    try:
        model.fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    data = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    assert data + peak < 1.5 * (data + 3 * model._network.values.nbytes)


def test_of_a_large_network_ctrl_c_keeps_the_weights_of_the_moment(monkeypatch):
    monkeypatch.setattr(_run, "_KEPT_BYTES", 100)
    X, y = dense_data()
    X, original, count = sparse.csr_array(X), Objective.value_and_gradient, [0]
    last = []

    def value_and_gradient(self, *args):
        count[0] += 1
        if count[0] > 2 * N // BATCH + 3:
            last.append(self.network.values.copy())
            raise KeyboardInterrupt
        return original(self, *args)

    whole = fit(X, y, max_iter=2)
    with monkeypatch.context() as patch:
        patch.setattr(Objective, "value_and_gradient", value_and_gradient)
        with pytest.warns(UserWarning, match="Training interrupted"):
            model = fit(X, y, max_iter=9)
    assert model.n_iter_ == 2
    assert model.loss_curve_ == whole.loss_curve_
    assert {len(column) for column in model.history_.values()} == {2}
    np.testing.assert_array_equal(model._network.values, last[0])
    assert (model._network.values != whole._network.values).any()
    model.set_params(warm_start=True, max_iter=1).fit(X, y)
    assert len(model.loss_curve_) == 3


def test_of_a_large_network_early_stopping_still_keeps_the_best(monkeypatch):
    X, y = dense_data()
    expected = fit(sparse.csr_array(X), y, early_stopping=True)
    monkeypatch.setattr(_run, "_KEPT_BYTES", 100)
    assert_same_fit(fit(sparse.csr_array(X), y, early_stopping=True), expected, 0.0)
