"""Metrics against plain loops and closed forms; a worse explanation scores worse."""

import itertools
import math
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import pearsonr, spearmanr
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from sknn.explain import (
    additivity_error,
    agreement,
    compare,
    deletion_auc,
    explain,
    infidelity,
    insertion_auc,
    sensitivity_max,
    stability,
)

shap = pytest.importorskip("shap")

FAITHFULNESS = [infidelity, deletion_auc, insertion_auc]


def explanation_of(values, base=0.0, **parts):
    values = np.asarray(values, dtype=float)
    base = np.broadcast_to(base, (len(values), *values.shape[2:])).copy()
    return shap.Explanation(values=values, base_values=base, **parts)


def shuffled(explanation, seed=0):
    """The same attributions at other columns, row by row."""
    rng = np.random.default_rng(seed)
    worse = explanation[:]
    worse.values = rng.permuted(explanation.values, axis=1)
    return worse


@pytest.fixture(scope="module")
def linear():
    """A linear model with known Shapley values, its rows and its background."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 4))
    model = LinearRegression().fit(X, X @ [3.0, -2.0, 1.0, 0.5])
    rows, background = X[:5], X[10:20]
    exact = (rows - background.mean(axis=0)) * model.coef_
    base = model.predict(background).mean()
    return model, rows, background, explanation_of(exact, base)


@pytest.fixture(scope="module")
def explained(regression):
    model, X = regression
    made = explain(model, X[:6], background=X[20:30], rounds=2, random_state=0)
    return model, X[:6], X[20:30], made


def test_additivity_error_is_what_is_missing(linear):
    model, X, _, exact = linear
    assert additivity_error(model, X, exact).max() < 1e-12
    off = exact[:]
    off.values = exact.values + [[0.5, 0, 0, -0.25]]
    np.testing.assert_allclose(additivity_error(model, X, off), 0.25)
    share = 0.25 / np.abs(model.predict(X) - exact.base_values).max()
    np.testing.assert_allclose(additivity_error(model, X, off, relative=True), share)


def test_exact_shapley_values_of_a_linear_model_have_no_infidelity(linear):
    model, X, background, exact = linear
    assert infidelity(model, X, exact, background=background).max() < 1e-20
    nothing = explanation_of(np.zeros(X.shape))
    share = infidelity(model, X, nothing, background=background, relative=True)
    assert share.mean() == pytest.approx(1.0)


def test_infidelity_of_a_product_is_what_no_attribution_can_say():
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    model = make_pipeline(PolynomialFeatures(2), LinearRegression())
    model.fit(np.tile(corners, (2, 1)) + 0.0, np.tile([0.0, 0, 0, 1], 2))
    halves = explanation_of([[0.5, 0.5]])
    # half of the sets are single columns: each takes 1 away and has 1/2
    found = infidelity(model, [[1.0, 1.0]], halves, background=[[0.0, 0.0]])
    np.testing.assert_allclose(found, 0.5 * 0.25)


def test_infidelity_is_that_of_a_loop_over_all_sets(explained):
    model, X, background, made = explained
    found = infidelity(model, X, made, background=background)
    d = X.shape[1]
    for i, row in enumerate(X):
        total = 0.0
        for size in range(1, d + 1):
            for hidden in itertools.combinations(range(d), size):
                mixed = np.tile(row, (len(background), 1))
                mixed[:, hidden] = background[:, hidden]
                change = model.predict([row])[0] - model.predict(mixed).mean()
                miss = made.values[i, list(hidden)].sum() - change
                total += miss**2 / math.comb(d, size) / d
        assert found[i] == pytest.approx(total)


def test_sampled_infidelity_comes_near_to_that_of_all_sets(explained):
    model, X, background, made = explained
    settings = {"background": background, "random_state": 0}
    worse = shuffled(made)
    every = infidelity(model, X, worse, **settings)
    runs = [
        infidelity(model, X, worse, n_subsets=30, **settings | {"random_state": seed})
        for seed in range(60)
    ]
    error = np.std(runs, axis=0) / np.sqrt(60)
    assert (np.abs(np.mean(runs, axis=0) - every) < 4 * error).all()


def plain_area(model, row, background, order, is_insertion):
    curve = []
    for k in range(len(order) + 1):
        shown = order[:k] if is_insertion else order[k:]
        mixed = background.copy()
        mixed[:, shown] = row[shown]
        curve.append(model.predict(mixed).mean())
    return np.mean([np.mean(pair) for pair in itertools.pairwise(curve)])


@pytest.mark.parametrize("metric", [deletion_auc, insertion_auc])
def test_areas_are_those_of_a_loop_over_columns(explained, metric):
    model, X, background, made = explained
    base = model.predict(background).mean()
    distance = model.predict(X) - base
    expected = []
    for i, row in enumerate(X):
        sign = -1 if distance[i] < 0 else 1
        order = np.argsort(-sign * made.values[i])
        area = plain_area(model, row, background, order, metric is insertion_auc)
        expected.append(sign * (area - base) / np.abs(distance).mean())
    found = metric(model, X, made, background=background)
    np.testing.assert_allclose(found, expected)


def test_areas_of_a_linear_model_are_closed_forms(linear):
    model = linear[0]
    x = np.array([[1.0, 0.0, 1.0, 1.0]]) * np.sign(model.coef_)
    parts = x * model.coef_  # 3, 0, 1, 0.5
    zero = np.zeros((1, 4))
    made = explanation_of(parts)
    # left after 0 to 4 columns: 4.5, 1.5, 0.5, 0, 0
    deleted = deletion_auc(model, x, made, background=zero)
    np.testing.assert_allclose(deleted, (4.5 / 2 + 1.5 + 0.5) / 4 / 4.5)
    inserted = insertion_auc(model, x, made, background=zero)
    np.testing.assert_allclose(inserted, 1 - deleted)


def test_columns_in_random_order_have_an_area_of_one_half(linear):
    model, X, background, exact = linear
    settings = {"background": background}
    areas = [
        deletion_auc(model, X, shuffled(exact, seed), **settings).mean()
        for seed in range(200)
    ]
    error = np.std(areas) / np.sqrt(200)
    assert abs(np.mean(areas) - 0.5) < 4 * error


def test_shuffled_attributions_score_worse(explained):
    model, X, background, made = explained
    settings = {"background": background}
    for seed in range(5):
        worse = shuffled(made, seed)
        for metric, sign in zip(FAITHFULNESS, [1, 1, -1], strict=True):
            good, bad = (metric(model, X, e, **settings).mean() for e in (made, worse))
            assert sign * good < sign * bad


def test_no_order_deletes_faster_than_that_of_a_linear_models_shapley_values(linear):
    model, X, background, exact = linear
    best = deletion_auc(model, X, exact, background=background)
    for seed in range(20):
        other = deletion_auc(model, X, shuffled(exact, seed), background=background)
        assert (best <= other + 1e-12).all()


def test_a_constant_model_has_no_errors():
    X = np.eye(3)
    model = LinearRegression().fit(X, np.ones(3))
    model.coef_[:] = 0.0
    nothing = explanation_of(np.zeros((3, 3)), base=model.intercept_)
    for metric in FAITHFULNESS:
        assert (metric(model, X, nothing, background=X) == 0).all()
    assert (additivity_error(model, X, nothing, relative=True) == 0).all()


def test_sensitivity_of_a_linear_model_is_that_of_its_coefficients(linear):
    model, X, background, exact = linear

    def shapley(rows, seed):
        return explanation_of((rows - background.mean(axis=0)) * model.coef_)

    settings = {"background": background, "explainer": shapley, "random_state": 0}
    found = sensitivity_max(model, X, exact, relative=False, **settings)
    largest = np.linalg.norm(0.02 * background.std(axis=0) * model.coef_)
    assert ((found > 0.3 * largest) & (found <= largest)).all()
    share = sensitivity_max(model, X, exact, **settings)
    np.testing.assert_allclose(share, found / np.linalg.norm(exact.values, axis=1))
    one = sensitivity_max(model, X, exact, columns=["x0"], relative=False, **settings)
    assert (one <= 0.02 * background[:, 0].std() * abs(model.coef_[0])).all()
    alone = sensitivity_max(model, X[3:], exact[3:], **settings)
    np.testing.assert_array_equal(alone, share[3:])


def test_a_jumpy_explainer_is_more_sensitive_and_less_stable(explained):
    model, X, background, made = explained

    def jumpy(rows, seed):
        rng = np.random.default_rng(seed)
        return explanation_of(rng.normal(size=rows.shape))

    def calls(explainer):
        settings = {"background": background, "random_state": 0} | explainer
        moved = sensitivity_max(model, X, made, **settings)
        return moved.mean(), stability(model, X, **settings)

    steady_move, steady = calls({"rounds": 2})
    jumpy_move, jumps = calls({"explainer": jumpy})
    assert steady_move < 0.2 < jumpy_move
    assert steady.rank_correlation.mean() > 0.8 > jumps.rank_correlation.mean()
    assert steady.relative_change.mean() < 0.3 < jumps.relative_change.mean()


def test_stability_is_the_mean_over_pairs_of_seeds(explained):
    model, X, background, _ = explained
    made = []

    def noisy(rows, seed):
        rng = np.random.default_rng(seed)
        made.append(rng.normal(size=rows.shape))
        return explanation_of(made[-1])

    settings = {"background": background, "explainer": noisy, "n_seeds": 3}
    found = stability(model, X, random_state=0, **settings)
    pairs = list(itertools.combinations(made, 2))
    for i in range(len(X)):
        ranks = [spearmanr(np.abs(a[i]), np.abs(b[i])).statistic for a, b in pairs]
        change = [np.linalg.norm(a[i] - b[i]) for a, b in pairs]
        norm = np.linalg.norm(np.mean(made, axis=0)[i])
        assert found.rank_correlation[i] == pytest.approx(np.mean(ranks))
        assert found.relative_change[i] == pytest.approx(np.mean(change) / norm)


def test_agreement_counts_columns_signs_and_ranks():
    first = explanation_of([[4.0, -3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
    second = explanation_of([[3.0, 4.0, 0.1, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
    found = agreement(first, second, k=3)
    np.testing.assert_allclose(found.top_k, [2 / 3, 1])
    np.testing.assert_allclose(found.sign, [1 / 3, 1])
    a, b = first.values[0], second.values[0]
    ranks = spearmanr(np.abs(a), np.abs(b)).statistic
    np.testing.assert_allclose(found.rank_correlation, [ranks, 1])
    np.testing.assert_allclose(found.correlation, [pearsonr(a, b).statistic, 1])
    assert agreement(first, second).top_k.tolist() == [1, 1]


def test_agreement_with_equal_values_throughout_is_all_or_nothing():
    flat, slope = explanation_of([[1.0, 1.0]]), explanation_of([[1.0, 2.0]])
    assert agreement(flat, flat).correlation == 1
    assert agreement(flat, slope).correlation == 0


def test_compare_puts_the_faithful_explanation_first(explained):
    pytest.importorskip("pandas")
    model, X, background, made = explained
    both = {"shuffled": shuffled(made), "walks": made}
    table = compare(both, model, X, background=background, random_state=0)
    assert table.index.tolist() == ["walks", "shuffled"]
    assert table.index.name == "method"
    assert {"infidelity", "deletion_auc", "insertion_auc"} <= set(
        table.loc["walks", "best_at"].split(", ")
    )
    assert table.loc["walks", "compute_time"] == made.compute_time
    both_add_up = table["best_at"].str.contains("additivity_error")
    assert both_add_up.all()
    expected = infidelity(model, X, made, background=background, relative=True).mean()
    assert table.loc["walks", "infidelity"] == pytest.approx(expected)


def test_compare_explains_again_the_methods_that_it_can(multiclass):
    pytest.importorskip("pandas")
    model, X = multiclass
    made = explain(
        model, X[:2], background=X[9:15], target=["top", "low"], random_state=0
    )
    settings = {"background": X[9:15], "random_state": 0}
    explainers = {"walks": {"method": "permutation"}}
    methods = {"walks": made, "copy": made}
    table = compare(methods, model, X[:2], explainers=explainers, **settings)
    again = compare(methods, model, X[:2], explainers=explainers, **settings)
    assert table.equals(again)
    assert 0.5 < table.loc["walks", "seed_rank_correlation"] <= 1
    assert np.isnan(table.loc["copy", "seed_change"])
    assert (table["agreement"] == 1).all()


def test_a_missing_pandas_is_named_with_its_remedy(explained, monkeypatch):
    model, X, background, made = explained
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"needs pandas: pip install"):
        compare({"walks": made}, model, X, background=background)


def every_metric(model, X, background, made, **settings):
    """Each metric's result by its name."""
    asked = {"background": background} | settings
    seeded = asked | {"random_state": 0}
    return {
        "additivity": additivity_error(model, X, made, **settings),
        "infidelity": infidelity(model, X, made, n_subsets=5, **seeded),
        "deletion": deletion_auc(model, X, made, **asked),
        "insertion": insertion_auc(model, X, made, **asked),
        "sensitivity": sensitivity_max(model, X, made, n_samples=2, **seeded),
        "ranks": stability(model, X, n_seeds=2, **seeded).rank_correlation,
    }


