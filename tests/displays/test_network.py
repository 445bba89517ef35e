"""Pictures of networks: units, links, arcs and the table below are true."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.svm import SVC

from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEstimator,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
)
from sknn.displays import NetworkDisplay
from sknn.layers import Activation, Dense, Dropout, LayerNorm, Residual


def words(display):
    return [text.get_text() for text in display.text_]


def names(display):
    return [column.name for column in display.columns]


def units(display):
    return [column.n_units for column in display.columns]


def test_columns_are_the_layers(fitted, frame):
    display = NetworkDisplay.from_estimator(fitted)
    assert names(display) == ["Input", "Hidden 1", "Hidden 2", "Output"]
    assert units(display) == [4, 6, 5, 3]
    assert [len(part.get_offsets()) for part in display.units_] == [4, 6, 5, 3]
    assert [column.n_parameters for column in display.columns] == [None, 30, 35, 18]
    assert display.columns[1].steps == ("Dense", "relu")
    assert display.columns[3].steps == ("Dense", "softmax")
    assert display.ax_.get_title() == "MLPClassifier: 83 parameters"
    for name in (*frame[0].columns, "relu", "softmax", "30", "units", "parameters"):
        assert name in words(display)


def test_links_have_the_sign_and_size_of_weights(fitted):
    display = NetworkDisplay.from_estimator(fitted)
    links, kernel = display.links_[0], fitted.coefs_[0]
    assert len(links.get_segments()) == kernel.size
    widths = np.array(links.get_linewidths())
    assert_allclose(
        (widths - 0.15) / 2.2, np.abs(kernel).ravel() / np.abs(kernel).max()
    )
    positive, negative = to_rgba("#D55E00")[:3], to_rgba("#0072B2")[:3]
    for colour, weight in zip(links.get_colors(), kernel.ravel(), strict=True):
        assert tuple(colour[:3]) == (positive if weight > 0 else negative)


def test_links_lead_from_unit_to_unit(fitted):
    display = NetworkDisplay.from_estimator(fitted)
    before, behind = (part.get_offsets() for part in display.units_[:2])
    segments = np.array(display.links_[0].get_segments()).reshape(4, 6, 2, 2)
    for i in range(4):
        for j in range(6):
            assert_allclose(segments[i, j], [before[i], behind[j]])


def test_of_large_layers_both_ends_are_drawn(iris, schedule):
    clf = MLPClassifier((30,), **schedule).fit(*iris)
    display = NetworkDisplay.from_estimator(clf, max_units=5)
    assert len(display.units_[1].get_offsets()) == 4
    assert "⋮" in words(display)
    drawn = clf.coefs_[0][:, [0, 1, 28, 29]]
    widths = np.array(display.links_[0].get_linewidths())
    largest = np.abs(clf.coefs_[0]).max()
    assert_allclose((widths - 0.15) / 2.2, np.abs(drawn).ravel() / largest, atol=1e-12)


def test_units_are_spaced_evenly_around_the_gap(iris, schedule):
    clf = MLPClassifier((30,), **schedule).fit(*iris)
    display = NetworkDisplay.from_estimator(clf, max_units=5)
    heights = display.units_[1].get_offsets()[:, 1]
    assert heights.tolist() == [2.0, 1.0, -1.0, -2.0]


def test_residual_blocks_are_arcs(iris, schedule):
    layers = [
        Dense(5),
        Residual([LayerNorm(), Activation("relu"), Dense(7), Dense(5)]),
        Dropout(0.2),
        Residual([Dense(4)]),
    ]
    clf = MLPClassifier(layers=layers, **schedule).fit(*iris)
    display = NetworkDisplay.from_estimator(clf)
    assert [(arc.start, arc.stop) for arc in display.arcs] == [(1, 3), (3, 4)]
    assert [arc.is_projected for arc in display.arcs] == [False, True]
    assert len(display.arcs_) == 2
    assert display.columns[2].steps == ("layer norm", "relu", "Dense")
    assert display.columns[3].steps == ("Dense", "dropout 0.2")
    counts = [column.n_parameters for column in display.columns[1:]]
    assert counts == [25, 10 + 42, 40, 24 + 20, 15]
    assert sum(counts) == clf._network.n_parameters


def test_blocks_within_blocks_are_arcs_too(iris, schedule):
    inner = Residual([Dense(5)])
    clf = MLPClassifier(layers=[Dense(5), Residual([Dense(5), inner])], **schedule)
    display = NetworkDisplay.from_estimator(clf.fit(*iris))
    arcs = [(arc.start, arc.stop) for arc in display.arcs]
    assert sorted(arcs) == [(1, 3), (2, 3)]


def test_a_block_without_kernels_is_a_step(iris, schedule):
    block = Residual([Activation("tanh")])
    clf = MLPClassifier(layers=[Dense(5), block], **schedule).fit(*iris)
    display = NetworkDisplay.from_estimator(clf)
    assert display.columns[1].steps == ("Dense", "+ tanh")
    assert not display.arcs


def test_deep_networks_have_a_gap(iris, schedule):
    clf = MLPClassifier((8,) * 12, residual=True, normalization="batch", **schedule)
    display = NetworkDisplay.from_estimator(clf.fit(*iris), max_layers=7)
    gap = display.columns[3]
    assert len(display.columns) == 7
    assert (gap.name, gap.n_layers, gap.n_units) == ("8 more", 8, 8)
    assert gap.steps == ("batch norm", "relu", "Dense")
    counts = [column.n_parameters or 0 for column in display.columns]
    total = clf._network.n_parameters - clf._network.n_buffers
    assert sum(counts) == total
    assert display.ax_.get_title() == f"MLPClassifier: {total:,} parameters"
    assert (3, 4) in [(arc.start, arc.stop) for arc in display.arcs]
    # Weights behind the gap belong to units that are not shown.
    assert display.columns[4].kernel is None


def test_encoders_are_squares_linked_with_their_columns(schedule):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "size": rng.normal(size=60),
            "colour": rng.choice(list("abc"), 60),
            "shop": pd.Categorical(rng.integers(0, 10, 60)),
        }
    )
    clf = MLPClassifier(
        (4,), categorical_features="from_dtype", numeric_embedding="pbld", **schedule
    ).fit(X, X["size"] > 0)
    display = NetworkDisplay.from_estimator(clf, max_units=20)
    encoding = display.columns[1]
    assert encoding.is_encoder and encoding.name == "encoding"
    assert encoding.steps == ("PBLD", "Embedding")
    width = clf._network.layers[0].build(3)[1]
    assert encoding.n_units == width
    assert len(display.links_[0].get_segments()) == width
    circle, square = (display.units_[i].get_paths()[0] for i in (0, 1))
    assert len(square.vertices) < len(circle.vertices)
    assert "shop" in words(display)


def test_several_outputs(iris, schedule):
    X, _ = iris
    reg = MLPRegressor(hidden_layer_sizes=(3,), **schedule).fit(X, X[:, :3])
    display = NetworkDisplay.from_estimator(reg)
    assert units(display) == [4, 3, 3]
    assert display.columns[-1].steps == ("Dense",)


def test_labels_name_the_outputs(frame, schedule):
    X, y = frame
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    clf = MLPClassifier((3,), **schedule).fit(X, labels)
    assert "versicolor" in words(NetworkDisplay.from_estimator(clf))


def test_perceptron_pipeline_and_transformer(iris, pipeline, schedule):
    clf = PerceptronClassifier(tol=None, max_iter=2).fit(*iris)
    assert units(NetworkDisplay.from_estimator(clf)) == [4, 3]
    assert units(NetworkDisplay.from_estimator(pipeline)) == [4, 6, 3]
    features = MLPTransformer(MLPClassifier((5,), **schedule)).fit(*iris)
    assert units(NetworkDisplay.from_estimator(features)) == [4, 5, 3]


def test_of_ensembles_one_network_is_drawn(frame, schedule):
    base = MLPClassifier((5,), **schedule)
    ensemble = MLPEnsembleClassifier(base, 3, random_state=0).fit(*frame)
    display = NetworkDisplay.from_estimator(ensemble)
    title = "MLPEnsembleClassifier: 43 parameters in each of 3 networks"
    assert display.ax_.get_title() == title
    assert "petal width (cm)" in words(display)
    clf = TabularMLPClassifier(2, min_steps=0, max_iter=2, random_state=0)
    display = NetworkDisplay.from_estimator(clf.fit(*frame))
    assert "scale" in display.columns[1].steps


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (MLPClassifier((7, 5)), [784, 7, 5, 10]),
        (MLPRegressor(hidden_layer_sizes=()), [784, 10]),
        (MLPEstimator((6,)), [784, 6, 10]),
        (MLPAutoencoder(2, (9,)), [784, 9, 2, 9, 784]),
        (PerceptronClassifier(), [784, 10]),
        (MLPEnsembleClassifier(), [784, 100, 10]),
        (MLPTransformer(), [784, 100, 10]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_before_a_fit_sizes_can_be_given(estimator, expected):
    display = NetworkDisplay.from_estimator(estimator, n_features=784, n_outputs=10)
    assert units(display) == expected
    assert all(column.kernel is None for column in display.columns)
    assert len(set(map(tuple, display.links_[0].get_colors()))) == 1


@pytest.mark.parametrize(
    ("estimator", "sizes"),
    [
        (MLPClassifier(), {}),
        (MLPClassifier(), {"n_features": 3}),
        (MLPClassifier(), {"n_outputs": 3}),
        (PerceptronClassifier(), {}),
        (
            MLPClassifier(categorical_features=[0]),
            {"n_features": 3, "n_outputs": 1},
        ),
    ],
)
def test_before_a_fit_without_sizes_is_refused(estimator, sizes):
    with pytest.raises(NotFittedError, match="call fit, or pass n_features and n_out"):
        NetworkDisplay.from_estimator(estimator, **sizes)


@pytest.mark.parametrize("name", ["max_units", "max_layers"])
@pytest.mark.parametrize("value", [2, 0, None, "8", 4.5, True])
def test_counts_must_be_3_or_more(fitted, name, value):
    with pytest.raises(ValueError, match=f"{name} must be an int of at least 3"):
        NetworkDisplay.from_estimator(fitted, **{name: value})


@pytest.mark.parametrize("name", ["n_features", "n_outputs"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "3"])
def test_sizes_must_be_counts(name, value):
    sizes = {"n_features": 3, "n_outputs": 3, name: value}
    with pytest.raises(ValueError, match=f"{name} must be an int of at least 1"):
        NetworkDisplay.from_estimator(MLPClassifier(), **sizes)


def test_bad_parameters_are_told_as_by_fit():
    clf = MLPClassifier(hidden_layer_sizes=(-1,))
    with pytest.raises(ValueError, match="hidden_layer_sizes must be > 0"):
        NetworkDisplay.from_estimator(clf, n_features=3, n_outputs=1)


def test_other_estimators_and_axes_are_refused(fitted, iris):
    with pytest.raises(TypeError, match="must be a network of sknn"):
        NetworkDisplay.from_estimator(SVC().fit(*iris))
    with pytest.raises(TypeError, match="ax must be one matplotlib Axes"):
        NetworkDisplay.from_estimator(fitted, ax="axes")
    with pytest.raises(ValueError, match="feature_names must have 4 names"):
        NetworkDisplay.from_estimator(fitted, feature_names=["a"])


def test_text_does_not_overlap(fitted):
    display = NetworkDisplay.from_estimator(fitted)
    display.figure_.draw_without_rendering()
    boxes = [text.get_window_extent() for text in display.text_ if text.get_text()]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


@pytest.mark.parametrize("size", [(2, 1.5), (3, 8), (12, 2)])
def test_any_axes_will_do(fitted, size):
    _, ax = plt.subplots(figsize=size)
    display = NetworkDisplay.from_estimator(fitted, ax=ax)
    assert display.ax_ is ax
    assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()


def test_narrow_axes_have_no_table(fitted):
    _, ax = plt.subplots(figsize=(2, 3))
    display = NetworkDisplay.from_estimator(fitted, ax=ax)
    assert "relu" not in words(display) and "units" not in words(display)


def test_names_are_no_formulas(frame, schedule):
    X, y = frame
    clf = MLPClassifier((3,), **schedule).fit(X, np.array(["$x_{", "b", "c"])[y])
    display = NetworkDisplay.from_estimator(clf, feature_names=["$\\frac", *"abc"])
    display.figure_.draw_without_rendering()
    assert "$x_{" in words(display)
