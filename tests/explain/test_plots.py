"""Every plot of shap draws every kind of explanation, without a screen."""

import numpy as np
import pytest

from sknn.explain import explain

shap = pytest.importorskip("shap")
pytest.importorskip("lime")
plt = pytest.importorskip("matplotlib.pyplot")

OPTIONS = {"random_state": 0}


def rows_and_background(X):
    return X[:20], X[30:45]


@pytest.fixture(scope="module")
def explanations(binary, multiclass, regression, mixed, numbers):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    def make(fitted, **settings):
        model, X = fitted
        rows, background = rows_and_background(X)
        return explain(model, rows, background=background, **settings, **OPTIONS)

    X, score = numbers
    margin = LinearDiscriminantAnalysis().fit(X, score > 0)
    return {
        "binary": make((margin, X)),
        "multiclass": make(multiclass)[:, :, "mid"],
        "regression": make(regression),
        "categorical": make(mixed, target="buys"),
        "predicted": make(multiclass, target="predicted"),
        "lime": make(binary, method="lime", num_samples=100)[:, :, "yes"],
    }


PLOTS = {
    "bar": lambda e: shap.plots.bar(e, show=False),
    "bar of a row": lambda e: shap.plots.bar(e[0], show=False),
    "beeswarm": lambda e: shap.plots.beeswarm(e, show=False),
    "waterfall": lambda e: shap.plots.waterfall(e[0], show=False),
    "heatmap": lambda e: shap.plots.heatmap(e, show=False),
    "scatter": lambda e: shap.plots.scatter(e[:, e.feature_names[3]], show=False),
    "scatter, coloured": lambda e: shap.plots.scatter(e[:, 0], color=e, show=False),
    "force": lambda e: shap.plots.force(e[0], matplotlib=True, show=False),
    "decision": lambda e: shap.plots.decision(
        e.base_values[0], e.values, features=e.data, show=False
    ),
    "violin": lambda e: shap.plots.violin(e, show=False),
}
KINDS = ["binary", "multiclass", "regression", "categorical", "lime"]


@pytest.fixture(autouse=True)
def one_figure():
    state = np.random.get_state()
    yield
    plt.close("all")
    np.random.set_state(state)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plot", PLOTS)
def test_plot_is_drawn(explanations, plot, kind):
    PLOTS[plot](explanations[kind])
    figure = plt.gcf()
    figure.canvas.draw()
    assert figure.axes
    marks = [*figure.findobj(lambda artist: artist.get_visible())]
    assert len(marks) > 20


@pytest.mark.parametrize("plot", ["beeswarm", "waterfall", "heatmap"])
def test_rows_with_outputs_of_their_own_are_drawn(explanations, plot):
    PLOTS[plot](explanations["predicted"])
    plt.gcf().canvas.draw()


def test_a_waterfall_shows_the_users_strings(explanations, mixed_frame):
    explanation = explanations["categorical"]
    shap.plots.waterfall(explanation[0], show=False)
    words = {text.get_text() for text in plt.gcf().findobj(plt.Text)}
    assert f"{mixed_frame['colour'].iloc[0]} = colour" in words
    assert f"{mixed_frame['size'].iloc[0]} = size" in words


def test_a_scatter_shows_the_levels_in_their_order(explanations):
    shap.plots.scatter(explanations["categorical"][:, "colour"], show=False)
    ticks = [text.get_text() for text in plt.gca().get_xticklabels()]
    positions = plt.gca().get_xticks()
    assert [ticks[i] for i in np.argsort(positions)] == ["blue", "green", "red"]


def test_a_group_of_columns_can_be_summed(explanations):
    grouped = explanations["binary"].sum(1, grouping={"x0": "both", "x1": "both"})
    np.testing.assert_allclose(
        grouped.values.sum(axis=1), explanations["binary"].values.sum(axis=1)
    )