def assert_every_metric(model, X, background, shape, **settings):
    made = explain(model, X, background=background, random_state=0, **settings)
    found = every_metric(model, X, background, made, **settings)
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(
        found, shape
    )
    assert all(np.isfinite(values).all() for values in found.values())
    assert found["additivity"].max() < 1e-10
    return made, found


@pytest.mark.parametrize(
    ("name", "settings", "shape"),
    [
        ("binary", {}, (2, 2)),
        ("binary", {"target": "no"}, (2,)),
        ("multiclass", {"output": "probability"}, (2, 3)),
        ("multiclass", {"target": "predicted"}, (2,)),
        ("multiclass", {"target": ["top", "low"]}, (2, 2)),
        ("two_targets", {}, (2, 2)),
        ("two_targets", {"target": 1}, (2,)),
    ],
)
def test_every_sort_of_output_is_measured(name, settings, shape, request):
    model, X = request.getfixturevalue(name)
    assert_every_metric(model, X[:2], X[10:16], shape, **settings)


def test_outputs_are_read_from_the_explanation(multiclass):
    model, X = multiclass
    rows, background = X[:3], X[10:16]
    made = explain(model, rows, background=background, random_state=0)
    for metric in FAITHFULNESS:
        every = metric(model, rows, made, background=background)
        one = metric(model, rows, made[:, :, "mid"], background=background)
        np.testing.assert_allclose(one, every[:, 1] if every.ndim == 2 else every)
    chosen = explain(
        model, rows, background=background, target="predicted", random_state=0
    )
    assert additivity_error(model, rows, chosen).max() < 1e-10


