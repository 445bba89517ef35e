"""monotonic_cst: what is promised holds everywhere, what may break it is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor

from sknn import MLPClassifier, MLPEstimator, MLPRegressor
from sknn.layers import Dense

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
X = rng.uniform(-2, 2, size=(400, 3))
y = np.tanh(2 * X[:, 0]) - X[:, 1] + np.sin(2 * X[:, 2]) + 0.3 * rng.normal(size=400)
SIGNS = [1, -1, 0]


def never_moves_against(predict, signs=SIGNS, dtype=np.float64):
    """Whether predictions keep to the signs on grids from random points."""
    grid = np.linspace(-6, 6, 200)
    tolerance = 1e-9 if dtype == np.float64 else 1e-4
    for j, sign in enumerate(signs):
        for point in rng.uniform(-4, 4, size=(20, 3)):
            rows = np.tile(point, (200, 1)).astype(dtype)
            rows[:, j] = grid
            if sign and (sign * np.diff(predict(rows)) < -tolerance).any():
                return False
    return True


@pytest.mark.parametrize("estimator", [MLPRegressor, MLPEstimator])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "lbfgs", "max_iter": 50},
        {"activation": "tanh", "dropout": 0.1, "input_dropout": 0.1},
        {"loss": "quantile", "quantile": 0.8, "normalize_y": True},
        {"loss": "huber", "dtype": "float32", "early_stopping": True},
        {"hidden_layer_sizes": ()},
    ],
    ids=str,
)
def test_predictions_keep_to_the_constraints(estimator, settings):
    settings = {"hidden_layer_sizes": (16, 16), "max_iter": 30, **settings}
    model = estimator(monotonic_cst=SIGNS, random_state=0, **settings).fit(X, y)
    dtype = np.dtype(settings.get("dtype", "float64"))
    assert never_moves_against(model.predict, dtype=dtype)
    again = pickle.loads(pickle.dumps(clone(model).fit(X, y)))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_an_unconstrained_network_does_not_keep_to_them():
    free = MLPRegressor(hidden_layer_sizes=(16, 16), max_iter=200, random_state=0)
    assert not never_moves_against(free.fit(X, -y).predict)


def test_probabilities_of_two_classes_keep_to_them():
    model = MLPClassifier((16,), monotonic_cst=SIGNS, max_iter=100, random_state=0)
    model.fit(X, y > 0)
    assert model.score(X, y > 0) > 0.8
    assert never_moves_against(lambda rows: model.predict_proba(rows)[:, 1])


def test_it_fits_as_well_as_boosting_under_the_same_constraints():
    settings = {"monotonic_cst": SIGNS, "random_state": 0}
    ours = MLPRegressor(
        hidden_layer_sizes=(32, 32), learning_rate_init=0.01, max_iter=200, **settings
    )
    theirs = HistGradientBoostingRegressor(**settings).fit(X[::2], y[::2])
    ours.fit(X[::2], y[::2])
    assert ours.score(X[1::2], y[1::2]) > theirs.score(X[1::2], y[1::2])


def test_names_and_missing_values():
    frame = pd.DataFrame(X, columns=["up", "down", "free"])
    by_name = MLPRegressor(monotonic_cst={"up": 1, "down": -1}, random_state=0)
    by_place = MLPRegressor(monotonic_cst=SIGNS, random_state=0)
    np.testing.assert_array_equal(
        by_name.fit(frame, y).predict(frame), by_place.fit(frame, y).predict(frame)
    )
    frame.iloc[::5, 2] = np.nan
    gaps = MLPRegressor(monotonic_cst=SIGNS, missing="indicator", random_state=0)
    assert never_moves_against(gaps.fit(frame.to_numpy(), y).predict)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"activation": "gelu"}, "gelu"),
        ({"activation": ("relu", "silu"), "hidden_layer_sizes": (4, 4)}, "silu"),
        ({"normalization": "batch"}, "normalization='batch' cannot be combined"),
        ({"residual": True}, "residual=True cannot be combined"),
        ({"layers": [Dense(3)]}, "layers=.* cannot be combined"),
        ({"numeric_embedding": "plr"}, "numeric_embedding='plr' cannot be combined"),
        ({"categorical_features": [0]}, "categorical_features=.* cannot be combined"),
        (
            {"categorical_features": np.array([True, False, False])},
            "cannot be combined",
        ),
        ({"loss": "gaussian_nll"}, "monotonic_cst needs one score"),
        ({"loss": "quantile", "quantile": [0.1, 0.9]}, "needs one score"),
        ({"monotonic_cst": [1, 0]}, "-1, 0 or 1 for each of the 3 features"),
        ({"monotonic_cst": [2, 0, 0]}, "-1, 0 or 1"),
        ({"monotonic_cst": "up"}, "'monotonic_cst' parameter"),
        ({"monotonic_cst": {"up": 1}}, "features that X does not have"),
    ],
    ids=str,
)
def test_what_may_break_the_promise_is_refused(settings, words):
    with pytest.raises((ValueError, TypeError), match=words):
        MLPRegressor(**{"monotonic_cst": SIGNS, **settings}).fit(X, y)


def test_several_classes_are_refused():
    with pytest.raises(ValueError, match=r"needs one score .* 3 classes"):
        MLPClassifier(monotonic_cst=SIGNS).fit(X, np.digitize(y, [-1, 1]))
