"""LIME's coefficients as contributions, and the local fits behind them."""

import pickle

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sknn.explain import explain

shap = pytest.importorskip("shap")
lime_tabular = pytest.importorskip("lime.lime_tabular")

SEED = {"method": "lime", "random_state": 0, "num_samples": 500}
PACKAGE = SEED | {"native": False}


@pytest.fixture(params=["auto", False], ids=["native", "package"])
def seed(request):
    """Options for either way to compute."""
    return SEED | {"native": request.param}


def test_a_linear_model_gets_its_shapley_values(numbers, seed):
    X, score = numbers
    model = LinearRegression().fit(X, score)
    explanation = explain(model, X[:4], background=X[30:], **seed)
    expected = model.coef_ * (X[:4] - X[30:].mean(axis=0))
    np.testing.assert_allclose(explanation.values, expected, atol=0.05)
    np.testing.assert_allclose(
        explanation.base_values, model.predict(X[30:]).mean(), atol=0.05
    )
    np.testing.assert_allclose(explanation.score_, 1, atol=1e-3)


def test_contributions_add_up_to_the_local_prediction(multiclass):
    model, X = multiclass
    for discretizer in (None, "quartile", "decile"):
        explanation = explain(
            model, X[:3], background=X, discretizer=discretizer, **PACKAGE
        )
        total = explanation.values.sum(axis=1) + explanation.intercept_
        np.testing.assert_allclose(total, explanation.local_pred_)
        np.testing.assert_array_equal(explanation.base_values, explanation.intercept_)
        last = [found.local_pred[0] for found in explanation.lime_]
        np.testing.assert_allclose(explanation.local_pred_[:, 2], last)


def test_the_numbers_are_limes_own(regression):
    model, X = regression
    explanation = explain(model, X[:1], background=X, **PACKAGE)
    seed = explanation.lime_[0].random_state
    explainer = lime_tabular.LimeTabularExplainer(
        X,
        mode="regression",
        discretize_continuous=False,
        feature_selection="none",
        random_state=np.random.RandomState(seed),
    )
    found = explainer.explain_instance(
        X[0], model.predict, num_features=5, num_samples=500
    )
    scaled = (X[0] - X.mean(axis=0)) / X.std(axis=0)
    for j, coefficient in found.local_exp[1]:
        assert explanation.values[0, j] == pytest.approx(coefficient * scaled[j])
    assert explanation.score_[0] == pytest.approx(found.score)
    assert explanation.intercept_[0] == pytest.approx(found.intercept[1])


def test_every_class_has_a_score_of_its_own(multiclass):
    model, X = multiclass
    explanation = explain(model, X[:3], background=X, **PACKAGE)
    assert explanation.score_.shape == explanation.intercept_.shape == (3, 3)
    assert len(np.unique(explanation.score_.round(6))) == 9
    np.testing.assert_allclose(
        explanation.score_[:, 2], [found.score for found in explanation.lime_]
    )


def test_every_target_of_a_regressor_is_explained(two_targets, seed):
    model, X = two_targets
    explanation = explain(model, X[:3], background=X, **seed)
    assert explanation.values.shape == (3, 5, 2)
    own = explain(model, X[:3], background=X, target=1, **seed)
    np.testing.assert_allclose(own.values, explanation.values[..., 1], atol=1e-10)


def test_the_predicted_class_of_each_row_is_explained(multiclass, seed):
    model, X = multiclass
    every = explain(model, X[:8], background=X, **seed)
    own = explain(model, X[:8], background=X, target="predicted", **seed)
    places = np.searchsorted(model.classes_, model.predict(X[:8]))
    np.testing.assert_allclose(own.values, every.values[range(8), :, places])
    np.testing.assert_allclose(own.score_, every.score_[range(8), places])


def test_strings_categories_and_booleans_are_explained_as_such(mixed):
    model, frame = mixed
    frame = frame.dropna()
    explanation = explain(
        model, frame[:3], background=frame[20:], target="buys", **PACKAGE
    )
    assert explanation.values.shape == (3, 6)
    assert explanation.display_data[:, 3].tolist() == frame["colour"][:3].tolist()
    names = dict(explanation.lime_[0].as_list())
    assert f"colour={frame['colour'].iloc[0]}" in names
    assert f"size={frame['size'].iloc[0]}" in names


def test_missing_categories_are_a_category(mixed_frame, seed):
    frame = mixed_frame[["colour", "member"]].copy()
    frame.loc[::5, "colour"] = None
    model = make_pipeline(OneHotEncoder(), LinearRegression())
    model.fit(frame, np.arange(len(frame)))
    explanation = explain(model, frame[:2], background=frame, **seed)
    assert np.isfinite(explanation.values).all()


def test_missing_numbers_are_refused_by_column(mixed):
    model, frame = mixed
    with pytest.raises(ValueError, match=r"\['age', 'visits'\].*method='permutation'"):
        explain(model, frame[:3], background=frame, **SEED)


def test_numbers_that_are_codes_want_to_be_named():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.choice([1, 4, 9], 60), rng.integers(0, 99, 60)])
    encoder = make_column_transformer((OneHotEncoder(), [0]), remainder="passthrough")
    model = make_pipeline(encoder, LinearRegression()).fit(X, X[:, 0] == 4)
    with pytest.raises(ValueError, match=r"name numeric.*in categorical_features") as e:
        explain(model, X[:2], background=X, **PACKAGE)
    assert "unknown categories" in str(e.value.__cause__)
    explanation = explain(
        model, X[:2], background=X, categorical_features=["x0"], **PACKAGE
    )
    assert "x0=" in str(explanation.lime_[0].as_list())


