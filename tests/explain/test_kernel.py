"""KernelSHAP: exact with all coalitions, near with some, the same for any batch."""

import warnings

import numpy as np
import pytest
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import LinearRegression

from sknn import MLPClassifier, MLPRegressor
from sknn.explain import explain
from sknn.explain.kernel import _pairs_by_size, _sample
from sknn.explain.native.game import Game

pytest.importorskip("shap")

KERNEL = {"method": "kernel", "random_state": 0}


@pytest.fixture(scope="module")
def network():
    """A network of 10 columns that needs products of them."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(150, 10))
    y = X[:, 0] * X[:, 1] + X[:, 2] * X[:, 3] - X[:, 4] > 0
    model = MLPClassifier((12, 8), solver="lbfgs", max_iter=40, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged, on purpose
        return model.fit(X, y), X


def error(found, expected):
    return np.linalg.norm(found.values - expected) / np.linalg.norm(expected)


def test_all_coalitions_give_the_exact_values(multiclass, two_targets, mixed, network):
    for model, X in (multiclass, two_targets, mixed, network):
        rows, background = X[:3], X[50:62]
        found = explain(model, rows, background=background, **KERNEL)
        exact = explain(model, rows, background=background, method="exact")
        np.testing.assert_allclose(found.values, exact.values, atol=1e-8)
        np.testing.assert_allclose(found.base_values, exact.base_values)
        np.testing.assert_array_equal(found.error_std, 0)


def test_values_equal_those_of_shaps_kernel_explainer(network):
    model, X = network
    settings = {"background": X[50:62], "random_state": 0}
    found = explain(model, X[:2], method="kernel", **settings)
    theirs = explain(model, X[:2], method="shap:Kernel", **settings)
    np.testing.assert_allclose(found.values, theirs.values, atol=1e-8)


def test_samples_add_up_and_come_nearer_with_more_coalitions(network):
    model, X = network
    settings = {"background": X[50:70], **KERNEL}
    exact = explain(model, X[:20], background=X[50:70], method="exact").values
    few, more, most = (
        explain(model, X[:20], n_coalitions=n, **settings) for n in (40, 160, 640)
    )
    errors = [error(found, exact) for found in (few, more, most)]
    assert errors[0] > 1.5 * errors[1] > 2.25 * errors[2] > 0
    assert errors[2] < 0.03
    for found in (few, more, most):
        total = found.values.sum(axis=1) + found.base_values
        np.testing.assert_allclose(total, model.decision_function(X[:20]), atol=1e-10)


def test_standard_errors_cover_the_exact_values(network):
    model, X = network
    exact = explain(model, X[:30], background=X[50:70], method="exact").values
    covered = []
    for seed in range(6):
        settings = {"background": X[50:70], "method": "kernel", "random_state": seed}
        found = explain(model, X[:30], n_coalitions=200, **settings)
        covered.append(np.abs(found.values - exact) < 1.96 * found.error_std)
    assert 0.88 < np.mean(covered) < 0.995


def test_means_over_seeds_are_the_exact_values(network):
    model, X = network
    exact = explain(model, X[:1], background=X[50:60], method="exact").values
    settings = {"background": X[50:60], "method": "kernel", "n_coalitions": 60}
    draws = np.stack(
        [explain(model, X[:1], random_state=s, **settings).values for s in range(60)]
    )
    spread = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    gap = draws.mean(axis=0) - exact
    assert np.abs(gap).max() < 4 * spread.max()


def test_a_row_keeps_its_values_in_other_company_and_place(network):
    model, X = network
    X = X[:4].copy()
    X[1, 3:] = 0.25  # differs in other columns than its neighbours
    settings = {"background": np.full((3, 10), 0.25), "n_coalitions": 40, **KERNEL}
    together = explain(model, X, **settings).values
    for i in range(4):
        alone = explain(model, X[i : i + 1], **settings).values
        np.testing.assert_array_equal(alone[0], together[i])
    backwards = explain(model, X[::-1], **settings).values
    np.testing.assert_array_equal(backwards[::-1], together)


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(network):
    model, X = network
    first, again, other = (
        explain(
            model,
            X[:2],
            background=X[50:60],
            method="kernel",
            n_coalitions=40,
            random_state=seed,
        ).values
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_columns_equal_to_the_background_get_nothing(network):
    model, X = network
    background = np.tile(X[0], (3, 1))
    for columns in ([], [2], [2, 5], [0, 1, 2, 3]):
        row = X[:1].copy()
        row[:, columns] += 1.0
        found = explain(model, row, background=background, **KERNEL)
        assert np.flatnonzero(found.values[0]).tolist() == columns
        total = found.values.sum(axis=1) + found.base_values
        np.testing.assert_allclose(total, model.decision_function(row), atol=1e-12)


def test_linear_models_are_explained_exactly_by_any_sample(numbers):
    X, score = numbers
    model = LinearRegression().fit(X, score)
    found = explain(model, X[:4], background=X[30:50], n_coalitions=10, **KERNEL)
    expected = model.coef_ * (X[:4] - X[30:50].mean(axis=0))
    np.testing.assert_allclose(found.values, expected, atol=1e-12)


def test_sums_of_parts_and_rows_of_cells_are_the_same_game(network, monkeypatch):
    model, X = network
    settings = {"background": X[50:60], "n_coalitions": 60, **KERNEL}
    by_sums = explain(model, X[:2], **settings).values
    monkeypatch.setattr("sknn.explain.kernel._CELLS", 500)
    np.testing.assert_allclose(
        explain(model, X[:2], **settings).values, by_sums, atol=1e-12
    )
    monkeypatch.setattr(Game, "begins_with_kernel", False)
    np.testing.assert_allclose(
        explain(model, X[:2], **settings).values, by_sums, atol=1e-12
    )


def test_single_precision_is_near_to_double(network):
    model, X = network
    settings = {"background": X[50:60], **KERNEL}
    single, double = (
        explain(model, X[:2], dtype=dtype, **settings).values
        for dtype in ("float32", "float64")
    )
    np.testing.assert_allclose(single, double, atol=1e-4 * np.abs(double).max())


def test_groups_are_played_as_one(network):
    model, X = network
    groups = {"a": ["x0", "x1"], "b": ["x2", "x3", "x9"]}
    settings = {"background": X[50:60], "groups": groups}
    found = explain(model, X[:2], **settings, **KERNEL)
    exact = explain(model, X[:2], method="exact", **settings)
    np.testing.assert_allclose(found.values, exact.values, atol=1e-8)


def test_the_members_of_an_ensemble_are_averaged(numbers):
    X, score = numbers
    member = MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", max_iter=10)
    model = BaggingRegressor(member, n_estimators=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, score)
    found = explain(model, X[:3], background=X[50:60], **KERNEL)
    exact = explain(model, X[:3], background=X[50:60], method="exact")
    np.testing.assert_allclose(found.values, exact.values, atol=1e-8)


@pytest.mark.parametrize("n", [19, 0, 30.0, True])
def test_too_few_coalitions_are_refused(network, n):
    model, X = network
    with pytest.raises(ValueError, match=r"must be .* at least 20, two for"):
        explain(model, X[:1], background=X[50:60], n_coalitions=n, **KERNEL)


class Settings:
    seed, rounds = 0, 1


@pytest.mark.parametrize("p", range(2, 15))
def test_sampled_coalitions_are_pairs_without_repetition(p):
    for n in (2 * p, 4 * p, 200, 2**p):
        if n < 2 * p:
            continue
        sample = _sample(Settings, p, n)
        assert len(np.unique(sample.shown, axis=0)) == len(sample.shown)
        np.testing.assert_array_equal(sample.shown[::2], ~sample.shown[1::2])
        if n >= 2**p - 2:
            assert len(sample.shown) == 2**p - 2
            assert not sample.folds
        assert len(sample.shown) <= max(n + p, 2 * p)


@pytest.mark.parametrize("p", [2, 5, 8, 13])
def test_weights_by_size_are_those_of_the_shapley_kernel(p):
    for n in (4 * p, 2**p):
        sample = _sample(Settings, p, n)
        sizes = sample.shown.sum(axis=1)
        w = sample.weights()
        found = np.array([w[sizes == s].sum() for s in range(1, p)])
        expected = np.array([1 / (s * (p - s)) for s in range(1, p)])
        np.testing.assert_allclose(found / found.sum(), expected / expected.sum())


def test_small_sizes_are_completed_first():
    every = _pairs_by_size(30, 1054)
    assert every[0] == (30, True)
    assert [done for _, done in every] == sorted((d for _, d in every), reverse=True)
    assert sum(n for n, _ in every) <= 1054
