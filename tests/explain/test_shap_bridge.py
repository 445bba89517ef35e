"""shap's explainers on every column type, with seeds, shapes and names put right."""

import logging

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from sknn.explain import _masking, explain
from sknn.explain._masking import NOOP, PointerModel, TableMasker
from sknn.explain.shapley import SHAP_METHODS, shap_method

shap = pytest.importorskip("shap")

SEED = {"random_state": 0}
FOR_ALL = ["shap:Exact", "shap:Permutation", "shap:Kernel", "shap:Partition"]
DRAWN = ["shap:Permutation", "shap:Kernel", "shap:Sampling", "shap:Partition"]
FEW = {"shap:Kernel": {"nsamples": 20}, "shap:Sampling": {"nsamples": 100}}


@pytest.fixture(scope="module")
def wide():
    """A regression on 18 columns, of which the last 12 rows use 8 only."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 18))
    X[28:, 8:] = 0.5
    return LinearRegression().fit(X, X[:, 0] - X[:, 1]), X


def total(explanation):
    axes = tuple(range(1, explanation.values.ndim - explanation.base_values.ndim + 1))
    return explanation.values.sum(axis=axes) + explanation.base_values


@pytest.mark.parametrize("method", FOR_ALL)
def test_values_add_up_on_columns_of_every_type(mixed, method):
    model, frame = mixed
    X, background = frame[:2], frame[50:60]
    explanation = explain(model, X, background=background, method=method, **SEED)
    assert np.abs(total(explanation) - model.predict_proba(X)).max() < 1e-9
    assert explanation.shape == (2, 6, 2)
    assert explanation.base_values.shape == (2, 2)
    assert explanation.feature_names == list(frame.columns)
    assert explanation.output_names == ["buys", "leaves"]
    assert explanation.display_data[:, 3].tolist() == frame["colour"][:2].tolist()


@pytest.mark.parametrize("method", ["shap:Exact", "shap:Kernel"])
def test_values_are_those_of_all_coalitions(mixed, multiclass, method):
    for model, X in (mixed, multiclass):
        few, background = X[:2], X[50:60]
        expected = explain(model, few, background=background, method="exact")
        found = explain(model, few, background=background, method=method, **SEED)
        np.testing.assert_allclose(found.values, expected.values, atol=1e-9)
        np.testing.assert_allclose(found.base_values, expected.base_values)


@pytest.mark.parametrize("method", ["shap:Permutation", "shap:Sampling"])
def test_samples_come_near_to_the_values_of_all_coalitions(multiclass, method):
    model, X = multiclass
    settings = {"background": X[30:50], "rounds": 4}
    found = explain(model, X[:2], method=method, **settings, **SEED)
    expected = explain(model, X[:2], background=X[30:50], method="exact").values
    assert np.abs(found.values - expected).max() < 0.1 * np.abs(expected).max()
    assert np.abs(total(found) - model.predict_proba(X[:2])).max() < 1e-6


@pytest.mark.parametrize("method", DRAWN)
def test_a_row_keeps_its_values_in_other_company_and_on_repeated_calls(
    multiclass, method
):
    model, X = multiclass
    settings = {"background": X[30:40], "method": method, **FEW.get(method, {}), **SEED}
    together = explain(model, X[:3], **settings).values
    np.testing.assert_array_equal(explain(model, X[:3], **settings).values, together)
    alone = explain(model, X[2:3], **settings).values
    np.testing.assert_array_equal(alone[0], together[2])


@pytest.mark.parametrize("method", ["shap:Permutation", "shap:Kernel", "shap:Sampling"])
def test_another_seed_gives_other_values(multiclass, method):
    model, X = multiclass
    settings = {"background": X[30:40], "method": method, **FEW.get(method, {})}
    one, other = (
        explain(model, X[:1], random_state=seed, **settings).values for seed in (0, 1)
    )
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("method", SHAP_METHODS)
def test_nothing_is_printed_logged_or_drawn_from_the_global_generator(
    numbers, method, capfd, caplog
):
    X, score = numbers
    model = LinearRegression().fit(X, score)
    background = np.concatenate([X, X + 1])
    before, level = repr(np.random.get_state()), logging.getLogger("shap").level
    explanation = explain(
        model, X[:1], background=background, method=method, **FEW.get(method, {})
    )
    assert repr(np.random.get_state()) == before
    assert logging.getLogger("shap").level == level
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    # of all 160 rows, where shap's own masker keeps 100
    np.testing.assert_allclose(
        explanation.base_values, model.predict(background).mean()
    )
    assert np.abs(total(explanation) - model.predict(X[:1])).max() < 1e-5


@pytest.mark.parametrize("method", SHAP_METHODS)
def test_one_output_has_no_axis(numbers, two_targets, method):
    X, score = numbers
    model = LinearRegression().fit(X, np.column_stack([score, X[:, 4]]))
    settings = {"background": X[30:40], "method": method, **FEW.get(method, {}), **SEED}
    both = explain(model, X[:2], **settings)
    one = explain(model, X[:2], target=1, **settings)
    assert both.shape == (2, 5, 2)
    assert both.output_names == ["Output 0", "Output 1"]
    assert one.shape == (2, 5)
    assert one.base_values.shape == (2,)
    assert one.output_names == "Output 1"


@pytest.mark.parametrize("method", SHAP_METHODS)
def test_numbers_that_hardly_differ_are_told_apart(numbers, method):
    X, _ = numbers
    tiny = X * 1e-9
    model = LinearRegression().fit(X, X[:, 0] * 1e9)
    settings = {"background": tiny[30:40], "method": method, **FEW.get(method, {})}
    explanation = explain(model, tiny[:2], **settings, **SEED)
    assert np.abs(total(explanation) - model.predict(tiny[:2])).max() < 1e-5
    assert (np.abs(explanation.values[:, 0]) > 1e-2).all()


def test_linear_models_get_the_values_of_the_native_method(numbers, mixed):
    X, score = numbers
    for y in (score, np.column_stack([score, X[:, 4]])):
        model = LinearRegression().fit(X, y)
        values = [
            explain(model, X[:3], background=X[30:50], method=method).values
            for method in ("linear", "shap:Linear")
        ]
        np.testing.assert_allclose(*values, atol=1e-12)
    model, frame = mixed
    with pytest.raises(ValueError, match=r"without hidden layers|mixes columns"):
        explain(
            model,
            frame[:1],
            background=frame[50:60],
            method="shap:Linear",
            output="probability",
        )


def test_interactions_are_a_table_for_each_output_that_adds_up(multiclass):
    model, X = multiclass
    settings = {"background": X[30:40], "method": "shap:Exact", "interactions": True}
    explanation = explain(model, X[:2], **settings)
    assert explanation.shape == (2, 5, 5, 3)
    assert np.abs(total(explanation) - model.predict_proba(X[:2])).max() < 1e-12
    np.testing.assert_allclose(explanation.values, explanation.values.swapaxes(1, 2))
    alone = X[30:40].copy()
    alone[:, 3] = X[0, 3]
    main = model.predict_proba(alone).mean(0) - explanation.base_values[0]
    np.testing.assert_allclose(explanation.values[0, 3, 3], main, atol=1e-12)
    one = explain(model, X[:2], target="predicted", **settings)
    place = np.searchsorted(model.classes_, model.predict(X[:2]))
    np.testing.assert_array_equal(one.values, explanation.values[range(2), :, :, place])


def test_exact_takes_16_columns_that_differ_and_names_the_row_with_more(wide):
    model, X = wide
    background = X[28:30]
    explanation = explain(model, X[30:31], background=background, method="shap:Exact")
    assert np.abs(total(explanation) - model.predict(X[30:31])).max() < 1e-10
    assert (explanation.values[0, 8:] == 0).all()
    with pytest.raises(
        ValueError, match=r"up to 16 .* row 1 of X has 18: .* 524,288 predictions"
    ):
        explain(model, X[[30, 0]], background=background, method="shap:Exact")


def test_a_permutation_budget_below_one_walk_is_refused(multiclass):
    model, X = multiclass
    settings = {"background": X[30:40], "method": "shap:Permutation", **SEED}
    with pytest.raises(ValueError, match=r"max_evals must .* at least 11, .* got 10"):
        explain(model, X[:1], max_evals=10, **settings)
    assert explain(model, X[:1], max_evals=11, **settings).error_std is None
    assert (explain(model, X[:1], max_evals=22, **settings).error_std > 0).any()


BAD = {
    "few kernel": ("shap:Kernel", {"nsamples": 9}, "at least 10, which 5 columns"),
    "few draws": ("shap:Sampling", {"nsamples": 9}, "at least 10, which 5 columns"),
    "no integer": ("shap:Kernel", {"nsamples": 20.0}, "must be an integer"),
    "few splits": ("shap:Partition", {"max_evals": 3}, "at least 4"),
    "a choice": ("shap:Kernel", {"l1_reg": "auto"}, "l1_reg must be False"),
    "true": ("shap:Kernel", {"l1_reg": True}, "l1_reg must be False"),
    "no tree": ("shap:Partition", {"clustering": np.ones((3, 4))}, r"of shape \(4, 4"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_option_is_named(multiclass, name):
    model, X = multiclass
    method, options, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        explain(model, X[:1], background=X[30:40], method=method, **options)


def test_sampling_refuses_one_output_without_spread(numbers):
    X, score = numbers
    model = LinearRegression().fit(X, np.column_stack([score, np.zeros(len(X))]))
    with pytest.raises(ValueError, match="row 0 of X has an output without any"):
        explain(model, X[:1], background=X[30:40], method="shap:Sampling")


def test_kernel_chooses_columns_only_where_it_is_asked_to(numbers):
    X, score = numbers
    model = LinearRegression().fit(X, score)
    settings = {"background": X[30:40], "method": "shap:Kernel", **SEED}
    every = explain(model, X[:1], **settings).values
    two = explain(model, X[:1], l1_reg="num_features(2)", **settings).values
    assert (every != 0).all()
    assert (two != 0).sum() <= 3


def orders(tree, node):
    """List the orders of the columns below a node that keep its branches together."""
    d = len(tree) + 1
    if node < d:
        return [[node]]
    left, right = (orders(tree, int(branch)) for branch in tree[node - d, :2])
    return [x + y for a, b in ((left, right), (right, left)) for x in a for y in b]


def test_partition_gives_the_owen_values_of_its_tree(multiclass):
    model, X = multiclass
    tree = np.array([[0, 1, 1, 2], [2, 3, 1, 2], [5, 6, 2, 4], [4, 7, 3, 5.0]])
    found = explain(
        model, X[:2], background=X[30:40], method="shap:Partition", clustering=tree
    )
    every, expected = orders(tree, 8), np.zeros((5, 3))
    for order in every:
        rows = X[30:40].copy()
        for j in order:
            before = model.predict_proba(rows).mean(axis=0)
            rows[:, j] = X[0, j]
            gain = model.predict_proba(rows).mean(axis=0) - before
            expected[j] += gain / len(every)
    np.testing.assert_allclose(found.values[0], expected, atol=1e-12)
    np.testing.assert_array_equal(found.clustering, np.tile(tree, (2, 1, 1)))
    np.testing.assert_array_equal(found[0].clustering, tree)


def test_partition_builds_a_tree_in_spite_of_constant_and_missing_cells():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 5))
    X[:, 1] = X[:, 0] + 0.01 * X[:, 1]
    X[:, 2], X[3, 3] = 7.0, np.nan
    tree = _masking.column_tree(X, "correlation")
    assert tree.shape == (4, 4)
    assert tree[0, :2].tolist() == [0, 1]
    assert np.isfinite(tree).all()


def test_partition_refuses_a_single_column():
    X = np.arange(9.0)[:, None]
    model = LinearRegression().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="at least 2 columns"):
        explain(model, X[:1], background=X, method="shap:Partition")


@pytest.mark.parametrize("method", FOR_ALL)
def test_groups_are_played_as_one(multiclass, method):
    model, X = multiclass
    tree = {"clustering": np.array([[0, 1, 1, 2], [2, 3, 2, 3.0]])}
    options = tree if method == "shap:Partition" else {}
    settings = {
        "background": X[30:40],
        "groups": {"a": ["x0", "x3"], "b": ["x1", "x4"]},
    }
    found = explain(model, X[:2], method=method, **settings, **options, **SEED)
    assert sorted(found.feature_names) == ["a", "b", "x2"]
    assert np.abs(total(found) - model.predict_proba(X[:2])).max() < 1e-9
    if method in ("shap:Exact", "shap:Kernel"):
        expected = explain(model, X[:2], method="exact", **settings)
        np.testing.assert_allclose(found.values, expected.values, atol=1e-9)


def test_shap_methods_of_foreign_networks_name_ours():
    with pytest.raises(ValueError, match="Use method='deep'"):
        shap_method("shap:Deep")
    with pytest.raises(ValueError, match="Use method='expected_gradients'"):
        shap_method("shap:Gradient")
    with pytest.raises(ValueError, match=r"one of .*'shap:Exact'.* got 'shap:Tree"):
        shap_method("shap:Tree")


@pytest.mark.parametrize("method", ["shap:Exact", "shap:Permutation"])
def test_large_requests_go_to_the_model_in_parts_with_the_same_result(
    multiclass, monkeypatch, method
):
    model, X = multiclass
    settings = {"background": X[30:40], "method": method, **SEED}
    at_once = explain(model, X[:1], **settings)
    monkeypatch.setattr(_masking, "CELLS", 150)
    in_parts = explain(model, X[:1], **settings)
    np.testing.assert_allclose(in_parts.values, at_once.values, atol=1e-12)


def test_a_series_of_flips_equals_its_masks_one_by_one():
    rng = np.random.default_rng(0)
    background, row = rng.integers(0, 2, (4, 3)).astype(float), np.array([1.0, 0, 1])
    background[0, 1] = row[1] = np.nan
    masker = TableMasker(background, np.arange(3))
    (rows,), changed = masker(np.array([NOOP, 2, 0, 1, 2, -2, 2]), row)
    shown = [set(), {2}, {0, 2}, {0, 1, 2}, {0, 1}, {0, 2}]
    for step, columns in enumerate(shown):
        mask = np.isin(range(3), list(columns))
        np.testing.assert_array_equal(rows.reshape(6, 4, 3)[step], *masker(mask, row))
    differs = ~masker.invariants(row)
    assert differs[0].tolist() == [background[0, 0] != 1, False, background[0, 2] != 1]
    np.testing.assert_array_equal(changed[1], differs[:, 2])
    np.testing.assert_array_equal(changed[5], differs[:, 1] | differs[:, 2])
    assert changed[0].all()


def test_a_masker_shows_and_hides_the_columns_of_a_player_together():
    background, row = np.zeros((2, 3)), np.array([1.0, 2.0, 0.0])
    masker = TableMasker(background, np.array([0, 1, 0]))
    assert masker.shape == (2, 2)
    assert masker.n_varying(row) == 2
    (rows,) = masker(np.array([True, False]), row)
    np.testing.assert_array_equal(rows, [[1, 0, 0], [1, 0, 0]])


def test_pointers_stand_for_cells_and_for_equal_ones_alike():
    rows = np.array([[1.0, np.nan, 3.0], [4.0, np.nan, 3.0], [1.0, 5.0, 6.0]])
    model = PointerModel(lambda codes: codes, rows, np.arange(3))
    np.testing.assert_array_equal(model.background(), [[1, 0, 0], [0, 2, 2]])
    np.testing.assert_array_equal(model(model.background()), rows[1:])
    np.testing.assert_array_equal(model(np.array([[0, 2, 1.0]])), [[1, 5, 3]])
