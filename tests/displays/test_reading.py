"""Networks are found behind wrappers; without matplotlib a sentence says what to do."""

import subprocess
import sys

import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn.displays import (
    GradientFlowDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    WeightsDisplay,
)
from sknn.displays._reading import fitted_network

DISPLAYS = [GradientFlowDisplay, LossCurveDisplay, NetworkDisplay, WeightsDisplay]


def test_network_is_found_in_a_search_of_a_pipeline(iris, schedule):
    model = make_pipeline(StandardScaler(), MLPClassifier((3,), **schedule))
    search = GridSearchCV(model, {"mlpclassifier__alpha": [0.1]}, cv=2).fit(*iris)
    assert fitted_network(search) is search.best_estimator_[-1]


def test_network_is_found_in_other_wrappers(iris, fitted, schedule):
    assert fitted_network(FrozenEstimator(fitted)) is fitted
    inner = MLPRegressor(hidden_layer_sizes=(3,), **schedule)
    model = TransformedTargetRegressor(inner).fit(*iris)
    assert fitted_network(model) is model.regressor_


def test_pipeline_in_a_pipeline(pipeline):
    assert fitted_network(make_pipeline("passthrough", pipeline)) is pipeline[-1]


@pytest.mark.parametrize("display", DISPLAYS)
def test_search_that_was_not_refitted_is_refused(display, iris, schedule):
    network = MLPClassifier((3,), **schedule)
    search = GridSearchCV(network, {"alpha": [0.1]}, cv=2, refit=False).fit(*iris)
    with pytest.raises(NotFittedError, match="refit=True"):
        display.from_estimator(search)


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize(
    "wrapper",
    [
        GridSearchCV(MLPClassifier(), {"alpha": [0.1]}),
        TransformedTargetRegressor(MLPRegressor()),
        make_pipeline(MLPClassifier()),
    ],
    ids=lambda wrapper: type(wrapper).__name__,
)
def test_wrappers_that_are_not_fitted_are_refused(display, wrapper):
    with pytest.raises(NotFittedError):
        display.from_estimator(wrapper)


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize("estimator", [None, 3, "net", object(), MLPClassifier, {}])
def test_what_is_no_estimator_is_refused(display, estimator):
    with pytest.raises(TypeError, match="estimator must be"):
        display.from_estimator(estimator)


@pytest.mark.parametrize("display", DISPLAYS)
def test_estimators_without_a_network_are_refused(display, iris):
    with pytest.raises(TypeError, match="sknn"):
        display.from_estimator(LinearRegression().fit(*iris))


@pytest.mark.parametrize("display", DISPLAYS)
def test_drawing_changes_nothing_about_the_estimator(display, fitted):
    before = {name: id(value) for name, value in vars(fitted).items()}
    values = fitted._network.values.copy()
    display.from_estimator(fitted)
    assert {name: id(value) for name, value in vars(fitted).items()} == before
    assert (fitted._network.values == values).all()


@pytest.mark.parametrize("display", DISPLAYS)
def test_missing_matplotlib_is_told_with_the_remedy(display, fitted, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "sknn\[plot\]"'):
        display.from_estimator(fitted)


def test_importing_displays_does_not_import_matplotlib():
    code = (
        "import sys, sknn; sknn.displays; import sknn.displays.network;"
        "sknn.MLPClassifier()._repr_html_(); print('matplotlib' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
    assert "displays" in sknn.__all__
