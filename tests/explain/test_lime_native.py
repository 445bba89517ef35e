"""Native LIME against plain regressions on the same sample, and against lime."""

import html
import re
import sys
from functools import partial

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn.explain import explain
from sknn.explain._lime_native import SELECTIONS, Fitter
from sknn.explain._lime_sample import Bins, Categories, Neighbourhood, Normal

shap = pytest.importorskip("shap")

SEED = {"method": "lime", "random_state": 0, "num_samples": 400}
PACKAGE = {"native": False}


@pytest.fixture(scope="module")
def sample():
    """A sample of numbers, bins and categories, and outputs for it."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(3, 2, (60, 3)), rng.integers(0, 3, 60)])
    drawn = {
        "numbers": Neighbourhood.draw(X[:, :3], [], None, 300, 0),
        "mixed": Neighbourhood.draw(X, [3], None, 300, 0),
        "bins": Neighbourhood.draw(X, [3], "quartile", 300, 0),
    }
    return X, drawn


def outputs(codes):
    return np.column_stack([np.sin(codes).sum(axis=1), 1e3 + codes[:, 0] ** 2])


def plain_design(sample, place):
    """The local model's data as lime has it, the explained row first."""
    A = np.vstack([place, sample.places])
    A[:, sample.nominal] = A[:, sample.nominal] == place[sample.nominal]
    return A


@pytest.mark.parametrize("kind", ["numbers", "mixed", "bins"])
def test_fits_are_those_of_a_plain_weighted_ridge(sample, kind):
    X, drawn = sample
    drawn = drawn[kind]
    X = X[:5, : len(drawn.kinds)] * [[1.0], [1.0], [1.0], [1.0], [5.0]]
    X[:, 3:] = np.minimum(X[:, 3:], 2)
    places, Y, own = drawn.locate(X), outputs(drawn.codes), outputs(X)
    fitter = Fitter(drawn.places, Y, drawn.nominal, 1.5, "euclidean")
    [(_, system)] = fitter.systems(places, own)
    fit = system.ridge()
    for i, place in enumerate(places):
        A = plain_design(drawn, place)
        w = np.exp(-((A - A[0]) ** 2).sum(axis=1) / (2 * 1.5**2))
        for k in range(2):
            y = np.append(own[i, k], Y[:, k])
            plain = Ridge(alpha=1.0).fit(A, y, sample_weight=w)
            np.testing.assert_allclose(
                fit.coef[i, :, k], plain.coef_, rtol=1e-8, atol=1e-8
            )
            intercept = fit.intercept[i, k] + fitter.level[k]
            assert intercept == pytest.approx(plain.intercept_, rel=1e-8)
            assert fit.score[i, k] == pytest.approx(plain.score(A, y, w), abs=1e-8)


@pytest.mark.parametrize("name", [*SELECTIONS])
@pytest.mark.parametrize("k", [2, 7])
def test_columns_are_chosen_as_by_lime(name, k):
    lime_base = pytest.importorskip("lime.lime_base")
    rng = np.random.default_rng(3)
    Z, place = rng.normal(size=(300, 9)), rng.normal(size=(1, 9))
    Y = np.sin(Z @ rng.normal(size=(9, 1))) + Z[:, :1] * Z[:, 1:2]
    fitter = Fitter(Z, Y, np.zeros(9, dtype=bool), 2.0, "euclidean")
    [(_, system)] = fitter.systems(place, np.zeros((1, 1)))
    A, y = np.vstack([place, Z]), np.append(0.0, Y)
    w = np.exp(-((A - place) ** 2).sum(axis=1) / 8)
    lime = lime_base.LimeBase(None)
    expected = lime.feature_selection(A, y, w, k, name)
    assert SELECTIONS[name](system.one(0, 0), place[0], k).tolist() == [*expected]


@pytest.mark.parametrize("options", [{"num_features": 3}, {"discretizer": "decile"}])
def test_targets_are_the_same_alone_and_together(multiclass, options):
    model, X = multiclass
    every = explain(model, X[:5], background=X, **SEED, **options)
    own = explain(model, X[:5], background=X, target="mid", **SEED, **options)
    np.testing.assert_allclose(own.values, every.values[..., 1], atol=1e-10)
    np.testing.assert_allclose(own.error_std, every.error_std[..., 1], atol=1e-10)


