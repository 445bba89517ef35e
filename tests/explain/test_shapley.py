"""Walks add up, agree with exact Shapley values, and keep to their row and seed."""

import itertools
import math

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LinearRegression

from sknn.explain import explain, shapley
from sknn.explain.native import walks

pytest.importorskip("shap")

SEED = {"random_state": 0}
WALKS = {"method": "permutation", **SEED}


def total(explanation):
    return explanation.values.sum(axis=1) + explanation.base_values


def exact_shapley(model, row, background):
    """Sum over all coalitions of columns, on frames; model maps a frame to (n, C)."""
    columns = list(row.columns)

    def worth(shown):
        mixed = background.reset_index(drop=True).copy()
        for name in shown:
            repeated = row[name].iloc[np.zeros(len(mixed), dtype=int)]
            mixed[name] = repeated.reset_index(drop=True)
        return model(mixed).mean(axis=0)

    d = len(columns)
    value = {
        frozenset(shown): worth(shown)
        for size in range(d + 1)
        for shown in itertools.combinations(columns, size)
    }
    phi = np.zeros((d, len(value[frozenset()])))
    for shown, v in value.items():
        for j, name in enumerate(columns):
            if name not in shown:
                weight = math.factorial(len(shown)) * math.factorial(d - len(shown) - 1)
                with_name = value[shown | {name}]
                phi[j] += weight / math.factorial(d) * (with_name - v)
    return phi


def exact(model, row, background):
    """The same on arrays."""
    pd = pytest.importorskip("pandas")
    return exact_shapley(
        lambda rows: model(rows.to_numpy()), pd.DataFrame(row), pd.DataFrame(background)
    )


def assert_within_errors(explanation, values, i=0):
    """Dozens of walks are behind an error: 6 of them are hardly ever passed."""
    gap = np.abs(explanation.values[i] - values)
    assert (gap <= 6 * explanation.error_std[i] + 1e-10).all()


def test_margins_of_two_classes_add_up_in_one_output(numbers):
    X, score = numbers
    model = LinearDiscriminantAnalysis().fit(X, np.where(score > 0, "yes", "no"))
    explanation = explain(model, X[:6], background=X[30:50], **WALKS)
    assert explanation.values.shape == (6, 5)
    assert explanation.base_values.shape == (6,)
    assert explanation.output_names == "yes"
    np.testing.assert_allclose(total(explanation), model.decision_function(X[:6]))


def test_probabilities_add_up_for_every_class_in_the_order_of_classes_(multiclass):
    model, X = multiclass
    explanation = explain(model, X[:6], background=X[30:50], **WALKS)
    assert explanation.values.shape == (6, 5, 3)
    assert explanation.base_values.shape == (6, 3)
    assert explanation.output_names == model.classes_.tolist()
    gap = total(explanation) - model.predict_proba(X[:6])
    assert np.abs(gap).max() < 1e-12


def test_predictions_add_up_for_one_target_and_for_several(regression, two_targets):
    for (model, X), shape in ((regression, (6, 5)), (two_targets, (6, 5, 2))):
        explanation = explain(model, X[:6], background=X[30:50], **WALKS)
        assert explanation.values.shape == shape
        gap = total(explanation) - model.predict(X[:6])
        assert np.abs(gap).max() < 1e-10


def test_base_values_are_the_mean_over_all_of_the_background(regression):
    model, X = regression
    explanation = explain(model, X[:2], background=X, **WALKS)
    np.testing.assert_allclose(explanation.base_values, model.predict(X).mean())


def test_a_linear_model_is_explained_exactly(numbers):
    X, score = numbers
    model = LinearRegression().fit(X, score)
    explanation = explain(model, X[:4], background=X[30:50], **WALKS)
    expected = model.coef_ * (X[:4] - X[30:50].mean(axis=0))
    np.testing.assert_allclose(explanation.values, expected, atol=1e-12)
    np.testing.assert_allclose(explanation.error_std, 0, atol=1e-8)


