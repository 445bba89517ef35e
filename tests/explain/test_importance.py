"""Importances against plain loops, interactions against their axioms and shap's."""

import itertools
import math

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import inspection
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from sknn.explain import (
    _interactions,
    explain,
    global_importance,
    interactions,
    partial_dependence,
    permutation_importance,
)

shap = pytest.importorskip("shap")
pd = pytest.importorskip("pandas")


def explanation_of(values, **parts):
    return shap.Explanation(values=np.asarray(values, dtype=float), **parts)


@pytest.fixture(scope="module")
def many():
    values = np.random.default_rng(0).normal(size=(200, 3, 2)) * [[1], [3], [2]]
    return explanation_of(values, feature_names=list("abc"), output_names=["no", "yes"])


def test_importance_is_the_mean_of_absolute_values(many):
    table = global_importance(many, random_state=0)
    assert table["output"].tolist() == ["no"] * 3 + ["yes"] * 3
    assert table["feature"].tolist() == ["b", "c", "a"] * 2
    yes = table[table["output"] == "yes"].set_index("feature")
    for j, name in enumerate("abc"):
        assert yes.loc[name, "importance"] == pytest.approx(
            np.abs(many.values[:, j, 1]).mean()
        )
        assert yes.loc[name, "mean"] == pytest.approx(many.values[:, j, 1].mean())


def test_intervals_are_those_of_the_normal_theory_for_many_rows(many):
    table = global_importance(many[:, :, "no"], ci=0.9, n_resamples=4000).set_index(
        "feature"
    )
    size = np.abs(many.values[:, 0, 0])
    half = 1.645 * size.std() / np.sqrt(200)
    assert table.loc["a", "lower"] == pytest.approx(size.mean() - half, rel=0.03)
    assert table.loc["a", "upper"] == pytest.approx(size.mean() + half, rel=0.03)


def test_intervals_hold_the_true_importance_as_often_as_they_say():
    rng = np.random.default_rng(1)
    hits = []
    for seed in range(100):
        values = rng.normal(size=(60, 5))
        table = global_importance(explanation_of(values), ci=0.8, random_state=seed)
        truth = np.sqrt(2 / np.pi)
        hits += list((table["lower"] < truth) & (truth < table["upper"]))
    assert 0.72 < np.mean(hits) < 0.86


def test_groups_add_attributions_before_the_absolute_value(many):
    one = many[:, :, "yes"]
    table = global_importance(one, groups={"a and c": ["a", "c"]}).set_index("feature")
    assert set(table.index) == {"a and c", "b"}
    joint = np.abs(one.values[:, 0] + one.values[:, 2]).mean()
    assert table.loc["a and c", "importance"] == pytest.approx(joint)


def test_a_single_row_has_no_interval():
    table = global_importance(explanation_of([[1.0, -2.0]]))
    assert table["feature"].tolist() == ["x1", "x0"]
    assert table[["lower", "upper"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ci": 95}, r"ci must lie in \(0, 1\), got 95"),
        ({"n_resamples": 0}, "n_resamples must be an integer of at least 1, got 0"),
        ({"groups": {"g": ["a", "d"]}}, r"groups must map .*got \{'g': \['a', 'd'\]"),
        (
            {"groups": {"g": ["a"], "h": ["a"]}},
            "groups must map names to lists of diff",
        ),
        ({"groups": {"g": "ab"}}, "groups must map"),
    ],
)
def test_a_bad_parameter_of_importance_is_named(many, settings, message):
    with pytest.raises(ValueError, match=message):
        global_importance(many, **settings)


def plain_worth(model, row, background):
    """Mean prediction by coalition of shown columns, for all of them."""
    worth = {}
    for size in range(len(row) + 1):
        for shown in itertools.combinations(range(len(row)), size):
            mixed = background.copy()
            mixed[:, shown] = row[list(shown)]
            worth[frozenset(shown)] = model.predict(mixed).mean()
    return worth


def plain_pair(worth, i, j, d):
    total = 0.0
    for shown, v in worth.items():
        if i in shown or j in shown:
            continue
        s = len(shown)
        weight = math.factorial(s) * math.factorial(d - s - 2) / math.factorial(d - 1)
        pair, first, second = (worth[shown | k] for k in ({i, j}, {i}, {j}))
        total += weight * (pair - first - second + v)
    return total


def plain_shapley(worth, j, d):
    total = 0.0
    for shown, v in worth.items():
        if j not in shown:
            weight = 1 / math.comb(d - 1, len(shown)) / d
            total += weight * (worth[shown | {j}] - v)
    return total


