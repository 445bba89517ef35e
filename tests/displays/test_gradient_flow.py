"""What is drawn is what diagnostics recorded, layer by layer."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import LogNorm
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale

from sknn import MLPClassifier, PerceptronClassifier
from sknn.displays import GradientFlowDisplay


@pytest.fixture(scope="module")
def deep(iris, schedule):
    schedule = {**schedule, "max_iter": 3, "learning_rate_init": 0.003}
    clf = MLPClassifier(
        (8,) * 9, residual=True, normalization="layer", diagnostics=True, **schedule
    )
    return clf.fit(*iris)


def test_lines_are_the_norms_of_the_history(fitted):
    display = GradientFlowDisplay.from_estimator(fitted)
    drawn = np.transpose([line.get_ydata() for line in display.lines_])
    assert_array_equal(drawn, fitted.history_["gradient_norm"])
    assert_array_equal(display.lines_[0].get_xdata(), fitted.history_["epoch"])
    names = [line.get_label() for line in display.lines_]
    assert names == ["hidden 1", "hidden 2", "output"]
    assert display.ax_.get_yscale() == "log"
    assert display.ax_.get_ylabel() == "Norm of the gradient"
    assert display.im_ is display.colorbar_ is None


def test_many_layers_make_a_heat_map(deep):
    display = GradientFlowDisplay.from_estimator(deep)
    assert_array_equal(
        display.im_.get_array(), np.transpose(deep.history_["gradient_norm"])
    )
    assert isinstance(display.im_.norm, LogNorm)
    assert display.colorbar_.ax.get_ylabel() == "Norm of the gradient"
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == [*(f"hidden {i}" for i in range(1, 10)), "output"]
    assert not display.lines_


def test_kind_can_be_chosen(fitted, deep):
    assert GradientFlowDisplay.from_estimator(fitted, kind="heatmap").im_ is not None
    assert len(GradientFlowDisplay.from_estimator(deep, kind="lines").lines_) == 10


def test_dead_units(fitted):
    display = GradientFlowDisplay.from_estimator(fitted, metric="dead_units")
    drawn = np.transpose([line.get_ydata() for line in display.lines_])
    assert_array_equal(drawn, fitted.history_["dead_units"])
    assert [line.get_label() for line in display.lines_] == ["relu 1", "relu 2"]
    assert display.ax_.get_ylabel() == "Share of dead units"
    low, high = display.ax_.get_ylim()
    assert low <= 0 and high >= 1


def test_only_layers_with_such_units_are_drawn(iris, schedule):
    clf = MLPClassifier((4, 3), activation=("relu", "tanh"), diagnostics=True)
    clf.set_params(**schedule).fit(scale(iris[0]), iris[1])
    display = GradientFlowDisplay.from_estimator(clf, metric="saturated_units")
    assert [line.get_label() for line in display.lines_] == ["tanh 2"]


def test_networks_without_such_units_are_refused(fitted):
    with pytest.raises(ValueError, match="has no logistic or tanh units"):
        GradientFlowDisplay.from_estimator(fitted, metric="saturated_units")


@pytest.mark.parametrize("metric", ["gradient_norm", "dead_units"])
def test_without_diagnostics_the_error_says_what_to_do(pipeline, metric):
    with pytest.raises(ValueError, match=r"set_params\(diagnostics=True\)"):
        GradientFlowDisplay.from_estimator(pipeline, metric=metric)


def test_perceptron_has_none(iris):
    clf = PerceptronClassifier(tol=None, max_iter=2).fit(*iris)
    with pytest.raises(ValueError, match="PerceptronClassifier records no diagnostics"):
        GradientFlowDisplay.from_estimator(clf)


def test_epochs_before_diagnostics_are_left_out(iris):
    clf = MLPClassifier((3,), random_state=0)
    clf.partial_fit(*iris, classes=[0, 1, 2])
    clf.set_params(diagnostics=True).partial_fit(*iris)
    display = GradientFlowDisplay.from_estimator(clf)
    assert_array_equal(display.lines_[0].get_xdata(), [2])
    assert display.lines_[0].get_marker() == "o"
    clf.set_params(diagnostics=False).partial_fit(*iris)
    display = GradientFlowDisplay.from_estimator(clf)
    assert_array_equal(display.lines_[0].get_xdata(), [2])


def test_gradients_of_zero_are_grey_in_a_map_and_gaps_in_lines():
    values = [[1.0, 0.0], [0.5, 2.0]]
    display = GradientFlowDisplay(values, np.array([1, 2]), ["a", "b"])
    shown = display.plot(kind="heatmap").im_.get_array()
    assert_array_equal(shown.mask, [[False, False], [True, False]])
    assert_array_equal(display.plot().lines_[1].get_ydata(), [np.nan, 2.0])


def test_zeros_everywhere_can_be_drawn():
    display = GradientFlowDisplay(np.zeros((2, 2)), np.array([1, 2]), ["a", "b"])
    assert display.plot().ax_.get_yscale() == "linear"
    assert display.plot(kind="heatmap").im_.get_array().mask.all()


@pytest.mark.parametrize("name", ["metric", "kind"])
@pytest.mark.parametrize("value", ["x", None, 3, ["lines"]])
def test_words_must_be_known(fitted, name, value):
    with pytest.raises(ValueError, match=f"{name} must be one of"):
        GradientFlowDisplay.from_estimator(fitted, **{name: value})


def test_what_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        GradientFlowDisplay.from_estimator(MLPClassifier(diagnostics=True))


def test_plot_draws_on_given_axes(fitted):
    _, ax = plt.subplots()
    display = GradientFlowDisplay.from_estimator(fitted, ax=ax, linewidth=4)
    assert display.ax_ is ax
    assert display.lines_[0].get_linewidth() == 4


def test_lbfgs_counts_iterations(iris):
    clf = MLPClassifier((3,), solver="lbfgs", diagnostics=True, random_state=0)
    clf.set_params(max_iter=1000, alpha=1.0).fit(scale(iris[0]), iris[1])
    display = GradientFlowDisplay.from_estimator(clf)
    assert display.ax_.get_xlabel() == "Iteration"