def test_an_explanation_by_shap_itself_is_measured(linear):
    model, X, background, exact = linear
    other = shap.LinearExplainer(model, background)(X)
    assert other.feature_names[0] == "Feature 0"
    assert additivity_error(model, X, other).max() < 1e-12
    np.testing.assert_allclose(other.values, exact.values)
    assert infidelity(model, X, other, background=background).max() < 1e-20


def test_both_signs_of_a_margin_are_measured(numbers):
    from sklearn.linear_model import LogisticRegression

    X, score = numbers
    model = LogisticRegression().fit(X, np.where(score > 0, "yes", "no"))
    for target in (None, "yes", "no"):
        made, found = assert_every_metric(model, X[:2], X[9:15], (2,), target=target)
        assert additivity_error(model, X[:2], made).max() < 1e-10
        assert found["infidelity"].max() < 1e-20


def test_a_pipeline_on_a_frame_of_all_types_is_measured(mixed):
    model, frame = mixed
    _, found = assert_every_metric(model, frame[:2], frame[20:26], (2,), target="buys")
    assert found["sensitivity"].max() < 1


def test_a_polars_frame_is_measured(mixed_frame):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {"age": np.arange(20.0), "visits": [1, None] * 10, "member": [True, False] * 10}
    )
    from sklearn.impute import SimpleImputer

    target = np.arange(20.0) * ([1, 2] * 10)
    model = make_pipeline(SimpleImputer(), PolynomialFeatures(2), LinearRegression())
    model.fit(frame, target)
    assert_every_metric(model, frame[:2], frame[5:9], (2,))