def test_interactions_are_those_of_a_loop_over_all_coalitions(regression):
    model, X = regression
    background = X[20:26]
    found = interactions(model, X[:2], background=background)
    assert found.error_std is None
    for i in range(2):
        worth = plain_worth(model, X[i], background)
        for j, k in itertools.combinations(range(5), 2):
            expected = plain_pair(worth, j, k, 5) / 2
            assert found.values[i, j, k] == pytest.approx(expected, abs=1e-12)
            assert found.values[i, k, j] == found.values[i, j, k]


def test_rows_of_interactions_add_up_to_shapley_values(regression):
    model, X = regression
    background = X[20:26]
    found = interactions(model, X[:3], background=background)
    for i in range(3):
        worth = plain_worth(model, X[i], background)
        shapley = [plain_shapley(worth, j, 5) for j in range(5)]
        np.testing.assert_allclose(found.values[i].sum(axis=1), shapley, atol=1e-12)
    total = found.values.sum(axis=(1, 2)) + found.base_values
    np.testing.assert_allclose(total, model.predict(X[:3]), atol=1e-10)


def test_taylor_interactions_are_those_of_a_loop_over_all_coalitions(regression):
    model, X = regression
    background = X[20:26]
    found = interactions(model, X[:1], background=background, index="taylor").values[0]
    worth = plain_worth(model, X[0], background)
    for j, k in itertools.combinations(range(5), 2):
        expected = 0.0
        for shown in worth:
            if j not in shown and k not in shown:
                pair, first, second = (worth[shown | s] for s in ({j, k}, {j}, {k}))
                gain = pair - first - second + worth[shown]
                expected += 2 / 5 / math.comb(4, len(shown)) * gain
        assert found[j, k] == pytest.approx(expected / 2, abs=1e-12)
    alone = [worth[frozenset({j})] - worth[frozenset()] for j in range(5)]
    np.testing.assert_allclose(np.diag(found), alone, atol=1e-12)


@pytest.mark.slow  # shap compiles for many seconds
def test_taylor_interactions_are_those_of_shap(regression):
    model, X = regression
    background = X[20:26]
    found = interactions(model, X[:3], background=background, index="taylor")
    explainer = shap.ExactExplainer(model.predict, background)
    expected = explainer(X[:3], interactions=2, silent=True).values
    np.testing.assert_allclose(found.values, expected, atol=1e-10)


def test_a_model_without_interactions_has_a_diagonal_matrix(numbers):
    X, score = numbers
    model = LinearRegression().fit(X, score)
    values = interactions(model, X[:2], background=X[9:]).values
    effects = (X[:2] - X[9:].mean(axis=0)) * model.coef_
    for i in range(2):
        np.testing.assert_allclose(values[i], np.diag(effects[i]), atol=1e-12)


def test_only_the_columns_of_a_product_interact(numbers):
    X, _ = numbers
    model = make_pipeline(PolynomialFeatures(2), LinearRegression())
    model.fit(X, 2 * X[:, 1] * X[:, 3])
    values = interactions(model, X[:1], background=np.zeros((1, 5))).values[0]
    expected = np.zeros((5, 5))
    expected[1, 3] = expected[3, 1] = X[0, 1] * X[0, 3]
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_columns_equal_to_the_background_do_not_play(regression):
    model, X = regression
    background = X[20:26].copy()
    background[:, 2] = X[0, 2]
    values = interactions(model, X[:1], background=background).values[0]
    assert (values[2] == 0).all()
    assert (values[:, 2] == 0).all()
    at_home = interactions(model, X[:1], background=X[:1]).values
    assert (at_home == 0).all()


@pytest.mark.parametrize("d", [4, 5, 8, 9])
def test_paths_meet_every_pair_equally_often(d):
    paths = _interactions._paths(d)
    assert (np.sort(paths, axis=1) == np.arange(d)).all()
    meetings = np.zeros((d, d))
    np.add.at(meetings, (paths[:, :-1], paths[:, 1:]), 1)
    meetings += meetings.T
    expected = (1 if d % 2 == 0 else 2) * (1 - np.eye(d))
    np.testing.assert_array_equal(meetings, expected)


