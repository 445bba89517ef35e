"""scikit-learn's DecisionBoundaryDisplay takes our estimators as they are."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPEnsembleClassifier, PerceptronClassifier


@pytest.fixture(params=["network", "perceptron", "pipeline", "ensemble"])
def model(request, iris, schedule):
    X, y = iris
    network = MLPClassifier((5,), **schedule)
    models = {
        "network": network,
        "perceptron": PerceptronClassifier(tol=None, max_iter=3),
        "pipeline": make_pipeline(StandardScaler(), network),
        "ensemble": MLPEnsembleClassifier(network, 2, random_state=0),
    }
    return models[request.param].fit(X[:, :2], y)


def test_boundaries_are_those_of_predict(model, iris):
    display = DecisionBoundaryDisplay.from_estimator(
        model, iris[0][:, :2], response_method="predict", grid_resolution=12
    )
    grid = np.column_stack([display.xx0.ravel(), display.xx1.ravel()])
    assert_array_equal(display.response.ravel(), model.predict(grid))
