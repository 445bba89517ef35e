"""Columns are matched by name, backgrounds are drawn with a warning."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from sknn.explain._alignment import align, as_fitted, choose_background, column_names

pd = pytest.importorskip("pandas")

FRAME = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=["a", "b", "c"])
ON_FRAME = LinearRegression().fit(FRAME, np.arange(4.0))
ON_ARRAY = LinearRegression().fit(FRAME.to_numpy(), np.arange(4.0))


def test_reordered_columns_are_put_into_the_fitted_order():
    aligned = align(ON_FRAME, FRAME[["c", "a", "b"]], "X", ["a", "b", "c"])
    pd.testing.assert_frame_equal(aligned, FRAME)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (FRAME[["a", "c"]], r"X must have .* missing: \['b'\], not among them: \[\]"),
        (FRAME.assign(d=0.0), r"missing: \[\], not among them: \['d'\]"),
        (FRAME.rename(columns={"b": "B"}), r"\['b'\], not among them: \['B'\]"),
        (FRAME[["a", "b", "c", "a"]], r"more than one column named \['a'\]"),
    ],
)
def test_columns_that_do_not_fit_are_named(frame, message):
    with pytest.raises(ValueError, match=message):
        align(ON_FRAME, frame, "X", ["a", "b", "c"])


@pytest.mark.parametrize("model", [ON_FRAME, ON_ARRAY])
def test_the_wrong_width_is_refused(model):
    with pytest.raises(ValueError, match=r"background has 2 columns, but Linear.* 3"):
        align(model, np.zeros((4, 2)), "background", None)


def test_an_array_takes_the_names_of_a_model_fitted_on_a_frame():
    aligned = align(ON_FRAME, FRAME.to_numpy(), "X", ["a", "b", "c"])
    pd.testing.assert_frame_equal(aligned, FRAME)
    assert column_names(ON_FRAME, aligned) == ["a", "b", "c"]


def test_a_numeric_frame_becomes_an_array_for_a_model_fitted_on_arrays():
    background, X = as_fitted(ON_ARRAY, FRAME[:2], FRAME[2:])
    assert type(background) is type(X) is np.ndarray
    assert column_names(ON_ARRAY, FRAME) == ["a", "b", "c"]
    assert column_names(ON_ARRAY, X) == ["x0", "x1", "x2"]


def test_a_background_of_another_kind_is_refused():
    with pytest.raises(
        ValueError, match="background is a pandas DataFrame and X a arr"
    ):
        choose_background(ON_ARRAY, FRAME.to_numpy(), FRAME, 0)


def test_a_background_of_another_width_is_refused_by_models_that_know_none():
    class Model:
        pass

    with pytest.raises(ValueError, match="background has 2 columns and X 3"):
        choose_background(Model(), np.zeros((4, 3)), np.zeros((4, 2)), 0)


def test_the_background_is_matched_with_x_by_name():
    background = choose_background(ON_FRAME, FRAME, FRAME[["b", "c", "a"]], 0)
    pd.testing.assert_frame_equal(background, FRAME)


def test_without_a_background_all_of_a_small_x_are_taken_with_a_warning():
    with pytest.warns(UserWarning, match=r"4 of the 4 rows of X.*pass background="):
        assert choose_background(ON_FRAME, FRAME, None, 0) is FRAME


def test_without_a_background_a_hundred_rows_of_x_are_drawn_reproducibly():
    X = np.arange(900.0).reshape(300, 3)
    with pytest.warns(UserWarning, match="100 of the 300 rows"):
        first, again, other = (
            choose_background(ON_ARRAY, X, None, seed) for seed in (1, 1, 2)
        )
    assert len(np.unique(first[:, 0])) == 100
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