@pytest.mark.parametrize("n_columns", [4, 5])
def test_sampled_interactions_are_within_their_errors(numbers, monkeypatch, n_columns):
    X, score = numbers
    X = X[:, :n_columns]
    model = make_pipeline(PolynomialFeatures(3), LinearRegression()).fit(X, score)
    settings = {"background": X[20:28], "random_state": 0}
    exact = interactions(model, X[:2], **settings)
    monkeypatch.setattr(_interactions, "MAX_EXACT", 2)
    sampled = interactions(model, X[:2], rounds=30, **settings)
    gap = np.abs(sampled.values - exact.values)
    assert (gap <= 4 * sampled.error_std + 1e-12).all()
    assert gap.max() > 0
    total = sampled.values.sum(axis=(1, 2)) + sampled.base_values
    np.testing.assert_allclose(total, model.predict(X[:2]), atol=1e-10)
    alone = interactions(model, X[1:2], rounds=30, **settings)
    np.testing.assert_array_equal(alone.values[0], sampled.values[1])
    with pytest.raises(ValueError, match=r"'taylor' takes at most 2 columns.*got"):
        interactions(model, X[:1], index="taylor", **settings)


@pytest.mark.parametrize(
    ("name", "settings", "outputs"),
    [
        ("multiclass", {}, (3,)),
        ("multiclass", {"target": "predicted"}, ()),
        ("binary", {"target": "yes"}, ()),
        ("two_targets", {}, (2,)),
    ],
)
def test_interactions_have_the_outputs_of_explain(name, settings, outputs, request):
    model, X = request.getfixturevalue(name)
    settings = settings | {"background": X[20:26]}
    found = interactions(model, X[:2], **settings)
    made = explain(model, X[:2], rounds=20, random_state=0, **settings)
    assert found.values.shape == (2, 5, 5, *outputs)
    assert found.output_names == made.output_names
    np.testing.assert_allclose(found.base_values, made.base_values, atol=1e-12)
    np.testing.assert_allclose(found.values.sum(axis=2), made.values, atol=0.1)


def test_interactions_of_a_pipeline_are_between_its_own_columns(mixed):
    model, frame = mixed
    found = interactions(model, frame[:1], background=frame[20:25], target="buys")
    assert found.feature_names == list(frame.columns)
    assert found.display_data[0, 3] == frame["colour"][0]
    total = found.values.sum() + found.base_values[0]
    assert total == pytest.approx(model.predict_proba(frame[:1])[0, 0])
    table = global_importance(explain_sum(found))
    assert set(table["feature"]) == set(frame.columns)
    with pytest.raises(ValueError, match="as of interactions; sum them"):
        global_importance(found)


def explain_sum(found):
    return explanation_of(found.values.sum(axis=2), feature_names=found.feature_names)


@pytest.mark.parametrize(
    ("error", "settings", "message"),
    [
        (NotImplementedError, {"order": 3}, "order must be 2, got 3"),
        (ValueError, {"index": "banzhaf"}, "index must be .*got 'banzhaf'"),
        (ValueError, {"rounds": 0}, "rounds must be .*got 0"),
        (ValueError, {"background": None}, "background must be .*got None"),
    ],
)
def test_a_bad_parameter_of_interactions_is_named(regression, error, settings, message):
    model, X = regression
    with pytest.raises(error, match=message):
        interactions(model, X[:1], **{"background": X[5:9]} | settings)


def test_permutation_importance_is_scikit_learns_with_names(regression, numbers):
    model, X = regression
    y = numbers[1]
    frame = pd.DataFrame(X, columns=list("abcde"))
    before = np.random.get_state()[1].copy()
    table = permutation_importance(model, frame, y, random_state=4)
    permutation_importance(model, frame, y)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    expected = inspection.permutation_importance(model, X, y, random_state=4)
    table = table.set_index("feature").loc[list("abcde")]
    np.testing.assert_array_equal(table["importance"], expected.importances_mean)
    np.testing.assert_array_equal(table["std"], expected.importances_std)


def test_permutation_importance_takes_several_scores(binary, numbers):
    model, X = binary
    y = np.where(numbers[1] > 0, "yes", "no")
    scores = ["roc_auc", "accuracy"]
    table = permutation_importance(model, X, y, scoring=scores, random_state=0)
    assert table["score"].tolist() == ["roc_auc"] * 5 + ["accuracy"] * 5
    expected = inspection.permutation_importance(
        model, X, y, scoring=scores, random_state=0
    )
    auc = table[table["score"] == "roc_auc"].set_index("feature")["importance"]
    found = auc.loc[[f"x{j}" for j in range(5)]]
    np.testing.assert_array_equal(found, expected["roc_auc"].importances_mean)


