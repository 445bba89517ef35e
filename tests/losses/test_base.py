"""What the base gives to every loss, also to one of a user's own."""

import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import clone

from sknn.layers import Activation, Dense
from sknn.losses import LOSSES, Loss
from sknn.losses.base import lies_within, softplus
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import Adam


@dataclass
class LogCosh(Loss):
    """log cosh(scale r) / scale, smooth near 0 and straight far out."""

    link: ClassVar[str] = "identity"
    scale: float = 2.0

    def pointwise(self, y, raw, gradient, tape):
        r = self.scale * np.subtract(raw, y, out=gradient)
        np.tanh(r, out=gradient)
        return (np.logaddexp(r, -r) - np.log(2)) / self.scale


@dataclass
class Interval(Loss):
    """Both ends of a band: two raw columns for each output."""

    def n_raw(self, n_outputs):
        return 2 * n_outputs

    def pointwise(self, y, raw, gradient, tape):
        np.subtract(raw, np.repeat(y, 2, axis=-1) + [-1.0, 1.0], out=gradient)
        return 0.5 * gradient**2

    def link_inverse(self, raw):
        return raw[..., ::2]


@pytest.mark.parametrize("loss", [LogCosh(), Interval()])
def test_a_loss_of_ones_own_trains_through_the_objective(loss, differences):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.sin(X @ np.ones((3, 1)))
    w = rng.uniform(0.5, 1.5, (60, 1))
    layers = [Dense(16), Activation("tanh"), Dense(loss.n_raw(1))]
    network = Network(layers, 3, rng=np.random.RandomState(0))
    objective = Objective(network, loss, alpha=0.01)
    first = objective.value_and_gradient(X, y, w)
    gradient = objective.gradient.copy()
    quotient = differences(
        lambda: objective.value_and_gradient(X, y, w), network.values
    )
    np.testing.assert_allclose(gradient, quotient, rtol=1e-6, atol=1e-10)
    optimizer = Adam()
    memory = optimizer.memory(network.values)
    step = optimizer.stepper(network.values, objective.gradient, memory)
    for number in range(1, 301):
        objective.value_and_gradient(X, y, w)
        step(0.02, number)
    assert objective.value_and_gradient(X, y, w) < 0.1 * first


def test_a_loss_of_ones_own_is_an_object_like_the_others():
    loss = LogCosh(scale=0.5)
    assert loss.get_params() == {"scale": 0.5}
    assert clone(loss) == loss == pickle.loads(pickle.dumps(loss))
    assert loss.set_params(scale=3.0) == LogCosh(3.0)
    loss.validate()
    loss.check_targets(np.array([[-np.inf]]))
    assert loss.n_raw(4) == 4


@pytest.mark.parametrize("name", LOSSES)
def test_the_columns_of_an_output_do_not_depend_on_the_others(name):
    loss = LOSSES[name]()
    assert loss.n_raw(5) == 5 * loss.n_raw(1)
    assert isinstance(loss.n_raw(5), int)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softplus_is_exact_near_and_far(dtype):
    x = np.array([[-1e8, -1e3, -50, -1, -1e-9, 0, 1e-9, 1, 50, 1e3, 1e8]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = softplus(x, np.empty_like(x))
    assert found.dtype == dtype
    rtol = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(found, np.logaddexp(x.astype(float), 0), rtol=rtol)


def test_values_lie_within_a_limit_that_all_stay_below():
    many = np.full((50, 2), -3.0)
    assert lies_within(many, 3.1)
    for extreme in (3.1, -3.2, np.nan, np.inf):
        one = many.copy()
        one[7, 1] = extreme
        assert not lies_within(one, 3.1)
