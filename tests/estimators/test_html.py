"""Notebooks show the layers below scikit-learn's diagram, and never an error."""

import re

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPEstimator,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.layers import Activation, Dense, Layer, Residual

CLASSES = [
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPEstimator,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
]
SCHEDULE = {"learning_rate": "cosine", "max_iter": 2, "random_state": 0}
MARK = "class='sknn-layers'"


def rows(html):
    """The cells of the table below the diagram, row by row, as text."""
    table = html[html.index(MARK) :]
    return [
        [re.sub("<[^>]*>", "", cell) for cell in re.findall("<td.*?</td>", row)]
        for row in re.findall("<tr>.*?</tr>", table)[1:]
    ]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_estimator_shows_layers_and_scikit_learns_diagram(cls):
    html = cls()._repr_html_()
    assert html.index("sk-top-container") < html.index(MARK)
    bundle = cls()._repr_mimebundle_()
    assert MARK in bundle["text/html"]
    assert bundle["text/plain"] == repr(cls())


def test_before_a_fit_what_depends_on_the_data_is_open():
    assert rows(MLPClassifier((10, 5))._repr_html_()) == [
        ["Input", "?", "", ""],
        ["Dense", "10", "relu", "?"],
        ["Dense", "5", "relu", "55"],
        ["Dense", "?", "", "?"],
        ["Total", "", "", "?"],
    ]


def test_after_a_fit_everything_is_told():
    clf = MLPClassifier((10, 5), **SCHEDULE).fit(*load_iris(return_X_y=True))
    assert rows(clf._repr_html_()) == [
        ["Input", "4", "", ""],
        ["Dense", "10", "relu", "50"],
        ["Dense", "5", "relu", "55"],
        ["Dense", "3", "softmax", "18"],
        ["Total", "", "", "123"],
    ]


def test_blocks_have_their_layers_and_a_projection_of_their_own():
    layers = [Dense(5), Residual([Dense(7), Activation("tanh")])]
    clf = MLPClassifier(layers=layers, **SCHEDULE).fit(*load_iris(return_X_y=True))
    assert rows(clf._repr_html_())[1:] == [
        ["Dense", "5", "", "25"],
        ["Residual", "7", "", "35"],
        ["Dense", "7", "tanh", "42"],
        ["Dense", "3", "softmax", "24"],
        ["Total", "", "", "126"],
    ]


def test_equal_layers_are_told_once():
    clf = MLPClassifier((8,) * 30, residual=True, normalization="layer", dropout=0.1)
    found = rows(
        clf.set_params(**SCHEDULE).fit(*load_iris(return_X_y=True))._repr_html_()
    )
    assert found[2:6] == [
        ["29 × Residual", "8", "", "0"],
        ["LayerNorm", "8", "relu", "29 × 16"],
        ["Dropout 0.1", "8", "", "0"],
        ["Dense", "8", "", "29 × 72"],
    ]
    total = clf._network.n_parameters
    assert found[-1][-1] == f"{total:,}"


def test_long_tables_have_a_gap():
    html = MLPClassifier(tuple(range(1, 101)))._repr_html_()
    found = rows(html)
    assert ["… 78 more", "", "", ""] in found
    assert len(found) == 26
    assert len(html) - html.index("<style>.sknn-layers") < 5_000


def test_ensembles_say_how_many_networks():
    assert "Each of 8 networks" in MLPEnsembleClassifier()._repr_html_()
    assert "Architecture" in MLPClassifier()._repr_html_()


BAD = [object(), "x<script>", np.arange(3), -1, float("nan"), [], {}, int, None, [[1]]]


@pytest.mark.parametrize("cls", CLASSES)
def test_bad_parameters_never_raise(cls):
    for name in cls().get_params(deep=False):
        for value in BAD:
            estimator = cls(**{name: value})
            html = estimator._html_below()
            assert MARK in html or html == ""
            assert "<script>" not in html


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (MLPClassifier, "hidden_layer_sizes"),
        (MLPRegressor, "loss"),
        (MLPEstimator, "task"),
        (MLPTransformer, "estimator"),
        (MLPEnsembleClassifier, "estimator"),
    ],
)
def test_with_bad_parameters_scikit_learns_diagram_is_left(cls, name):
    for value in ("x<script>", np.arange(3), -1):
        html = cls(**{name: value})._repr_html_()
        assert "sk-top-container" in html and "<script>x" not in html


def test_names_of_layers_are_escaped():
    class Odd(Layer):
        def build(self, n_in):
            return (), n_in

    Odd.__name__ = "<b>&"
    html = MLPClassifier(layers=[Dense(3), Odd()])._html_below()
    assert "&lt;b&gt;&amp;" in html and "<b>" not in html


def test_pipelines_keep_scikit_learns_diagram():
    html = make_pipeline(StandardScaler(), MLPClassifier())._repr_html_()
    assert MARK not in html


def test_display_as_text_shows_no_html():
    with config_context(display="text"):
        assert not hasattr(MLPClassifier(), "_repr_html_")
        assert set(MLPClassifier()._repr_mimebundle_()) == {"text/plain"}
