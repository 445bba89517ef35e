"""L-BFGS reaches closed-form solutions, and reports and leaves complete iterates."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import sparse

from sknn.layers import Activation, Dense
from sknn.losses import MultinomialLogLoss, SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.training import Batches, TrainingState, minimize_lbfgs

N, D = 40, 5


def data(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D))
    y = X @ rng.normal(size=(D, 2)) + 3.0 + rng.normal(size=(N, 2))
    return X, y, rng.uniform(0.2, 2.0, (N, 1))


def linear(alpha=0.0, dtype=np.float64):
    network = Network([Dense(2)], D, dtype, np.random.RandomState(0))
    return Objective(network, SquaredError(), alpha)


def deep(alpha=0.1):
    layers = [Dense(6), Activation("tanh"), Dense(2)]
    network = Network(layers, D, rng=np.random.RandomState(0))
    return Objective(network, MultinomialLogLoss(), alpha)


def fit(objective, report=lambda epoch: False, w=None, form=np.asarray, **options):
    """Minimise; return scipy's result and the state."""
    X, y, _ = data()
    if isinstance(objective.loss, MultinomialLogLoss):
        y = np.eye(2)[y.argmax(axis=1)]
    state = TrainingState(np.random.RandomState(0))
    batches = Batches(form(X), y, w, 10, objective.network.values.dtype)
    options = {"max_iter": 500, "max_fun": 15_000, "tol": 1e-9} | options
    result = minimize_lbfgs(objective, batches, state, report, **options)
    return result, state


def value_of(objective):
    X, y, _ = data()
    if isinstance(objective.loss, MultinomialLogLoss):
        y = np.eye(2)[y.argmax(axis=1)]
    return objective.value_and_gradient(X, y)


def ridge(X, y, alpha, w=None):
    """Closed form: kernel and free intercept of penalised least squares."""
    w = np.ones(len(X)) if w is None else w[:, 0]
    x_mean, y_mean = (np.average(a, axis=0, weights=w) for a in (X, y))
    Xc, yc = X - x_mean, y - y_mean
    kernel = np.linalg.solve(Xc.T * w @ Xc + alpha * np.eye(D), Xc.T * w @ yc)
    return kernel, y_mean - x_mean @ kernel


@pytest.mark.parametrize("alpha", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix], ids=["dense", "csr"])
def test_a_linear_network_ends_at_the_closed_form_of_ridge(alpha, weighted, form):
    X, y, w = data()
    w = w / w.mean() if weighted else None
    objective = linear(alpha)
    fit(objective, w=w, form=form)
    kernel, intercept = ridge(X, y, alpha, w)
    reached = objective.value_and_gradient(X, y, w)
    (views,) = objective.network.views
    # scipy's ftol, which scikit-learn too leaves at 2.2e-9, ends the run before gtol:
    # the value is as exact as that, and the parameters are as its square root.
    np.testing.assert_allclose(views["W"], kernel, atol=2e-4)
    np.testing.assert_allclose(views["b"], [intercept], atol=2e-4)
    views["W"][...], views["b"][...] = kernel, intercept
    best = objective.value_and_gradient(X, y, w)
    assert np.abs(objective.gradient).max() < 1e-13
    np.testing.assert_allclose(reached, best, rtol=1e-8)
    assert reached >= best


def test_each_iteration_is_reported_with_the_value_at_its_parameters():
    objective, epochs, values = deep(), [], []

    def report(epoch):
        epochs.append(epoch)
        values.append(objective.network.values.copy())
        return False

    result, state = fit(objective, report, max_iter=15)
    assert [epoch.number for epoch in epochs] == list(range(1, 16))
    assert result.nit == state.epoch == 15
    assert all(epoch.time >= 0 and epoch.learning_rate is None for epoch in epochs)
    losses = [epoch.loss for epoch in epochs]
    assert losses == sorted(losses, reverse=True)
    for parameters, loss in zip(values, losses, strict=True):
        objective.network.values[...] = parameters
        np.testing.assert_allclose(value_of(objective), loss, rtol=1e-14)


def test_iterations_are_counted_on_from_the_state():
    objective, numbers = deep(), []
    X, y, _ = data()
    state = TrainingState(np.random.RandomState(0), epoch=7)
    batches = Batches(X, np.eye(2)[y.argmax(axis=1)], None, 10, np.float64)
    minimize_lbfgs(
        objective,
        batches,
        state,
        lambda epoch: numbers.append(epoch.number) or False,
        max_iter=3,
        max_fun=100,
        tol=1e-9,
    )
    assert numbers == [8, 9, 10]
    assert state.epoch == 10