@pytest.mark.parametrize("named", [["age"], "x0"])
def test_categorical_features_that_are_not_columns_are_refused(regression, named):
    model, X = regression
    with pytest.raises(ValueError, match="categorical_features must be a list of col"):
        explain(model, X[:1], background=X, categorical_features=named, **SEED)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"discretizer": "entropy"}, r"discretizer must be one of.*got 'entropy'"),
        ({"feature_selection": "none"}, "feature_selection must be one of.*got 'none'"),
        ({"feature_selection": "auto"}, "'auto' needs num_features, which is None"),
        ({"num_features": 0}, "num_features must be an integer of at least 1, got 0"),
        ({"num_samples": 2.5}, r"num_samples must be an integer.*got 2\.5"),
        (
            {"sample_around_instance": True, "discretizer": "decile"},
            "give it or discretizer='decile', not both",
        ),
    ],
)
def test_options_that_are_wrong_or_would_do_nothing_are_refused(
    regression, options, message
):
    model, X = regression
    with pytest.raises(ValueError, match=message):
        explain(model, X[:1], background=X, **SEED | options)


@pytest.mark.parametrize(
    "option",
    [
        {"sample_around_instance": True},
        {"kernel_width": 0.5},
        {"distance_metric": "manhattan"},
        {"num_features": 3, "feature_selection": "forward_selection"},
        {"discretizer": "decile"},
    ],
)
def test_every_option_reaches_lime(regression, option):
    model, X = regression
    plain = explain(model, X[:1], background=X, **SEED)
    changed = explain(model, X[:1], background=X, **SEED | option)
    assert not np.allclose(plain.values, changed.values)


def test_fewer_features_leave_the_others_at_zero(regression, seed):
    model, X = regression
    explanation = explain(model, X[:3], background=X, num_features=2, **seed)
    assert ((explanation.values != 0).sum(axis=1) == 2).all()


def test_rounds_multiply_the_samples(regression, seed):
    model, X = regression
    options = {"background": X} | seed
    by_rounds = explain(model, X[:1], rounds=3, **options | {"num_samples": 100})
    by_samples = explain(model, X[:1], **options | {"num_samples": 300})
    np.testing.assert_array_equal(by_rounds.values, by_samples.values)


def test_a_row_depends_on_its_seed_and_not_on_the_others(multiclass, seed):
    model, X = multiclass
    together = explain(model, X[:4], background=X, **seed)
    alone = explain(model, X[2:3], background=X, **seed)
    other = explain(model, X[2:3], background=X, **seed | {"random_state": 1})
    np.testing.assert_array_equal(alone.values[0], together.values[2])
    assert not np.array_equal(alone.values, other.values)


def test_numpys_global_generator_is_left_as_it_was(multiclass):
    model, X = multiclass
    before = np.random.get_state()
    explanation = explain(model, X[:1], background=X, discretizer="quartile", **PACKAGE)
    with pytest.warns(ResourceWarning, match="unclosed file"):
        explanation.lime_[0].as_html()
    explain(model, X[:1], background=X, **SEED)
    assert repr(before) == repr(np.random.get_state())


@pytest.fixture(scope="module")
def explanation(multiclass):
    model, X = multiclass
    return explain(model, X[:6], background=X, **PACKAGE)


@pytest.mark.parametrize(
    ("item", "rows", "outputs"),
    [
        (2, 2, slice(None)),
        (np.int64(2), 2, slice(None)),
        (slice(1, 4), slice(1, 4), slice(None)),
        ([0, 3], [0, 3], slice(None)),
        ((slice(None), slice(None), "mid"), slice(None), 1),
        ((slice(2), slice(None), 2), slice(2), 2),
        ((Ellipsis, 0), slice(None), 0),
        ((slice(None), "x1"), slice(None), slice(None)),
        (np.array([True, False] * 3), [0, 2, 4], slice(None)),
    ],
)
def test_local_fits_are_cut_with_the_rows(explanation, item, rows, outputs):
    part = explanation[item]
    np.testing.assert_array_equal(part.score_, explanation.score_[rows][..., outputs])
    np.testing.assert_array_equal(
        part.local_pred_, explanation.local_pred_[rows][..., outputs]
    )
    assert np.all(part.lime_ == explanation.lime_[rows])
    np.testing.assert_array_equal(
        part.base_values, explanation.base_values[rows][..., outputs]
    )


def test_what_are_no_rows_any_more_is_a_plain_explanation(explanation):
    for part in (explanation.abs, explanation.mean(0), explanation.sum(1)):
        assert isinstance(part, shap.Explanation)
        assert not hasattr(part, "score_")


def test_explanations_survive_pickle(explanation):
    again = pickle.loads(pickle.dumps(explanation[:2, :, "mid"]))
    assert isinstance(again, type(explanation))
    np.testing.assert_array_equal(again.score_, explanation.score_[:2, 1])
    np.testing.assert_array_equal(again[1].values, explanation.values[1, :, 1])
