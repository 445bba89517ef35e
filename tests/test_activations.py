"""Activations equal their formulas and PyTorch's, in both dtypes and in place."""

import json
import math
import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.integrate import quad
from scipy.special import erf, expit

from sknn.activations import ACTIVATIONS

ROWS = pytest.mark.parametrize("name", ACTIVATIONS)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# Once for each of many rows: a part of the examples each is enough.
FEWER = settings(max_examples=settings.default.max_examples // 4)

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805  # SELU's, from its paper
FORMULAS = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "selu": lambda z: SCALE * np.where(z > 0, z, ALPHA * (np.exp(z) - 1)),
    "gelu": lambda z: z * (1 + erf(z / math.sqrt(2))) / 2,
    "silu": lambda z: z / (1 + np.exp(-z)),
    "mish": lambda z: z * np.tanh(np.log(1 + np.exp(z))),
    "softplus": lambda z: np.log(1 + np.exp(z)),
}
# The slopes on both sides of 0 differ, or their slopes do.
KINKED = {"relu", "leaky_relu", "elu", "selu"}

ORACLE = pathlib.Path(__file__).parent / "parity" / "torch_oracle.json"


@pytest.fixture(scope="module")
def torch_oracle():
    return json.loads(ORACLE.read_text())["activations"]


def value(name, z):
    return ACTIVATIONS[name].value(z, np.full_like(z, np.nan))


def value_and_slope(name, z):
    out, slope = np.full_like(z, np.nan), np.full_like(z, np.nan)
    ACTIVATIONS[name].value_and_slope(z, out, slope)
    return out, slope


def grid(name, n=241):
    """Points from -6 to 6, without those next to a kink."""
    z = np.linspace(-6, 6, n)
    return z[np.abs(z) > 0.01] if name in KINKED else z


def test_every_row_has_its_formula_and_its_name():
    assert set(FORMULAS) == set(ACTIVATIONS)
    assert all(name == row.name for name, row in ACTIVATIONS.items())


@ROWS
def test_value_is_the_textbook_formula(name):
    z = np.append(grid(name), 0.0)
    out = np.full_like(z, np.nan)
    assert ACTIVATIONS[name].value(z, out) is out
    np.testing.assert_allclose(out, FORMULAS[name](z), rtol=1e-12, atol=1e-15)


@ROWS
def test_slope_is_the_difference_quotient(name):
    z, h = grid(name), 1e-3
    f = {k: value(name, z + k * h) for k in (-2, -1, 1, 2)}
    quotient = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * h)
    _, slope = value_and_slope(name, z)
    np.testing.assert_allclose(slope, quotient, rtol=1e-6, atol=1e-12)


@ROWS
def test_value_and_slope_equal_pytorchs(name, torch_oracle):
    stored = {key: np.array(column) for key, column in torch_oracle[name].items()}
    out, slope = value_and_slope(name, stored["z"])
    for ours in (value(name, stored["z"]), out):
        np.testing.assert_allclose(ours, stored["value"], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(slope, stored["slope"], rtol=1e-12, atol=1e-15)


FINITE = {
    dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=5),
        elements=st.floats(-1e3, 1e3, width=np.dtype(dtype).itemsize * 8),
    )
    for dtype in (np.float32, np.float64)
}


@ROWS
@DTYPES
@FEWER
@given(data=st.data())
def test_value_and_slope_agrees_with_value_on_any_numbers(name, dtype, data):
    z = data.draw(FINITE[dtype])
    kept = z.copy()
    out, slope = value_and_slope(name, z)
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(
        out, value(name, z), rtol=1e-14 if dtype == np.float64 else 1e-6
    )
    np.testing.assert_array_equal(z, kept)


@ROWS
@DTYPES
@FEWER
@given(data=st.data())
def test_in_place_equals_out_of_place(name, dtype, data):
    z = data.draw(FINITE[dtype])
    row, expected = ACTIVATIONS[name], value_and_slope(name, z)
    out, slope = z.copy(), np.full_like(z, np.nan)
    row.value_and_slope(out, out, slope)
    np.testing.assert_array_equal(out, expected[0])
    np.testing.assert_array_equal(slope, expected[1])
    out = z.copy()
    assert row.value(out, out) is out
    np.testing.assert_array_equal(out, value(name, z))


@ROWS
def test_rows_of_a_larger_array_are_written_in_place(name):
    larger = np.linspace(-3, 3, 60).reshape(2, 5, 6)
    z, slopes = larger[:, :4], np.full_like(larger, np.nan)
    untouched, expected = larger[:, 4:].copy(), value_and_slope(name, z.copy())
    ACTIVATIONS[name].value_and_slope(z, z, slopes[:, :4])
    np.testing.assert_array_equal(z, expected[0])
    np.testing.assert_array_equal(slopes[:, :4], expected[1])
    np.testing.assert_array_equal(larger[:, 4:], untouched)
    assert np.isnan(slopes[:, 4:]).all()


