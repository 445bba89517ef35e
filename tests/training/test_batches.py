"""Every sample is given out once per epoch, with its target and weight, uncopied."""

import tracemalloc
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sknn.training import Batches, batches

CONTAINERS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=0)[::2],
    "csr": sparse.csr_matrix,
    "csr array": sparse.csr_array,
    "csc": sparse.csc_matrix,
}
FLOATS = (np.float32, np.float64)


def numbered(n, dtype=np.float64):
    """X, y and w whose first columns are functions of the row's number."""
    i = np.arange(n)
    X = np.stack([i, i % 2, -i], axis=1).astype(dtype)
    return X, 10.0 * i[:, None], 1.0 + i[:, None] / 8


def dense(X):
    return X.toarray() if sparse.issparse(X) else X


def collect(epoch):
    """Copies of all batches: they are valid until the next one is asked for."""
    return [tuple(None if a is None else dense(a).copy() for a in b) for b in epoch]


def column(epoch, k):
    return np.concatenate([batch[k] for batch in epoch])


@given(data=st.data())
def test_every_sample_is_given_out_once_per_epoch(data):
    draw = data.draw
    n = draw(st.integers(1, 30), "rows of X")
    container = draw(st.sampled_from(sorted(CONTAINERS)), "container")
    given_dtype, dtype = (draw(st.sampled_from(FLOATS), "dtype") for _ in range(2))
    batch_size = draw(st.integers(1, 35), "batch_size")
    weighted, coded = draw(st.booleans(), "weighted"), draw(st.booleans(), "coded")
    some = st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True)
    rows = draw(st.none() | some.map(np.array), "rows")
    n_samples = n if rows is None else len(rows)
    orders = st.permutations(range(n_samples)).map(np.array)
    chunk_bytes = draw(st.sampled_from([1, 100, 1 << 17]), "_CHUNK_BYTES")

    X, y, w = numbered(n, given_dtype)
    table, codes = y[::-1].copy(), np.arange(n)[::-1].copy()
    with patch.object(batches, "_CHUNK_BYTES", chunk_bytes):
        feed = Batches(
            CONTAINERS[container](X),
            codes if coded else y,
            w if weighted else None,
            batch_size,
            dtype,
            table=table if coded else None,
            rows=rows,
        )
    assert feed.n_samples == n_samples
    for _ in range(2):
        order = draw(st.none() | orders, "permutation")
        expected = np.arange(n_samples) if order is None else order
        expected = expected if rows is None else rows[expected]
        epoch = collect(feed.epoch(order))
        sizes = [len(batch) for batch, _, _ in epoch]
        full, rest = divmod(n_samples, batch_size)
        assert sizes == [batch_size] * full + [rest] * (rest > 0)
        for batch, targets, weights in epoch:
            assert batch.dtype == dtype
            assert len(targets) == len(batch)
            assert (weights is not None) == weighted
        np.testing.assert_array_equal(column(epoch, 0), X[expected].astype(dtype))
        np.testing.assert_array_equal(column(epoch, 1), y[expected])
        if weighted:
            np.testing.assert_array_equal(column(epoch, 2), w[expected])


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("container", CONTAINERS)
def test_an_epoch_can_be_left_early_and_begun_again(container, shuffled):
    X, y, w = numbered(20)
    feed = Batches(CONTAINERS[container](X), y, w, 3, np.float32)
    order = np.random.RandomState(0).permutation(20) if shuffled else None
    expected = collect(feed.epoch(order))
    next(iter(feed.epoch(order)))
    for ours, theirs in zip(collect(feed.epoch(order)), expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shuffled", [False, True])
def test_codes_and_a_table_equal_one_hot_rows(shuffled):
    rng = np.random.default_rng(0)
    X, _, _ = numbered(23)
    codes, table = rng.integers(0, 4, 23), np.eye(4, dtype=np.float32)
    rows = rng.permutation(23)[:17]
    order = rng.permutation(17) if shuffled else None
    coded = Batches(X, codes, None, 5, np.float32, table=table, rows=rows)
    plain = Batches(X, table[codes], None, 5, np.float32, rows=rows)
    for ours, theirs in zip(
        collect(coded.epoch(order)), collect(plain.epoch(order)), strict=True
    ):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
        assert ours[1].dtype == np.float32
    np.testing.assert_array_equal(coded.whole()[1], plain.whole()[1])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", [np.ascontiguousarray, sparse.csr_matrix])
def test_x_is_never_copied(kind, dtype):
    X, y, _ = numbered(50)
    X = kind(X)
    feed = Batches(X, y, None, 8, dtype, rows=np.arange(0, 50, 2))
    collect(feed.epoch(np.random.RandomState(0).permutation(25)))
    memory = [(a.data if sparse.issparse(a) else a) for a in (feed.X, X)]
    assert np.shares_memory(*memory)


def test_batches_in_the_given_order_and_dtype_are_views_of_x():
    X, y, w = numbered(20)
    feed = Batches(X, y, w, 6, np.float64)
    for batch, targets, weights in [*feed.epoch(None), feed.whole()]:
        assert np.shares_memory(batch, X)
        assert np.shares_memory(targets, y)
        assert np.shares_memory(weights, w)


@pytest.mark.parametrize("shuffled", [False, True])
def test_an_epoch_in_another_dtype_needs_a_few_batches_of_memory(shuffled):
    X = np.ones((20_000, 50))
    feed = Batches(X, np.ones((20_000, 1)), None, 200, np.float32)
    order = np.arange(20_000)[::-1].copy() if shuffled else None
    tracemalloc.start()
    try:
        for _ in feed.epoch(order):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.05 * X.nbytes


@pytest.mark.parametrize("dtype", FLOATS)
def test_all_epochs_gather_into_the_same_memory(dtype):
    X, y, w = numbered(20)
    feed, order = Batches(X, y, w, 6, dtype), np.random.RandomState(0).permutation(20)
    addresses = [
        [[a.__array_interface__["data"] for a in batch] for batch in feed.epoch(order)]
        for _ in range(3)
    ]
    assert addresses[0] == addresses[1] == addresses[2]


def test_giving_out_leaves_the_training_set_as_it_is():
    X, y, w = numbered(20)
    kept, order = [a.copy() for a in (X, y, w)], np.arange(20)[::-1].copy()
    feed = Batches(X, y, w, 6, np.float32)
    collect(feed.epoch(order))
    for now, before in zip((X, y, w), kept, strict=True):
        np.testing.assert_array_equal(now, before)
    np.testing.assert_array_equal(order, np.arange(20)[::-1])


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.bool_, np.float32])
def test_any_numbers_are_cast_to_the_dtype_asked_for(dtype):
    X = np.array([[0, 1], [1, 1], [1, 0]], dtype)
    feed = Batches(X, np.zeros((3, 1)), None, 2, np.float64)
    for order in (None, np.array([2, 0, 1])):
        seen = np.concatenate([batch for batch, _, _ in collect(feed.epoch(order))])
        assert seen.dtype == np.float64
        np.testing.assert_array_equal(seen, X if order is None else X[order])