def test_permutation_importance_of_a_frame_of_all_types(mixed, mixed_frame):
    model, frame = mixed
    y = model.predict(frame)
    table = permutation_importance(
        model, frame, y, scoring="neg_log_loss", random_state=0
    )
    expected = inspection.permutation_importance(
        model, frame, y, scoring="neg_log_loss", random_state=0
    )
    table = table.set_index("feature").loc[list(frame.columns)]
    np.testing.assert_allclose(table["importance"], expected.importances_mean)


def test_permutation_importance_of_a_sparse_matrix(numbers):
    X, score = numbers
    model = LinearRegression().fit(sp.csr_matrix(X), score)
    sparse = permutation_importance(model, sp.csr_matrix(X), score, random_state=0)
    dense = permutation_importance(
        LinearRegression().fit(X, score), X, score, random_state=0
    )
    assert sparse["feature"].tolist() == dense["feature"].tolist()
    np.testing.assert_allclose(sparse["importance"], dense["importance"])


def test_partial_dependence_is_the_mean_over_rows(regression):
    model, X = regression
    table = partial_dependence(model, X, "x1", grid_resolution=7)
    assert table.columns.tolist() == ["x1", "value"]
    expected = inspection.partial_dependence(
        model, X, [1], grid_resolution=7, method="brute"
    )
    np.testing.assert_allclose(table["x1"], expected["grid_values"][0])
    np.testing.assert_allclose(table["value"], expected["average"][0])
    each = partial_dependence(model, X, 1, grid_resolution=7, kind="individual")
    for point, mean in zip(table["x1"], table["value"], strict=True):
        rows = X.copy()
        rows[:, 1] = point
        curve = each[each["x1"] == point].sort_values("row")["value"]
        np.testing.assert_allclose(curve, model.predict(rows))
        assert mean == pytest.approx(curve.mean())


def test_partial_dependence_of_a_pair_and_all_classes(multiclass):
    model, X = multiclass
    table = partial_dependence(model, X, ["x0", "x2"], grid_resolution=3)
    assert table.columns.tolist() == ["x0", "x2", "output", "value"]
    assert len(table) == 3 * 3 * 3
    for _, line in table.iterrows():
        rows = X.copy()
        rows[:, [0, 2]] = line["x0"], line["x2"]
        k = model.classes_.tolist().index(line["output"])
        assert line["value"] == pytest.approx(model.predict_proba(rows)[:, k].mean())


def test_partial_dependence_takes_a_columns_own_values(mixed):
    model, frame = mixed
    for name in frame.columns:
        settings = {"target": "buys", "grid_resolution": 20}
        table = partial_dependence(model, frame, name, **settings)
        if name not in ("age", "visits"):
            assert table[name].tolist() == sorted(
                frame[name].unique(), key=list(table[name]).index
            )
        point = table[name].iloc[1]
        rows = frame.copy()
        rows[name] = pd.Series([point] * len(rows)).astype(frame[name].dtype)
        mean = model.predict_proba(rows)[:, 0].mean()
        assert table["value"].iloc[1] == pytest.approx(mean)
    assert table["value"].notna().all()


def test_partial_dependence_of_integers_and_polars(numbers):
    pl = pytest.importorskip("polars")
    X = np.round(numbers[0] * 3).astype(int)
    model = LinearRegression().fit(X, numbers[1])
    table = partial_dependence(model, X, "x0")
    assert table["x0"].tolist() == np.unique(X[:, 0]).tolist()
    frame = pl.DataFrame(X, schema=list("abcde"))
    of_frame = partial_dependence(LinearRegression().fit(frame, numbers[1]), frame, "a")
    np.testing.assert_allclose(of_frame["value"], table["value"])


@pytest.mark.parametrize(
    ("features", "settings", "message"),
    [
        ("x9", {}, r"features must be one column or two of \['x0'.*got 'x9'"),
        ([0, 1, 2], {}, r"features must be .*got \[0, 1, 2\]"),
        ([0, 0], {}, "features must be"),
        (0, {"kind": "both"}, "kind must be .*got 'both'"),
        (0, {"target": "predicted"}, "'predicted' has no mean over rows"),
    ],
)
def test_a_bad_parameter_of_partial_dependence_is_named(
    multiclass, features, settings, message
):
    model, X = multiclass
    with pytest.raises(ValueError, match=message):
        partial_dependence(model, X, features, **settings)