def test_the_network_is_left_at_the_last_iterate():
    objective = deep()
    result, _ = fit(objective, max_iter=12)
    np.testing.assert_array_equal(objective.network.values, result.x)
    np.testing.assert_allclose(value_of(objective), result.fun, rtol=1e-14)


def test_an_exact_start_is_left_where_it_is():
    X, y, _ = data()
    objective = linear(alpha=1.0)
    (views,) = objective.network.views
    views["W"][...], views["b"][...] = ridge(X, y, 1.0)
    before = objective.network.values.copy()
    result, state = fit(objective)
    assert (result.nit, state.epoch, result.status) == (0, 0, 0)
    np.testing.assert_array_equal(objective.network.values, before)


def test_it_stops_at_the_first_gradient_below_tol():
    for tol in (1e-1, 1e-2, 1e-3):
        objective, gradients = deep(), []

        def report(epoch, objective=objective, gradients=gradients):
            value_of(objective)
            gradients.append(np.abs(objective.gradient).max())
            return False

        result, _ = fit(objective, report, tol=tol)
        assert result.status == 0
        assert gradients[-1] <= tol < min(gradients[:-1], default=np.inf)


def test_it_stops_when_report_asks_for_it():
    objective, iterates = deep(), []

    def report(epoch):
        iterates.append(objective.network.values.copy())
        return epoch.number == 3

    result, state = fit(objective, report)
    assert result.nit == state.epoch == len(iterates) == 3
    np.testing.assert_array_equal(objective.network.values, iterates[-1])


@pytest.mark.parametrize("max_fun", [1, 5, 20])
def test_max_fun_bounds_the_evaluations(max_fun):
    objective, losses = deep(), []
    result, _ = fit(
        objective, lambda epoch: losses.append(epoch.loss) or False, max_fun=max_fun
    )
    # scipy looks at the number after each iteration: a line search may pass it
    assert result.nfev <= max_fun + 20
    assert result.status == 1
    if losses:
        np.testing.assert_allclose(value_of(objective), losses[-1], rtol=1e-14)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_exception_in_report_leaves_the_iterate_it_was_told(error):
    objective, told = deep(), []

    def report(epoch):
        told.append((epoch.loss, objective.network.values.copy()))
        if epoch.number == 4:
            raise error
        return False

    with pytest.raises(error):
        fit(objective, report)
    np.testing.assert_array_equal(objective.network.values, told[-1][1])
    np.testing.assert_allclose(value_of(objective), told[-1][0], rtol=1e-14)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("at_call", [1, 2, 8, 9, 10, 11])
def test_an_exception_between_iterations_leaves_the_last_complete_one(
    monkeypatch, error, at_call
):
    objective = deep()
    complete, calls = [objective.network.values.copy()], 0
    evaluate = objective.value_and_gradient

    def failing(X, y, w):
        nonlocal calls
        calls += 1
        if calls == at_call:
            raise error
        return evaluate(X, y, w)

    def report(epoch):
        complete.append(objective.network.values.copy())
        return False

    monkeypatch.setattr(objective, "value_and_gradient", failing)
    with pytest.raises(error):
        fit(objective, report)
    assert (len(complete) > 1) == (at_call > 2)
    np.testing.assert_array_equal(objective.network.values, complete[-1])


def test_two_fits_of_one_start_are_equal_to_the_bit():
    one, other = deep(), deep()
    fit(one)
    fit(other)
    np.testing.assert_array_equal(one.network.values, other.network.values)


@dataclass(frozen=True)
class FrozenBias(Dense):
    def build(self, n_in):
        (kernel, bias), n_out = super().build(n_in)
        return (kernel, replace(bias, trainable=False)), n_out


def test_frozen_parameters_stay_as_they_are():
    network = Network([FrozenBias(2)], D, rng=np.random.RandomState(0))
    frozen = network.views[0]["b"].copy()
    objective = Objective(network, SquaredError())
    fit(objective)
    np.testing.assert_array_equal(network.views[0]["b"], frozen)
    X, y, _ = data()
    expected, *_ = np.linalg.lstsq(X, y - frozen, rcond=None)
    np.testing.assert_allclose(network.views[0]["W"], expected, atol=2e-4)