# One batch -----------------------------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("rows", [None, np.array([4, 1, 7])])
@pytest.mark.parametrize("weighted", [False, True])
def test_whole_is_everything_in_its_order(container, dtype, rows, weighted):
    X, y, w = numbered(9)
    feed = Batches(
        CONTAINERS[container](X), y, w if weighted else None, 2, dtype, rows=rows
    )
    taken = slice(None) if rows is None else rows
    batch, targets, weights = feed.whole()
    assert batch.dtype == dtype
    np.testing.assert_array_equal(dense(batch), X[taken].astype(dtype))
    np.testing.assert_array_equal(targets, y[taken])
    if weighted:
        np.testing.assert_array_equal(weights, w[taken])
    else:
        assert weights is None


def test_whole_of_codes_is_their_rows_of_the_table():
    X, table = numbered(5)[0], np.eye(3)
    codes = np.array([2, 0, 1, 1, 2])
    for rows in (None, np.array([3, 0])):
        feed = Batches(X, codes, None, 2, np.float64, table=table, rows=rows)
        expected = table[codes if rows is None else codes[rows]]
        np.testing.assert_array_equal(feed.whole()[1], expected)


@pytest.mark.parametrize(
    "rows", [None, np.array([9, 2, 4, 0, 7, 1])], ids=["all", "some"]
)
def test_a_sample_is_spread_evenly_over_the_training_set(rows):
    X, y, w = numbered(10)
    feed = Batches(X, y, w, 4, np.float64, rows=rows)
    order = np.arange(10) if rows is None else rows
    n = len(order)
    for size, picks in ((4, [0, n // 4, n // 2, 3 * n // 4]), (99, range(n))):
        taken = feed.sample(size)
        for column, whole in zip(taken, (X, y, w), strict=True):
            np.testing.assert_array_equal(column, whole[order[list(picks)]])