def test_a_sparse_matrix_is_measured_and_keeps_its_zeros(numbers):
    X, score = numbers
    X = np.where(np.abs(X) < 0.5, 0, X)
    model = LinearRegression().fit(sp.csr_matrix(X), score)
    seen = []

    def explainer(rows, seed):
        seen.append(rows)
        return explanation_of(rows.toarray())

    rows, background = sp.csr_matrix(X[:3]), sp.csr_matrix(X[10:20])
    made, _ = assert_every_metric(model, rows, background, (3,))
    settings = {"background": background, "explainer": explainer, "n_samples": 1}
    sensitivity_max(model, rows, made, random_state=0, **settings)
    assert (seen[0].toarray() == 0).tolist() == (X[:3] == 0).tolist()


@pytest.mark.parametrize("method", ["lime", "permutation"])
def test_the_same_seed_gives_the_same_bits_and_no_global_draws(binary, method):
    model, X = binary
    if method == "lime":
        pytest.importorskip("lime")
    made = explain(model, X[:2], background=X[9:20], method=method, random_state=0)
    before = np.random.get_state()[1].copy()
    settings = {"background": X[9:20], "method": method, "random_state": 3}
    first, second = (
        (
            infidelity(
                model, X[:2], made, background=X[9:20], n_subsets=9, random_state=3
            ),
            sensitivity_max(model, X[:2], made, n_samples=2, **settings),
            *stability(model, X[:2], n_seeds=2, **settings),
        )
        for _ in range(2)
    )
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize(
    ("metric", "settings", "message"),
    [
        (infidelity, {"background": None}, "background must be .*got None"),
        (infidelity, {"n_subsets": 0}, "n_subsets must be .* at least 1, got 0"),
        (sensitivity_max, {"radius": 0}, "radius must be above 0, got 0"),
        (sensitivity_max, {"columns": ["size"]}, r"columns must be .*\['size'\]"),
        (sensitivity_max, {"n_samples": True}, "n_samples must be an int.*got True"),
        (deletion_auc, {"target": "maybe"}, "target must be one of .*'maybe'"),
        (deletion_auc, {"output": "logit"}, "output must be .*'logit'"),
    ],
)
def test_a_bad_parameter_is_named_with_its_value(explained, metric, settings, message):
    model, X, background, made = explained
    with pytest.raises(ValueError, match=message):
        metric(model, X, made, **{"background": background} | settings)


