"""Products, sums and rows are NumPy's own, for dense, sparse and stacked arrays."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sknn import _array

DTYPES = [np.float32, np.float64]
SPARSE = [sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix, sparse.csc_array]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def shapes_of_products():
    """Shapes of a, b and a @ b: two matrices, or a stack on either side or both."""
    return [
        ((5, 3), (3, 4), (5, 4)),
        ((5, 3), (2, 3, 4), (2, 5, 4)),
        ((2, 5, 3), (3, 4), (2, 5, 4)),
        ((2, 5, 3), (2, 3, 4), (2, 5, 4)),
        ((1, 3), (3, 1), (1, 1)),
    ]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("a_shape", "b_shape", "shape"), shapes_of_products())
def test_matmul_writes_the_product_to_out(rng, dtype, a_shape, b_shape, shape):
    a, b = (rng.normal(size=s).astype(dtype) for s in (a_shape, b_shape))
    out = np.full(shape, np.nan, dtype)
    assert _array.matmul(a, b, out) is out
    np.testing.assert_allclose(out, a @ b, rtol=1e-6 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("kind", SPARSE)
@pytest.mark.parametrize("dtype", DTYPES)
def test_matmul_takes_a_sparse_left_side(rng, kind, dtype):
    a = rng.normal(size=(6, 4)).astype(dtype) * (rng.random((6, 4)) < 0.4)
    b = rng.normal(size=(4, 3)).astype(dtype)
    out = np.full((6, 3), np.nan, dtype)
    assert _array.matmul(kind(a), b, out) is out
    np.testing.assert_allclose(out, a @ b, rtol=1e-5 if dtype == np.float32 else 1e-13)


def test_matmul_takes_a_transposed_left_side(rng):
    a, b = rng.normal(size=(6, 4)), rng.normal(size=(6, 3))
    out = np.empty((4, 3))
    np.testing.assert_allclose(_array.matmul(a.T, b, out), np.dot(a.T, b), rtol=1e-14)


SHAPES_OF_Y = [(6, 3), (2, 6, 3)]


def with_gaps(rng, dtype=float):
    """Six samples of which the columns 0, 4 and 9 have no entry."""
    x = rng.normal(size=(6, 10)).astype(dtype) * (rng.random((6, 10)) < 0.4)
    x[:, [0, 4, 9]] = 0.0
    x[2:4, [1, 2, 3, 5, 6, 7, 8]] = 1.5
    return x


@pytest.mark.parametrize("kind", [np.asarray, *SPARSE])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("y_shape", SHAPES_OF_Y)
@pytest.mark.parametrize("block_bytes", [1, 30, 1 << 20])
def test_cross_is_the_product_in_whole_and_by_rows(
    rng, monkeypatch, kind, dtype, y_shape, block_bytes
):
    monkeypatch.setattr(_array, "_BLOCK_BYTES", block_bytes)
    x, y = with_gaps(rng, dtype), rng.normal(size=y_shape).astype(dtype)
    expected = x.T.astype(float) @ y.astype(float)
    out, rows = np.full(expected.shape, np.nan, dtype), _array.Rows((10, 3))
    _array.cross(kind(x), y, out)
    tolerance = 1e-5 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(out, expected, rtol=tolerance, atol=tolerance)
    _array.cross(kind(x), y, rows)
    if kind is not np.asarray:
        assert rows.index.tolist() == [1, 2, 3, 5, 6, 7, 8]
    assert rows.values.dtype == dtype
    if y.ndim == 2 or kind is not np.asarray:
        np.testing.assert_allclose(
            rows.values, out[..., rows.index, :], rtol=tolerance, atol=tolerance
        )


@pytest.mark.parametrize("kind", SPARSE)
def test_cross_by_pieces_has_the_bits_of_the_product(rng, monkeypatch, kind):
    x, y = with_gaps(rng), rng.normal(size=(6, 3))
    whole, pieces = np.empty((10, 3)), np.empty((10, 3))
    _array.cross(kind(x), y, whole)
    monkeypatch.setattr(_array, "_BLOCK_BYTES", 50)
    _array.cross(kind(x[:3]), y[:3], pieces)
    np.testing.assert_array_equal(pieces, kind(x[:3]).T @ y[:3])
    np.testing.assert_array_equal(whole, kind(x).T @ y)


def test_cross_of_samples_without_entries_is_zero(monkeypatch):
    monkeypatch.setattr(_array, "_BLOCK_BYTES", 1)
    x, y = sparse.csr_array((6, 10)), np.ones((6, 3))
    out, rows = np.full((10, 3), np.nan), _array.Rows((10, 3))
    _array.cross(x, y, out)
    _array.cross(x, y, rows)
    assert not out.any()
    assert (rows.index.shape, rows.values.shape) == ((0,), (0, 3))


def test_cross_needs_no_second_array_of_the_results_size():
    x = sparse.random(50, 20_000, density=0.01, format="csr", random_state=0)
    y, out = np.ones((50, 100)), np.empty((20_000, 100))
    tracemalloc.start()
    try:
        _array.cross(x, y, out)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * _array._BLOCK_BYTES < 0.2 * out.nbytes


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
def test_rows_are_taken_from_what_a_vector_begins_with(rng, lead):
    vector = rng.normal(size=(*lead, 30))[..., :25]
    rows = _array.Rows((5, 4), np.array([1, 3]))
    matrices = vector[..., :20].reshape(*lead, 5, 4)
    np.testing.assert_array_equal(rows.take(vector), matrices[..., [1, 3], :])
    for matrix in rows.matrices(vector):
        assert np.shares_memory(matrix, vector)


def test_matmul_takes_a_stack_on_the_right_of_a_sparse_matrix(rng):
    a, b = with_gaps(rng), rng.normal(size=(2, 10, 3))
    out = np.empty((2, 6, 3))
    _array.matmul(sparse.csr_array(a), b, out)
    np.testing.assert_allclose(out, a @ b, rtol=1e-13, atol=1e-13)


def test_transpose_exchanges_samples_and_features_only(rng):
    single, stack = rng.normal(size=(2, 3)), rng.normal(size=(4, 2, 3))
    np.testing.assert_array_equal(_array.transpose(single), single.T)
    transposed = _array.transpose(stack)
    assert transposed.shape == (4, 3, 2)
    for one, other in zip(stack, transposed, strict=True):
        np.testing.assert_array_equal(other, one.T)


@pytest.mark.parametrize("kind", SPARSE)
def test_transpose_takes_sparse_arrays(rng, kind):
    dense = rng.normal(size=(2, 3))
    transposed = _array.transpose(kind(dense))
    assert sparse.issparse(transposed)
    np.testing.assert_array_equal(transposed.toarray(), dense.T)


def test_total_is_one_number_per_network(rng):
    stack = rng.normal(size=(4, 5, 3))
    totals = _array.total(stack)
    assert totals.shape == (4,)
    np.testing.assert_allclose(totals, [x.sum() for x in stack], rtol=1e-13)
    np.testing.assert_allclose(_array.total(stack[0]), stack[0].sum(), rtol=1e-13)
    assert np.ndim(_array.total(stack[0])) == 0


def test_squared_norm_is_one_number_per_network(rng):
    stack = rng.normal(size=(4, 7))
    norms = _array.squared_norm(stack)
    assert norms.shape == (4,)
    np.testing.assert_allclose(norms, [(x * x).sum() for x in stack], rtol=1e-13)
    np.testing.assert_allclose(_array.squared_norm(stack[0]), norms[0], rtol=1e-13)
    assert _array.squared_norm(np.zeros(0)) == 0.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 3)])
def test_scalar_has_no_dimension_and_the_dtype_of_its_model(dtype, shape):
    number = _array.scalar(0.25, np.ones(shape, dtype))
    assert isinstance(number, np.ndarray)
    assert (number.shape, number.dtype, float(number)) == ((), dtype, 0.25)


@given(n=st.integers(0, 5), d=st.integers(1, 5), dtype=st.sampled_from(DTYPES))
def test_as_rows_never_copies_an_array_in_c_order(n, d, dtype):
    X = np.ones((n, d), dtype)
    assert _array.as_rows(X) is X


def test_as_rows_brings_other_orders_to_c_order(rng):
    for X in (np.asfortranarray(rng.normal(size=(4, 3))), rng.normal(size=(8, 3))[::2]):
        rows = _array.as_rows(X)
        assert rows.flags.c_contiguous
        np.testing.assert_array_equal(rows, X)


@pytest.mark.parametrize("kind", SPARSE)
def test_as_rows_brings_sparse_arrays_to_csr(rng, kind):
    X = kind(rng.normal(size=(4, 3)))
    rows = _array.as_rows(X)
    assert rows.format == "csr"
    np.testing.assert_array_equal(rows.toarray(), X.toarray())


def test_as_rows_never_copies_csr():
    X = sparse.csr_matrix(np.eye(3))
    assert np.shares_memory(_array.as_rows(X).data, X.data)


@pytest.mark.parametrize("kind", [np.asarray, *SPARSE])
def test_largest_is_the_size_of_the_entry_farthest_from_zero(kind):
    X = np.array([[0.0, -3.0], [2.0, 0.0]])
    assert _array.largest(kind(X)) == _array.largest(kind(-X)) == 3.0
    assert _array.largest(kind(np.zeros((0, 2)))) == 0.0