@ROWS
def test_float32_stays_float32_and_close_to_float64(name):
    z = grid(name).astype(np.float32)
    exact = value_and_slope(name, z.astype(np.float64))
    for ours, theirs in zip(value_and_slope(name, z), exact, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(value(name, z), exact[0], rtol=1e-6, atol=1e-6)


@ROWS
@DTYPES
def test_huge_inputs_give_finite_values_and_slopes(name, dtype):
    z = np.array([-1e3, -700.0, -100.0, -90.0, 90.0, 100.0, 700.0, 1e3], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values, (out, slope) = value(name, z), value_and_slope(name, z)
    for result in (values, out, slope):
        assert np.isfinite(result).all()


@ROWS
@DTYPES
def test_the_largest_inputs_give_finite_values(name, dtype):
    z = np.array([-1e30, 1e30], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(value(name, z)).all()


@ROWS
@DTYPES
def test_far_from_zero_an_activation_is_as_flat_as_at_a_hundred(name, dtype):
    # All are straight lines there, up to less than rounding.
    near, far = (value_and_slope(name, np.array([-z, z], dtype)) for z in (1e2, 1e3))
    np.testing.assert_allclose(far[1], near[1], atol=1e-30)
    line = near[0] + near[1] * np.array([-900.0, 900.0])
    np.testing.assert_allclose(far[0], line, rtol=1e-6, atol=1e-30)


@DTYPES
def test_relu_and_its_slope_are_zero_at_zero(dtype):
    for zero in (0.0, -0.0):
        out, slope = value_and_slope("relu", np.array([zero], dtype))
        assert (out[0], slope[0]) == (0.0, 0.0)


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "selu"])
def test_the_slope_at_a_kink_is_one_of_the_two_beside_it(name):
    _, slope = value_and_slope(name, np.array([-1e-12, 0.0, 1e-12]))
    assert np.isclose(slope[[0, 2]], slope[1], rtol=1e-9).any()


def test_selu_keeps_mean_zero_and_variance_one():
    def moment(power):
        def integrand(z):
            f = value("selu", np.array([z]))[0]
            return f**power * math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)

        parts = ((-12, 0), (0, 12))
        return sum(quad(integrand, *part, epsabs=1e-13)[0] for part in parts)

    assert abs(moment(1)) < 1e-10
    assert abs(moment(2) - 1) < 1e-10


def test_gelu_is_the_exact_one_and_not_the_approximation_by_tanh():
    z = np.array([1.0, 2.0, -1.5])
    approximation = 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
    exact = [v * 0.5 * math.erfc(-v / math.sqrt(2)) for v in z]
    np.testing.assert_allclose(value("gelu", z), exact, rtol=1e-14)
    assert np.abs(value("gelu", z) - approximation).min() > 1e-5


@ROWS
def test_nan_stays_nan(name):
    z = np.array([np.nan, 1.0])
    with np.errstate(invalid="ignore"):  # as the trainer calls it
        results = value(name, z), value_and_slope(name, z)[0]
    for out in results:
        assert np.isnan(out).tolist() == [True, False]


def test_gelu_in_single_precision_has_the_digits_of_it():
    z = np.linspace(-15, 15, 300_000, dtype=np.float32)  # not 0
    exact, exact_slope = value_and_slope("gelu", z.astype(np.float64))
    found, slope = value_and_slope("gelu", z)
    assert np.abs(found - exact).max() < 1e-6  # of values up to 15
    assert np.abs((found - exact) / z).max() < 2.5e-7
    assert np.abs(slope - exact_slope).max() < 4e-7
    tail = (z < -1) & (exact < -1e-30)
    np.testing.assert_allclose(found[tail], exact[tail], rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softplus_keeps_its_digits_in_the_tail(dtype):
    z = np.linspace(-80, 80, 100_001, dtype=dtype)
    exact = np.logaddexp(z.astype(np.longdouble), 0)
    found, slope = value_and_slope("softplus", z)
    rtol = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(found, exact.astype(dtype), rtol=rtol)
    np.testing.assert_allclose(slope, expit(z.astype(np.longdouble)), rtol=rtol)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_largest_inputs_give_finite_slopes_without_warnings(name):
    z = np.array([-1e30, 1e30], np.float32)
    out, slope = np.empty_like(z), np.empty_like(z)
    ACTIVATIONS[name].value_and_slope(z, out, slope)
    assert np.isfinite(out).all() and np.isfinite(slope).all()
