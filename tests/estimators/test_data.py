"""Rows for early stopping are drawn as scikit-learn draws them, and cover all rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.model_selection import train_test_split

from sknn.estimators._data import Data
from sknn.estimators._validation import split_rows


@pytest.mark.parametrize("strata", [None, np.arange(100) % 3])
def test_rows_are_those_of_train_test_split(strata):
    ours = split_rows(100, 0.2, np.random.RandomState(0), strata)
    theirs = train_test_split(
        np.arange(100), test_size=0.2, random_state=0, stratify=strata
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@given(st.integers(4, 60), st.floats(0.01, 0.95), st.integers(1, 12), st.integers(0, 9))
def test_split_property_every_row_is_on_one_side(n, fraction, n_classes, seed):
    rng = np.random.RandomState(seed)
    strata = rng.randint(0, n_classes, n)
    try:
        train, held = split_rows(n, fraction, rng, strata)
    except ValueError as error:
        assert "validation set is too small" in str(error)
        assert n - max(2, int(np.ceil(fraction * n))) < 2
    else:
        assert sorted([*train, *held]) == list(range(n))
        assert len(held) >= 2
        assert len(train) >= 1


def test_taken_rows_keep_their_weights_and_labels():
    X = sparse.csc_matrix(np.arange(12.0).reshape(4, 3))
    data = Data(X, np.array(list("abcd")), np.arange(4), np.array([1.0, 2.0, 3.0, 4.0]))
    part = data.take(np.array([3, 1]))
    assert part.labels.tolist() == ["d", "b"]
    assert part.y.tolist() == [3, 1]
    assert part.w.tolist() == [4.0, 2.0]
    np.testing.assert_array_equal(part.X.toarray(), [[9, 10, 11], [3, 4, 5]])
    assert data.mean_weight() == 2.5
    assert data.mean_weight(np.array([0, 1])) == 1.5


def test_weights_that_sum_to_zero_are_refused():
    data = Data(np.zeros((2, 1)), np.zeros(2), np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="sample_weight sums to zero"):
        data.mean_weight()
