"""Averages of scores before the link, and predictions that are clipped."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("shap")

from sknn import TabularMLPClassifier, TabularMLPRegressor
from sknn.explain import explain
from sknn.explain.native import game

SMALL = {"hidden_layer_sizes": (8,), "max_iter": 4, "min_steps": 0, "random_state": 0}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": rng.normal(size=80),
            "kind": rng.choice(["a", "b", "c"], 80),
            "age": np.where(rng.random(80) < 0.2, np.nan, rng.integers(1, 9, 80)),
        }
    )


@pytest.fixture(scope="module", params=[2, 3])
def classifier(request, frame):
    y = np.arange(80) % request.param
    return TabularMLPClassifier(2, dtype="float64", **SMALL).fit(frame, y)


def explained(model, frame, method, **options):
    rows, background = frame.iloc[:4], frame.iloc[20:30]
    return explain(model, rows, background=background, method=method, **options)


@pytest.mark.parametrize("method", ["exact", "kernel"])
def test_probabilities_are_explained_from_within_as_from_without(
    classifier, frame, method, monkeypatch
):
    found = explained(classifier, frame, method, output="probability")

    def nothing(problem):
        raise game.NotNativeError("closed")

    monkeypatch.setattr(game, "find_game", nothing)
    expected = explained(classifier, frame, method, output="probability")
    np.testing.assert_allclose(found.values, expected.values, atol=1e-10)
    total = found.base_values + found.values.sum(axis=1)
    np.testing.assert_allclose(
        total, classifier.predict_proba(frame.iloc[:4]), atol=1e-10
    )


def test_scores_are_explained_by_every_method_of_a_network(classifier, frame):
    scores = classifier.decision_function(frame.iloc[:4])
    for method in ("deep", "permutation", "integrated_gradients"):
        found = explained(classifier, frame, method, output="margin")
        total = found.base_values + found.values.sum(axis=1)
        if method != "integrated_gradients":  # whose baseline is one mean row
            np.testing.assert_allclose(total, scores, atol=1e-8)


def test_deep_says_that_it_explains_scores(classifier, frame):
    with pytest.raises(ValueError, match=r"average of scores.*output='margin'"):
        explained(classifier, frame, "deep", output="probability")


def test_clipped_predictions_are_explained_as_they_are(frame):
    y = frame["size"].to_numpy() ** 3
    model = TabularMLPRegressor(2, dtype="float64", **SMALL).fit(frame, y)
    model._range = np.quantile(y, 0.4), np.quantile(y, 0.6)  # so that it shows
    predicted = model.predict(frame.iloc[:4])
    assert np.isin(predicted, model._range).any()
    found = explained(model, frame, "exact")
    total = found.base_values + found.values.sum(axis=1)
    np.testing.assert_allclose(total, predicted, atol=1e-10)