def test_values_agree_with_the_sum_over_all_coalitions(multiclass):
    model, X = multiclass
    explanation = explain(model, X[:3], background=X[30:50], rounds=16, **WALKS)
    for i in range(3):
        expected = exact(model.predict_proba, X[i : i + 1], X[30:50])
        assert_within_errors(explanation, expected, i)
        np.testing.assert_allclose(explanation.values[i], expected, atol=0.02)


def test_a_frame_of_every_type_agrees_with_the_sum_over_all_coalitions(mixed):
    model, frame = mixed
    X, background = frame[3:4], frame[50:60]
    explanation = explain(model, X, background=background, rounds=5, **WALKS)
    expected = exact_shapley(model.predict_proba, X, background)
    assert_within_errors(explanation, expected)
    assert np.abs(total(explanation) - model.predict_proba(X)).max() < 1e-12


def test_more_rounds_shrink_the_error_and_its_estimate(multiclass):
    model, X = multiclass
    few, many = (
        explain(model, X[:1], background=X[30:50], rounds=rounds, **WALKS)
        for rounds in (1, 16)
    )
    expected = exact(model.predict_proba, X[:1], X[30:50])
    error = [np.linalg.norm(e.values[0] - expected) for e in (few, many)]
    assert error[1] < error[0]
    ratio = np.linalg.norm(few.error_std) / np.linalg.norm(many.error_std)
    assert 2 < ratio < 8  # 4 is expected


def test_a_column_equal_to_the_background_gets_nothing(regression):
    model, X = regression
    background = X[30:50].copy()
    background[:, 2] = X[0, 2]
    explanation = explain(model, X[:1], background=background, **WALKS)
    assert explanation.values[0, 2] == 0
    assert (explanation.values[0, [0, 1, 3, 4]] != 0).all()


def test_a_row_equal_to_a_background_of_one_gets_nothing(regression):
    model, X = regression
    explanation = explain(model, X[:1], background=X[:1], **WALKS)
    np.testing.assert_array_equal(explanation.values, 0)


def test_numbers_that_hardly_differ_are_still_told_apart(numbers):
    X, _ = numbers
    tiny = X * 1e-9  # shap's own masker takes all of these for equal
    model = LinearRegression().fit(X, X[:, 0])
    explanation = explain(model, tiny[:2], background=tiny[30:50], **WALKS)
    assert np.abs(total(explanation) - model.predict(tiny[:2])).max() < 1e-17
    assert (explanation.values[:, 0] != 0).all()


def test_the_predicted_class_of_each_row_is_explained(multiclass):
    model, X = multiclass
    every = explain(model, X[:8], background=X[30:50], **WALKS)
    own = explain(model, X[:8], background=X[30:50], target="predicted", **WALKS)
    places = np.searchsorted(model.classes_, model.predict(X[:8]))
    assert len(set(places)) > 1
    np.testing.assert_array_equal(own.values, every.values[range(8), :, places])
    np.testing.assert_array_equal(own.base_values, every.base_values[range(8), places])


def test_a_target_is_the_slice_of_all_outputs(multiclass):
    model, X = multiclass
    every = explain(model, X[:3], background=X[30:50], **WALKS)
    one = explain(model, X[:3], background=X[30:50], target="mid", **WALKS)
    assert one.output_names == every[:, :, "mid"].output_names == "mid"
    np.testing.assert_allclose(one.values, every[:, :, "mid"].values, atol=1e-15)


def test_reordered_columns_change_nothing(mixed):
    model, frame = mixed
    X, background = frame[:2], frame[50:55]
    expected = explain(model, X, background=background, **WALKS)
    reversed_ = explain(
        model,
        X[X.columns[::-1]],
        background=background[X.columns[[2, 0, 1, 5, 4, 3]]],
        **WALKS,
    )
    assert reversed_.feature_names == expected.feature_names == list(X.columns)
    np.testing.assert_array_equal(reversed_.values, expected.values)


def test_data_are_codes_and_display_data_the_strings(mixed):
    model, frame = mixed
    explanation = explain(model, frame[:4], background=frame[50:55], **WALKS)
    assert explanation.data.dtype == np.float64
    assert explanation.display_data[:, 3].tolist() == frame["colour"][:4].tolist()
    assert explanation.display_data[:, 4].tolist() == frame["size"][:4].tolist()


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(multiclass):
    model, X = multiclass
    first, again, other, generator = (
        explain(
            model, X[:2], background=X[30:50], method="permutation", random_state=seed
        ).values
        for seed in (3, 3, 4, np.random.default_rng(3))
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, generator)


