"""X at prediction: the quick look passes nothing that scikit-learn's checks refuse."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.utils.validation import validate_data

from sknn import MLPRegressor

ROWS = np.arange(12.0).reshape(4, 3)


@pytest.fixture(scope="module")
def model():
    return MLPRegressor(hidden_layer_sizes=(3,)).partial_fit(ROWS, ROWS[:, 0])


def changed(value):
    X = ROWS.copy()
    X[1, 2] = value
    return X


@pytest.mark.parametrize(
    "X",
    [
        *map(changed, [np.nan, np.inf, -np.inf]),
        changed(np.nan).astype(np.float32),
        *(ROWS[0], ROWS[None], ROWS[:0], ROWS[:, :2], ROWS * 1j),
        np.array([["a", "b", "c"]]),
        np.ma.masked_array(changed(np.nan), False),
    ],
    ids=lambda X: f"{X.dtype}{X.shape}",
)
def test_bad_input_is_refused_in_scikit_learns_words(X, model):
    with pytest.raises(ValueError) as expected:
        validate_data(model, X, dtype=[np.float64, np.float32], reset=False)
    with pytest.raises(ValueError) as found:
        model.predict(X)
    assert str(expected.value) in str(found.value)


@pytest.mark.parametrize(
    "X",
    [
        *(ROWS.tolist(), ROWS.astype(int), ROWS.astype(">f8"), ROWS.astype("f2")),
        *(np.asfortranarray(ROWS), np.repeat(ROWS, 2, axis=0)[::2], ROWS[::-1][::-1]),
        *(sparse.csr_matrix(ROWS), sparse.csc_array(ROWS)),
    ],
    ids=lambda X: type(X).__name__,
)
def test_other_forms_of_the_same_rows_are_the_same(X, model):
    np.testing.assert_allclose(model.predict(X), model.predict(ROWS), rtol=1e-12)


def test_numbers_whose_squares_overflow_are_finite(model):
    with np.errstate(over="ignore"):
        assert np.isfinite(model.predict(changed(1e200))).all()