@pytest.mark.parametrize("discretizer", [None, "quartile"])
@pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
def test_many_samples_agree_with_the_lime_package(load, discretizer):
    pytest.importorskip("lime")
    X, y = load(return_X_y=True)
    X = X[:, 20:32] if load is load_digits else X[:, ::3]
    network = MLPClassifier((8,), solver="lbfgs", max_iter=8, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model = make_pipeline(StandardScaler(), network).fit(X, y > np.median(y) - 1)
    options = {"method": "lime", "discretizer": discretizer, "random_state": 0}
    options |= {"background": X[100:200], "num_samples": 8000}
    ours = explain(model, X[:6], **options)
    lime = explain(model, X[:6], native=False, **options)
    assert np.corrcoef(ours.values.ravel(), lime.values.ravel())[0, 1] > 0.93
    np.testing.assert_allclose(ours.score_, lime.score_, atol=0.06)
    # what is left is noise, and the standard errors say of what size
    z = (lime.values - ours.values) / np.maximum(np.sqrt(2) * ours.error_std, 1e-12)
    assert 0.7 < np.std(z[np.abs(ours.values) > 1e-12]) < 1.5


def test_standard_errors_are_those_between_seeds(regression):
    model, X = regression
    runs = [
        explain(model, X[:6], background=X, **SEED | {"random_state": seed})
        for seed in range(60)
    ]
    between = np.std([run.values for run in runs], axis=0, ddof=1)
    claimed = np.sqrt(np.mean([run.error_std**2 for run in runs], axis=0))
    assert 0.85 < np.median(claimed / between) < 1.15


def test_each_row_gets_the_same_explanation_in_any_company(multiclass):
    """To rounding: a network's answers may differ by it (docs/guide/determinism.md)."""
    model, X = multiclass
    same = partial(np.testing.assert_allclose, rtol=1e-10, atol=1e-13)
    for options in ({}, {"discretizer": "quartile"}, {"num_features": 2}):
        together = explain(model, X[:60], background=X, **SEED, **options)
        for rows in (slice(37, 38), slice(20, 53), slice(37, 20, -1)):
            part = explain(model, X[rows], background=X, **SEED, **options)
            same(part.values, together.values[rows])
            same(part.error_std, together.error_std[rows])
            same(part.intercept_, together.intercept_[rows])


def test_the_sample_is_predicted_once(regression):
    model, X = regression
    sizes = []

    class Counting(type(model)):
        def predict(self, X):
            sizes.append(len(X))
            return super().predict(X)

    counting = Counting()
    counting.__dict__.update(vars(model))
    explain(counting, X[:50], background=X, **SEED)
    assert sizes.count(399) == 1
    assert sum(sizes) < 399 + 3 * len(X) + 128


def test_lime_itself_is_not_needed(regression, monkeypatch):
    model, X = regression
    for name in [name for name in sys.modules if name.partition(".")[0] == "lime"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "lime", None)
    explanation = explain(model, X[:2], background=X, **SEED)
    assert explanation.lime_ is None
    with pytest.raises(ImportError, match="needs lime"):
        explain(model, X[:2], background=X, **SEED, **PACKAGE)


def test_strings_categories_and_missing_strings_are_drawn_natively(mixed):
    model, frame = mixed
    frame = frame.dropna()
    explanation = explain(
        model, frame[:3], background=frame[20:], target="buys", **SEED
    )
    assert explanation.lime_ is None
    assert explanation.values.shape == explanation.error_std.shape == (3, 6)
    total = explanation.values.sum(axis=1) + explanation.base_values
    np.testing.assert_allclose(total, explanation.local_pred_)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_around_instance": True}, "with sample_around_instance=True"),
        (
            {"feature_selection": "lasso_path", "num_features": 2},
            "with feature_selection='lasso_path'",
        ),
        ({"native": "yes"}, r"native must be one of.*got 'yes'"),
        ({"kernel_width": 0}, "kernel_width must be greater than 0, got 0"),
        ({"num_samples": 1}, "num_samples must be an integer of at least 2, got 1"),
    ],
)
def test_what_cannot_be_native_is_refused(regression, options, message):
    model, X = regression
    options = SEED | {"native": True} | options
    with pytest.raises(ValueError, match=message):
        explain(model, X[:1], background=X, **options)


def test_what_cannot_be_native_goes_to_lime_by_itself(regression):
    pytest.importorskip("lime")
    model, X = regression
    explanation = explain(
        model, X[:1], background=X, sample_around_instance=True, **SEED
    )
    assert explanation.lime_ is not None
    assert explanation.error_std is None


def test_other_metrics_weight_by_their_distance(regression):
    model, X = regression
    plain = explain(model, X[:3], background=X, **SEED)
    same = explain(model, X[:3], background=X, distance_metric="l2", **SEED)
    np.testing.assert_allclose(same.values, plain.values, rtol=1e-9)


def test_a_constant_model_is_explained_by_its_constant(numbers):
    X, _ = numbers
    from sklearn.dummy import DummyRegressor

    model = DummyRegressor(strategy="constant", constant=4.0).fit(X, X[:, 0])
    explanation = explain(model, X[:2], background=X, **SEED)
    np.testing.assert_array_equal(explanation.values, 0)
    np.testing.assert_array_equal(explanation.base_values, 4)
    np.testing.assert_array_equal(explanation.score_, 1)


