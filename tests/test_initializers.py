"""Initial parameters have the published bounds and variances, and draw in order."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sknn.initializers import (
    INITIALIZERS,
    Glorot,
    He,
    Initializer,
    LeCun,
    Orthogonal,
    Zeros,
)
from sknn.layers import Activation, Dense
from sknn.network import Network

SHAPE = (400, 300)
ROWS = pytest.mark.parametrize("name", INITIALIZERS)


def draw(init, shape=SHAPE, fan=None, seed=0):
    return init(np.random.RandomState(seed), shape, fan or shape)


@ROWS
@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (1, 5), (5, 1), (1, 1)])
def test_a_draw_has_the_shape_asked_for_and_float64(name, shape):
    values = draw(INITIALIZERS[name](), shape, fan=(7, 5))
    assert (values.shape, values.dtype) == (shape, np.float64)
    assert np.isfinite(values).all()


@ROWS
def test_equal_seeds_give_equal_draws(name):
    init = INITIALIZERS[name]()
    np.testing.assert_array_equal(draw(init), draw(init))


@ROWS
def test_different_seeds_give_different_draws(name):
    init = INITIALIZERS[name]()
    equal = np.array_equal(draw(init), draw(init, seed=1))
    assert equal == (name in ("zeros", "ones"))


@ROWS
def test_a_draw_comes_from_the_given_random_state_alone(name):
    before = np.random.get_state()[1].copy()
    draw(INITIALIZERS[name]())
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@ROWS
def test_an_initializer_is_frozen_equal_by_value_and_pickles(name):
    init = INITIALIZERS[name]()
    assert isinstance(init, Initializer)
    assert init == INITIALIZERS[name]() == pickle.loads(pickle.dumps(init))
    assert hash(init) == hash(INITIALIZERS[name]())
    with pytest.raises(AttributeError):
        init.gain = 2.0


@pytest.mark.parametrize("factor", [2.0, 6.0])
def test_glorot_is_uniform_between_its_bounds(factor):
    fan = (40, 60)
    values = draw(Glorot(factor), fan=fan)
    bound = np.sqrt(factor / 100)
    assert -bound <= values.min() < -0.999 * bound
    assert 0.999 * bound < values.max() <= bound
    # Var of a uniform on ±b: b²/3. 120 000 draws: five standard errors are 1.3 %.
    np.testing.assert_allclose(values.var(), bound**2 / 3, rtol=0.013)
    np.testing.assert_allclose(values.mean(), 0, atol=5 * bound / np.sqrt(3 * 120_000))


@pytest.mark.parametrize(("init", "gain"), [(He(), 2.0), (LeCun(), 1.0)])
def test_he_and_lecun_are_normal_with_their_variance(init, gain):
    values = draw(init, fan=(50, 7))
    variance = gain / 50
    # The relative standard error of a normal variance is sqrt(2/N).
    np.testing.assert_allclose(values.var(), variance, rtol=5 * np.sqrt(2 / 120_000))
    np.testing.assert_allclose(
        values.mean(), 0, atol=5 * np.sqrt(variance / values.size)
    )
    kurtosis = np.mean(values**4) / np.mean(values**2) ** 2
    np.testing.assert_allclose(kurtosis, 3, atol=5 * np.sqrt(24 / 120_000))


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.1, 10))
def test_orthogonal_has_orthonormal_rows_or_columns_times_gain(rows, columns, gain):
    W = draw(Orthogonal(gain), (rows, columns)) / gain
    gram = W.T @ W if rows >= columns else W @ W.T
    np.testing.assert_allclose(gram, np.eye(min(rows, columns)), atol=1e-13)


@pytest.mark.parametrize("size", [2, 5])
def test_a_square_orthogonal_matrix_is_the_q_of_the_normal_one(size):
    normal = np.random.RandomState(0).normal(size=(size, size))
    R = draw(Orthogonal(), (size, size)).T @ normal
    np.testing.assert_allclose(np.tril(R, -1), 0, atol=1e-13)
    assert (np.diag(R) > 0).all()


def test_orthogonal_matrices_are_uniform():
    # Without the signs of R's diagonal, Q's diagonal would be negative far too often.
    rng = np.random.RandomState(0)
    corners = [Orthogonal()(rng, (3, 3), (3, 3))[0, 0] for _ in range(2000)]
    # The entries of a uniform 3×3 orthogonal matrix are uniform on [-1, 1].
    np.testing.assert_allclose(np.mean(corners), 0, atol=5 / np.sqrt(3 * 2000))
    np.testing.assert_allclose(np.var(corners), 1 / 3, rtol=0.1)


def test_zeros_draws_nothing():
    rng = np.random.RandomState(0)
    assert not Zeros()(rng, (3, 4), (3, 4)).any()
    assert rng.randint(1 << 30) == np.random.RandomState(0).randint(1 << 30)


def test_glorot_reads_its_fan_and_not_its_shape():
    rng = np.random.RandomState(0)
    bound = np.sqrt(6 / 8)
    np.testing.assert_array_equal(
        draw(Glorot(), (1, 3), fan=(5, 3)), rng.uniform(-bound, bound, (1, 3))
    )


def test_a_network_draws_kernel_then_intercept_layer_by_layer():
    layers = [Dense(4), Activation("relu"), Dense(2, He(), Zeros())]
    network = Network(layers, 3, rng=np.random.RandomState(5))
    rng = np.random.RandomState(5)
    expected = [
        Glorot()(rng, (3, 4), (3, 4)),
        Glorot()(rng, (1, 4), (3, 4)),
        He()(rng, (4, 2), (4, 2)),
        np.zeros((1, 2)),
    ]
    first, _, last = network.views
    drawn = [first["W"], first["b"], last["W"], last["b"]]
    for ours, theirs in zip(drawn, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
