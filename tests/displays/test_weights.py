"""The kernel that is drawn is the one that the network multiplies with."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
)
from sknn.displays import WeightsDisplay
from sknn.layers import Activation, Dense, Residual


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.fixture(scope="module")
def digits(schedule):
    X, y = load_digits(return_X_y=True)
    schedule = {**schedule, "max_iter": 2}
    return MLPClassifier((6,), **schedule).fit(X[:200] / 16, y[:200])


def test_heat_map_shows_the_kernel(fitted, frame):
    display = WeightsDisplay.from_estimator(fitted)
    assert_array_equal(display.im_.get_array(), fitted.coefs_[0])
    assert ticks(display.ax_.yaxis) == list(frame[0].columns)
    assert display.ax_.get_xlabel() == "Unit"
    assert display.ax_.get_ylabel() == "Input"
    assert display.colorbar_.ax.get_ylabel() == "Weight"
    assert display.ax_.get_title() == "MLPClassifier: weights of layer 0"


def test_colours_are_symmetric_about_zero(fitted):
    display = WeightsDisplay.from_estimator(fitted, layer=1)
    largest = np.abs(fitted.coefs_[1]).max()
    assert display.im_.get_clim() == (-largest, largest)


def test_a_kernel_of_zeros_has_a_scale(iris):
    clf = PerceptronClassifier(tol=None, max_iter=1).fit(*iris)
    clf.coef_ = np.zeros_like(clf.coef_)
    assert WeightsDisplay.from_estimator(clf).im_.get_clim() == (-1.0, 1.0)


@pytest.mark.parametrize("layer", [0, 1, 2, -1, -3])
def test_layers_are_counted_as_in_coefs(fitted, layer):
    display = WeightsDisplay.from_estimator(fitted, layer=layer)
    assert_array_equal(display.im_.get_array(), fitted.coefs_[layer])


def test_output_layer_names_classes(frame, schedule):
    X, y = frame
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    clf = MLPClassifier((4,), **schedule).fit(X, labels)
    display = WeightsDisplay.from_estimator(clf, layer=-1)
    assert ticks(display.ax_.xaxis) == ["setosa", "versicolor", "virginica"]
    assert display.ax_.get_title().endswith("weights of the output layer")


def test_layers_in_blocks_are_found(iris, schedule):
    layers = [Dense(5), Residual([Activation("relu"), Dense(5)])]
    clf = MLPClassifier(layers=layers, **schedule).fit(*iris)
    display = WeightsDisplay.from_estimator(clf, layer=1)
    assert_array_equal(display.im_.get_array(), clf.coefs_[1])


def test_monotonic_kernel_is_the_one_behind_the_signs(iris, schedule):
    X, y = iris
    reg = MLPRegressor(hidden_layer_sizes=(5,), monotonic_cst=[1, 1, 1, 1], **schedule)
    display = WeightsDisplay.from_estimator(reg.fit(X, y.astype(float)), layer=-1)
    assert display.im_.get_array().min() >= 0


def test_pipeline_names_come_from_the_steps(pipeline, frame):
    display = WeightsDisplay.from_estimator(pipeline)
    assert ticks(display.ax_.yaxis) == list(frame[0].columns)


def test_names_can_be_given(fitted):
    display = WeightsDisplay.from_estimator(fitted, feature_names=list("abcd"))
    assert ticks(display.ax_.yaxis) == list("abcd")


def test_long_names_keep_both_ends(fitted):
    names = [f"a name that goes on and on and never ends {i}" for i in range(4)]
    display = WeightsDisplay.from_estimator(fitted, feature_names=names)
    assert [label[-1] for label in ticks(display.ax_.yaxis)] == list("0123")
    assert max(map(len, ticks(display.ax_.yaxis))) == 24


def test_many_inputs_are_numbered(digits):
    display = WeightsDisplay.from_estimator(digits, feature_names=["x"] * 64)
    assert "x" not in ticks(display.ax_.yaxis)


def test_perceptron_autoencoder_and_transformer(iris, schedule):
    clf = PerceptronClassifier(tol=None, max_iter=3).fit(*iris)
    display = WeightsDisplay.from_estimator(clf)
    assert_array_equal(display.im_.get_array(), clf.coef_.T)
    clf.sparsify()
    again = WeightsDisplay.from_estimator(clf)
    assert_array_equal(again.im_.get_array(), display.im_.get_array())
    auto = MLPAutoencoder(2, (), **schedule).fit(iris[0])
    display = WeightsDisplay.from_estimator(auto, layer=1)
    assert_array_equal(display.im_.get_array(), auto.coefs_[1])
    features = MLPTransformer(MLPClassifier((4,), **schedule)).fit(*iris)
    display = WeightsDisplay.from_estimator(features)
    assert_array_equal(display.im_.get_array(), features.estimator_.coefs_[0])


def test_images_are_the_kernel_on_one_scale(digits):
    display = WeightsDisplay.from_estimator(digits, shape=(8, 8))
    tiled, kernel = display.im_.get_array(), digits.coefs_[0]
    assert tiled.shape == (2 * (8 + 1), 3 * (8 + 1) - 1)
    for k in range(6):
        top, left = (k // 3) * 9 + 1, (k % 3) * 9
        assert_array_equal(
            tiled[top : top + 8, left : left + 8], kernel[:, k].reshape(8, 8)
        )
    assert tiled.mask.sum() == tiled.size - kernel.size
    assert display.im_.get_clim() == (-np.abs(kernel).max(), np.abs(kernel).max())


def test_images_of_classes_are_named(schedule):
    X, y = load_digits(return_X_y=True)
    clf = PerceptronClassifier(tol=None, max_iter=2).fit(X, y)
    display = WeightsDisplay.from_estimator(clf, shape=(8, 8))
    assert [text.get_text() for text in display.text_] == [str(k) for k in range(10)]


def test_of_many_images_the_first_are_drawn(digits):
    display = WeightsDisplay.from_estimator(digits, shape=(8, 8), max_units=2)
    assert display.im_.get_array().count() == 2 * 64
    assert display.ax_.get_title().endswith("first 2 of 6 units")


def test_images_need_not_be_square(digits):
    display = WeightsDisplay.from_estimator(digits, shape=(4, 16))
    assert display.im_.get_array().count() == 6 * 64


@pytest.mark.parametrize(
    "shape", [(8,), (8, 9), (8, 8, 1), 64, "88", (-8, -8), (8.0, 8.0), ("a", "b"), ()]
)
def test_shape_must_fit_the_inputs(digits, shape):
    with pytest.raises(ValueError, match="shape must be height and width with a prod"):
        WeightsDisplay.from_estimator(digits, shape=shape)


@pytest.mark.parametrize("layer", [3, -4, 0.0, "0", None, True])
def test_layer_must_exist(fitted, layer):
    with pytest.raises(ValueError, match=r"layer must be an int in \[-3, 3\)"):
        WeightsDisplay.from_estimator(fitted, layer=layer)


@pytest.mark.parametrize("max_units", [0, -1, 2.5, None])
def test_max_units_must_be_a_count(digits, max_units):
    with pytest.raises(ValueError, match="max_units must be an int of at least 1"):
        WeightsDisplay.from_estimator(digits, shape=(8, 8), max_units=max_units)


@pytest.mark.parametrize("names", [["a"], []])
def test_there_must_be_a_name_for_each_input(fitted, names):
    with pytest.raises(ValueError, match="feature_names must have 4 names"):
        WeightsDisplay.from_estimator(fitted, feature_names=names)


@pytest.mark.parametrize("names", ["abcd", 4])
def test_names_must_be_a_list(fitted, names):
    with pytest.raises(TypeError, match="feature_names must be a list of 4 names"):
        WeightsDisplay.from_estimator(fitted, feature_names=names)


def test_ensemble_is_refused_with_the_way_out(iris, schedule):
    base = MLPClassifier((3,), **schedule)
    ensemble = MLPEnsembleClassifier(base, 2, random_state=0).fit(*iris)
    with pytest.raises(TypeError, match=r"has 2 networks: .*estimators_\[0\]"):
        WeightsDisplay.from_estimator(ensemble)
    assert WeightsDisplay.from_estimator(ensemble.estimators_[0]).im_ is not None


def test_what_is_no_fitted_network_is_refused(iris):
    with pytest.raises(NotFittedError):
        WeightsDisplay.from_estimator(MLPClassifier())
    with pytest.raises(TypeError, match="must be a network of sknn"):
        WeightsDisplay.from_estimator(LinearRegression().fit(*iris))


def test_style_and_axes_are_passed_on(fitted):
    _, ax = plt.subplots()
    display = WeightsDisplay.from_estimator(fitted, ax=ax, cmap="PuOr", vmin=-9, vmax=9)
    assert display.ax_ is ax
    assert display.im_.get_cmap().name == "PuOr"
    assert display.im_.get_clim() == (-9, 9)


def test_names_are_no_formulas(frame, schedule):
    X, y = frame
    clf = MLPClassifier((3,), **schedule).fit(X, np.array(["$x_{", "b", "c"])[y])
    for layer in (0, 1):
        names = ["$\\frac", *"abc"][: len(clf.coefs_[layer])]
        display = WeightsDisplay.from_estimator(clf, layer=layer, feature_names=names)
        display.figure_.draw_without_rendering()
    assert ticks(display.ax_.xaxis)[0] == "$x_{"