def test_rows_far_from_the_background_are_named(regression):
    model, X = regression
    rows = X[:3].copy()
    rows[1:] += [[20.0], [30.0]]
    with pytest.warns(UserWarning, match="2 of the rows, row 1 of X first.*kernel_w"):
        explanation = explain(model, rows, background=X, **SEED)
    np.testing.assert_allclose(explanation.values[1:], 0, atol=1e-6)
    explain(model, rows[:1], background=X, **SEED)


def test_two_samples_are_enough_to_answer(regression):
    model, X = regression
    with pytest.warns(UserWarning, match="2 of the rows"):
        explanation = explain(model, X[:2], background=X, **SEED | {"num_samples": 2})
    assert np.isfinite(explanation.values).all()
    assert np.isnan(explanation.error_std).all()


def test_numbers_are_drawn_from_the_columns_normal():
    values, places = Normal(5.0, 2.0).draw(np.random.default_rng(0), 4000)
    assert stats.kstest(values, stats.norm(5, 2).cdf).pvalue > 0.01
    np.testing.assert_allclose(Normal(5.0, 2.0).place(values), places)


def test_bins_are_drawn_from_their_truncated_normal():
    rng = np.random.default_rng(0)
    column = rng.exponential(size=400)
    bins = Bins.of(column, "quartile")
    values, places = bins.draw(rng, 8000)
    np.testing.assert_array_equal(bins.place(values), places)
    np.testing.assert_allclose(np.bincount(places) / 8000, 0.25, atol=0.02)
    mean, std = bins.mean[1], bins.std[1]
    low, high = bins.edges[:2]
    truncated = stats.truncnorm((low - mean) / std, (high - mean) / std, mean, std)
    assert stats.kstest(values[places == 1], truncated.cdf).pvalue > 0.01


def test_bins_of_discrete_columns_have_distinct_edges():
    column = np.array([5.0] * 60 + [6.0] * 30 + [9.0] * 10)
    bins = Bins.of(column, "quartile")
    assert bins.edges.tolist() == [5, 6]
    values, places = bins.draw(np.random.default_rng(0), 500)
    np.testing.assert_array_equal(values, np.array([5.0, 6.0, 9.0])[places])


def test_categories_are_drawn_as_often_as_they_are():
    codes, _ = Categories.of(np.array([2.0, 2, 2, 7])).draw(
        np.random.default_rng(0), 4000
    )
    assert set(codes) == {2, 7}
    assert np.mean(codes == 2) == pytest.approx(0.75, abs=0.03)


@pytest.fixture(scope="module")
def hostile(numbers):
    """An explanation whose names are HTML."""
    pd = pytest.importorskip("pandas")
    X, score = numbers
    frame = pd.DataFrame(X, columns=["<b>x</b>", "a&b", "c", "d", "<script>"])
    y = np.array(["<i>low</i>", "mid", "top"])[np.digitize(score, [-0.7, 0.7])]
    network = MLPClassifier((4,), solver="lbfgs", max_iter=5, random_state=0)
    with pytest.warns(ConvergenceWarning):
        network.fit(frame, y)
    return explain(network, frame[:12], background=frame, **SEED)


def test_what_has_lost_its_columns_is_not_drawn(hostile):
    for part in (hostile[:, "c"], hostile[0, 1], hostile[0][2]):
        assert getattr(part, "_repr_html_", lambda: None)() is None


@pytest.mark.parametrize(
    "item", [slice(None), 0, (0, slice(None), 0), (slice(None), slice(None), 1)]
)
def test_html_escapes_what_users_write(hostile, item):
    page = hostile[item]._repr_html_()
    assert "&lt;" in page
    assert not re.search("<(b|i|script)>", page.replace("<b>&lt;", ""))


def test_html_of_one_row_has_bars_and_of_several_a_table(hostile):
    one = hostile[0, :, 0]._repr_html_()
    assert one.count("<tr>") == 5
    assert "local model" in one and "R²" in one
    several = hostile._repr_html_()
    assert several.count("<tr>") == 11
    assert "and 26 lines" in several
    assert hostile[0]._repr_html_().count("<tr>") == 4


def test_html_of_the_package_is_limes_page_in_a_frame(regression):
    pytest.importorskip("lime")
    model, X = regression
    explanation = explain(model, X[:2], background=X, **SEED, **PACKAGE)
    before = repr(np.random.get_state())
    frame = explanation[0]._repr_html_()
    assert frame.startswith('<iframe sandbox="allow-scripts"')
    assert "lime" in html.unescape(frame)
    assert explanation._repr_html_().count("<tr>") == 3
    assert repr(np.random.get_state()) == before
