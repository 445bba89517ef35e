"""Curves hold what estimators recorded, and say which is which."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_regression
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as ScikitMLP
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
)
from sknn.displays import LossCurveDisplay
from sknn.displays._curves import Curve


def legend(display):
    return [text.get_text() for text in display.legend_.get_texts()]


def test_curves_are_those_of_the_history(fitted):
    display = LossCurveDisplay.from_estimator(fitted)
    (training,), (validation,) = display.lines_, display.validation_lines_
    assert_array_equal(training.get_xdata(), np.arange(1, fitted.n_iter_ + 1))
    assert_array_equal(training.get_ydata(), fitted.loss_curve_)
    assert_array_equal(validation.get_ydata(), fitted.history_["validation_loss"])
    assert training.get_linestyle() == "-"
    assert validation.get_linestyle() == "--"
    assert display.ax_.get_xlabel() == "Epoch"
    assert display.ax_.get_ylabel() == "Loss"
    assert display.figure_ is display.ax_.figure
    best = f"best epoch ({fitted.best_iter_})"
    assert legend(display) == ["training", "validation", best]


def test_best_epoch_is_marked_on_the_validation_curve(fitted):
    (mark,) = LossCurveDisplay.from_estimator(fitted).best_markers_
    best = fitted.best_iter_
    assert mark.get_xdata() == [best]
    assert mark.get_ydata() == [fitted.history_["validation_loss"][best - 1]]


def test_without_validation_there_is_one_line(pipeline):
    display = LossCurveDisplay.from_estimator(pipeline)
    assert legend(display) == ["training"]
    assert not display.validation_lines_ and not display.best_markers_
    assert_array_equal(display.lines_[0].get_ydata(), pipeline[-1].loss_curve_)


def test_score_is_another_metric(fitted):
    display = LossCurveDisplay.from_estimator(fitted, metric="score")
    (line,) = display.validation_lines_
    assert not display.lines_
    assert_array_equal(line.get_ydata(), fitted.validation_scores_)
    assert display.ax_.get_ylabel() == "Score"
    assert display.best_markers_[0].get_ydata() == [fitted.best_validation_score_]


@pytest.mark.parametrize(
    ("metric", "label"), [("learning_rate", "Learning rate"), ("time", "Seconds")]
)
def test_any_column_with_a_number_an_epoch_can_be_drawn(fitted, metric, label):
    display = LossCurveDisplay.from_estimator(fitted, metric=metric)
    assert_array_equal(display.lines_[0].get_ydata(), fitted.history_[metric])
    assert display.ax_.get_ylabel() == label


@pytest.mark.parametrize("metric", ["accuracy", "gradient_norm", None, 3])
def test_unknown_metric_is_refused_with_those_that_there_are(fitted, metric):
    with pytest.raises(ValueError, match=r"not recorded the metric .*'learning_rate'"):
        LossCurveDisplay.from_estimator(fitted, metric=metric)


def test_mistakes_of_a_perceptron(iris):
    clf = PerceptronClassifier(tol=None, max_iter=5).fit(*iris)
    display = LossCurveDisplay.from_estimator(clf)
    assert_array_equal(display.lines_[0].get_ydata(), clf.mistakes_curve_)
    assert display.ax_.get_ylabel() == "Mistakes"
    with pytest.raises(ValueError, match=r"metric 'loss'; it has \['mistakes'\]"):
        LossCurveDisplay.from_estimator(clf, metric="loss")


def test_lbfgs_counts_iterations():
    X, y = make_regression(50, 3, random_state=0)
    reg = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", random_state=0).fit(X, y)
    display = LossCurveDisplay.from_estimator(reg)
    assert display.ax_.get_xlabel() == "Iteration"
    assert_array_equal(display.lines_[0].get_ydata(), reg.loss_curve_)


def test_autoencoder_and_transformer(iris, schedule):
    auto = MLPAutoencoder(2, (), **schedule).fit(iris[0])
    display = LossCurveDisplay.from_estimator(auto)
    assert_array_equal(display.lines_[0].get_ydata(), auto.loss_curve_)
    features = MLPTransformer(MLPClassifier((4,), **schedule)).fit(*iris)
    display = LossCurveDisplay.from_estimator(features)
    losses = features.estimator_.loss_curve_
    assert_array_equal(display.lines_[0].get_ydata(), losses)


def test_partial_fit_adds_epochs_and_one_epoch_is_a_point(iris):
    clf = MLPClassifier((4,), random_state=0).partial_fit(*iris, classes=[0, 1, 2])
    (line,) = LossCurveDisplay.from_estimator(clf).lines_
    assert line.get_marker() == "o"
    (line,) = LossCurveDisplay.from_estimator(clf.partial_fit(*iris)).lines_
    assert line.get_marker() == "None"
    assert_array_equal(line.get_xdata(), [1, 2])


def test_ensemble_shows_members_and_their_mean(iris, schedule):
    base = MLPClassifier((4,), early_stopping=True, **schedule)
    ensemble = MLPEnsembleClassifier(base, 3, random_state=0).fit(*iris)
    display = LossCurveDisplay.from_estimator(ensemble)
    curves = [member.loss_curve_ for member in ensemble.estimators_]
    assert len(display.member_lines_) == 6
    assert_array_equal(display.member_lines_[0].get_ydata(), curves[0])
    assert_allclose(display.lines_[0].get_ydata(), np.mean(curves, axis=0), rtol=1e-14)
    thin, thick = display.member_lines_[0], display.lines_[0]
    assert thin.get_linewidth() < thick.get_linewidth()
    assert legend(display) == ["training, mean of 3", "validation, mean of 3"]


def test_mean_ends_where_the_first_member_ends(iris, schedule):
    base = MLPClassifier((4,), **{**schedule, "max_iter": 3})
    ensemble = MLPEnsembleClassifier(base, 2, random_state=0).fit(*iris)
    longer = ensemble.estimators_[1]
    longer.history_ = {"epoch": [1, 2, 3, 4], "loss": [4.0, 3.0, 2.0, 1.0]}
    display = LossCurveDisplay.from_estimator(ensemble)
    assert_array_equal(display.lines_[0].get_xdata(), [1, 2, 3])
    assert_array_equal(display.member_lines_[1].get_ydata(), [4.0, 3.0, 2.0, 1.0])


def test_tabular_network(frame):
    clf = TabularMLPClassifier(2, min_steps=0, max_iter=4, random_state=0).fit(*frame)
    display = LossCurveDisplay.from_estimator(clf)
    assert len(display.member_lines_) == 4


def test_several_estimators_go_by_their_names(fitted, pipeline):
    display = LossCurveDisplay.from_estimators({"early": fitted, "scaled": pipeline})
    assert legend(display) == [
        *("early", "scaled"),
        *("training", "validation", "best epoch"),
    ]
    assert [line.get_label() for line in display.lines_] == ["early", "scaled"]
    first, second = display.lines_
    assert first.get_color() != second.get_color()
    assert display.validation_lines_[0].get_color() == first.get_color()


def test_a_list_goes_by_classes_and_numbers(fitted, pipeline, iris):
    display = LossCurveDisplay.from_estimators([fitted, pipeline])
    assert legend(display)[:2] == ["MLPClassifier 1", "MLPClassifier 2"]


def test_estimators_with_different_metrics_are_refused(fitted, iris):
    perceptron = PerceptronClassifier(tol=None, max_iter=3).fit(*iris)
    with pytest.raises(ValueError, match=r"different things, \['loss', 'mistakes'\]"):
        LossCurveDisplay.from_estimators([fitted, perceptron])


@pytest.mark.parametrize("given", [{}, []])
def test_no_estimators_are_refused(given):
    with pytest.raises(ValueError, match="at least one"):
        LossCurveDisplay.from_estimators(given)


@pytest.mark.parametrize("given", [None, 3, "network"])
def test_what_is_no_collection_is_refused(given):
    with pytest.raises(TypeError, match="must be a dict"):
        LossCurveDisplay.from_estimators(given)


def test_one_estimator_in_place_of_several_is_refused(fitted):
    with pytest.raises(TypeError, match="must be a dict"):
        LossCurveDisplay.from_estimators(fitted)


def test_many_estimators_have_colours_of_their_own(fitted):
    display = LossCurveDisplay.from_estimators({str(i): fitted for i in range(12)})
    assert len({tuple(line.get_color()) for line in display.lines_}) == 12


def test_network_of_scikit_learn_has_its_scores_on_the_right(iris):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf = ScikitMLP((4,), max_iter=5, early_stopping=True, random_state=0)
        clf.fit(*iris)
    display = LossCurveDisplay.from_estimator(clf)
    assert_array_equal(display.lines_[0].get_ydata(), clf.loss_curve_)
    (line,) = display.validation_lines_
    assert line.axes is display.score_ax_ is not display.ax_
    assert_array_equal(line.get_ydata(), clf.validation_scores_)
    assert display.score_ax_.get_ylabel() == "Validation score"
    assert "validation score (right)" in legend(display)
    (mark,) = display.best_markers_
    assert mark.get_ydata() == [max(clf.validation_scores_)]


def test_log_scale(fitted):
    display = LossCurveDisplay.from_estimator(fitted, log_scale=True)
    assert display.ax_.get_yscale() == "log"


def test_log_scale_of_values_below_zero_is_refused_before_anything_is_drawn():
    display = LossCurveDisplay([Curve("net", np.arange(2), np.array([1.0, -0.5]))])
    before = plt.get_fignums()
    with pytest.raises(ValueError, match=r"log_scale=True needs .* -0\.5"):
        display.plot(log_scale=True)
    assert plt.get_fignums() == before


def test_plot_draws_on_given_axes_with_given_style(fitted):
    _, (left, right) = plt.subplots(1, 2)
    display = LossCurveDisplay.from_estimator(fitted, ax=left, linewidth=3, color="k")
    assert display.ax_ is left
    assert display.lines_[0].get_linewidth() == 3
    assert display.plot(ax=right) is display
    assert display.ax_ is right and len(right.lines) == 3


def test_aliases_of_matplotlib_are_known(fitted):
    display = LossCurveDisplay.from_estimator(fitted, c="k", lw=3)
    for line in (*display.lines_, *display.validation_lines_):
        assert (line.get_color(), line.get_linewidth()) == ("k", 3)


def test_label_is_refused_with_what_to_say_instead(fitted):
    with pytest.raises(TypeError, match="pass name to from_estimator"):
        LossCurveDisplay.from_estimator(fitted, label="net")


def test_names_are_no_formulas(fitted):
    display = LossCurveDisplay.from_estimator(fitted, name="$x_{")
    display.figure_.draw_without_rendering()
    assert legend(display)[0] == "$x_{, training"


def test_many_names_find_room(fitted):
    names = [f"a network with a rather long name {i}" for i in range(30)]
    display = LossCurveDisplay.from_estimators(dict.fromkeys(names, fitted))
    display.figure_.draw_without_rendering()
    figure, box = display.figure_.bbox, display.legend_.get_window_extent()
    assert figure.x0 <= box.x0 and box.x1 <= figure.x1
    assert figure.y0 <= box.y0 and box.y1 <= figure.y1


def test_name_stands_in_the_legend(fitted):
    display = LossCurveDisplay.from_estimator(fitted, name="small")
    assert legend(display)[:2] == ["small, training", "small, validation"]


@pytest.mark.parametrize("ax", [[], "axes", 3, np.empty((2, 2), dtype=object)])
def test_axes_of_the_wrong_kind_are_refused(fitted, ax):
    with pytest.raises(TypeError, match="ax must be one matplotlib Axes"):
        LossCurveDisplay.from_estimator(fitted, ax=ax)


@pytest.mark.parametrize(
    "estimator",
    [
        MLPClassifier(),
        PerceptronClassifier(),
        MLPEnsembleClassifier(),
        MLPTransformer(),
        make_pipeline(StandardScaler(), MLPClassifier()),
        GridSearchCV(MLPClassifier(), {"alpha": [1.0]}),
        ScikitMLP(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_what_is_not_fitted_is_refused(estimator):
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(estimator)


@pytest.mark.parametrize("estimator", [None, 3, "net", object(), MLPClassifier])
def test_what_is_no_network_is_refused(estimator):
    with pytest.raises(TypeError, match="estimator must be"):
        LossCurveDisplay.from_estimator(estimator)


def test_other_estimators_are_refused(iris):
    model = LogisticRegression(max_iter=500).fit(*iris)
    with pytest.raises(TypeError, match="records no training curve"):
        LossCurveDisplay.from_estimator(model)


# Searches ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def search(iris):
    schedule = {"learning_rate": "cosine", "max_iter": 4, "n_iter_no_change": 4}
    network = MLPClassifier((4,), random_state=0, **schedule)
    grid = {
        "mlpclassifier__alpha": [1e-4, 1.0],
        "mlpclassifier__learning_rate_init": [0.1],
        "mlpclassifier__hidden_layer_sizes": [(3,), (9,)],
    }
    model = make_pipeline(StandardScaler(), network)
    return GridSearchCV(model, grid, cv=2).fit(*iris)


def test_candidates_of_a_search_are_refitted_in_the_order_of_ranks(search, iris):
    display = LossCurveDisplay.from_search(search, *iris)
    results = search.cv_results_
    order = np.argsort(results["rank_test_score"], kind="stable")
    expected = [
        "alpha={mlpclassifier__alpha:.4g}, "
        "hidden_layer_sizes={mlpclassifier__hidden_layer_sizes}".format(**params)
        for params in np.array(results["params"])[order]
    ]
    assert [line.get_label() for line in display.lines_] == expected
    best = search.best_estimator_[-1]
    assert_array_equal(display.lines_[0].get_ydata(), best.loss_curve_)


def test_best_candidates_only(search, iris):
    display = LossCurveDisplay.from_search(search, *iris, n_best=2)
    assert len(display.lines_) == 2


@pytest.mark.parametrize("n_best", [0, -1, 1.5, True, "all"])
def test_n_best_must_be_a_count(search, iris, n_best):
    with pytest.raises(ValueError, match="n_best must be an int of at least 1"):
        LossCurveDisplay.from_search(search, *iris, n_best=n_best)


def test_search_must_be_one_and_be_fitted(fitted, iris):
    with pytest.raises(TypeError, match="must be a fitted GridSearchCV"):
        LossCurveDisplay.from_search(fitted, *iris)
    search = GridSearchCV(MLPClassifier(), {"alpha": [1.0]})
    with pytest.raises(NotFittedError, match="call fit first"):
        LossCurveDisplay.from_search(search, *iris)