def test_a_bad_number_of_seeds_or_explainer_is_named(explained):
    model, X, background, made = explained
    settings = {"background": background}
    with pytest.raises(ValueError, match=r"n_seeds must be .* at least 2, got 1"):
        stability(model, X, n_seeds=1, **settings)
    with pytest.raises(TypeError, match=r"no options beside it.*\['method'\]"):
        stability(model, X, explainer=print, method="lime", **settings)
    with pytest.raises(ValueError, match="explainer must return values for 6 rows"):
        stability(model, X, explainer=lambda X, seed: made[:2], **settings)


def test_an_explanation_of_something_else_is_refused(explained, multiclass):
    model, X, background, made = explained
    with pytest.raises(ValueError, match=r"of other rows than X: .* from row 1 on"):
        additivity_error(model, X[[0, 2, 1, 3, 4, 5]], made)
    with pytest.raises(ValueError, match=r"for each of 5 rows.*got shape"):
        additivity_error(model, X[:5], made)
    with pytest.raises(ValueError, match=r"has the columns \['a', .*X \['v'"):
        pd = pytest.importorskip("pandas")
        other = explanation_of(made.values, feature_names=list("abcde"))
        additivity_error(model, pd.DataFrame(X, columns=list("vwxyz")), other)
    with pytest.raises(ValueError, match="must have base_values"):
        additivity_error(model, X, shap.Explanation(values=made.values))
    with pytest.raises(ValueError, match="must have finite values"):
        infidelity(
            model, X, explanation_of(made.values * np.nan), background=background
        )
    with pytest.raises(ValueError, match=r"outputs \['top'\], which are not among"):
        other = explanation_of(made.values, output_names="top")
        infidelity(model, X, other, background=background)
    with pytest.raises(ValueError, match="k must be an integer from 1 to 5"):
        agreement(made, made, k=6)
    with pytest.raises(ValueError, match="must explain the same rows"):
        agreement(made, made[:2])
    with pytest.raises(ValueError, match=r"explainers must have names.*\['b'\]"):
        compare({"a": made}, model, X, background=background, explainers={"b": {}})
    with pytest.raises(ValueError, match="explanations must map names"):
        compare({}, model, X, background=background)