def test_a_row_does_not_depend_on_the_others_or_on_its_place(mixed):
    model, frame = mixed
    background = frame[50:60]
    together = explain(model, frame[:6], background=background, **WALKS)
    alone = explain(model, frame[4:5], background=background, **WALKS)
    backwards = explain(model, frame[:6][::-1], background=background, **WALKS)
    np.testing.assert_array_equal(alone.values[0], together.values[4])
    np.testing.assert_array_equal(backwards.values[1], together.values[4])


def test_numpys_global_generator_is_left_as_it_was(regression):
    model, X = regression
    before = np.random.get_state()
    explain(model, X[:2], background=X[30:50], method="permutation")
    after = np.random.get_state()
    assert repr(before) == repr(after)


def test_numpys_global_generator_is_given_back_after_an_error():
    before = np.random.get_state()
    with pytest.raises(KeyError), shapley.borrowed_global_rng():
        np.random.seed(1)
        raise KeyError
    assert repr(before) == repr(np.random.get_state())


def test_a_sparse_matrix_gives_the_values_of_a_dense_one(numbers):
    X, score = numbers
    X = np.where(np.abs(X) > 1, X, 0)
    model = LinearRegression().fit(sp.csr_array(X), score)
    dense = explain(model, X[:3], background=X[30:50], **WALKS)
    for container in (sp.csr_array, sp.csc_matrix):
        sparse = explain(
            model, container(X[:3]), background=container(X[30:50]), **WALKS
        )
        np.testing.assert_allclose(sparse.values, dense.values, atol=1e-12)


def test_a_polars_frame_gives_the_values_of_a_pandas_frame(mixed_frame):
    pl = pytest.importorskip("polars")
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = mixed_frame[["age", "colour"]].fillna({"age": 0.0})
    encoder = make_column_transformer(
        (OneHotEncoder(), ["colour"]), remainder="passthrough"
    )
    model = make_pipeline(encoder, LinearRegression()).fit(frame, np.arange(len(frame)))
    polars = pl.DataFrame(frame.to_dict("list"))
    values = [
        explain(model, X[:3], background=X[50:60], **WALKS).values
        for X in (frame, polars)
    ]
    np.testing.assert_array_equal(*values)


def test_single_precision_input_is_explained_in_double(numbers):
    X, score = numbers
    X = X.astype(np.float32)
    model = LinearRegression().fit(X, score.astype(np.float32))
    assert model.coef_.dtype == np.float32
    explanation = explain(model, X[:3], background=X[30:50], **WALKS)
    assert explanation.values.dtype == np.float64
    expected = model.predict(X[:3].astype(np.float64))
    assert np.abs(total(explanation) - expected).max() < 1e-12


def test_many_walks_go_to_the_model_in_parts_with_the_same_result(
    multiclass, monkeypatch
):
    model, X = multiclass
    at_once = explain(model, X[:2], background=X[30:40], **WALKS)
    monkeypatch.setattr(walks, "_CELLS", 150)
    in_parts = explain(model, X[:2], background=X[30:40], **WALKS)
    np.testing.assert_allclose(in_parts.values, at_once.values, atol=1e-12)


def test_a_large_background_is_used_in_full_with_a_warning_of_its_cost(numbers):
    X, score = numbers
    model = LinearRegression().fit(X, score)
    background = np.tile(X, (13, 1))
    with pytest.warns(UserWarning, match="background has 1040 rows") as record:
        explanation = explain(model, X[:1], background=background, **WALKS)
    assert record[0].filename == __file__
    np.testing.assert_allclose(
        explanation.base_values, model.predict(background).mean()
    )


def test_missing_values_equal_each_other(mixed):
    model, frame = mixed
    both_missing = frame[frame["age"].isna()]
    explanation = explain(
        model, both_missing[:1], background=both_missing[1:3], **WALKS
    )
    assert np.isnan(explanation.data[0, 0])
    np.testing.assert_array_equal(explanation.values[0, 0], 0)
