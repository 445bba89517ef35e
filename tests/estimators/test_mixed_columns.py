"""Categories and missing values straight into a network, and out again."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils import get_tags

from sknn import MLPClassifier, MLPEstimator, MLPRegressor
from sknn.layers import Columns, Dense, Embedding, PiecewiseLinear

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SETTINGS = {"max_iter": 60, "learning_rate_init": 0.02, "random_state": 0}


def make_frame(n=300, seed=0):
    """A frame whose label depends on a number, a word and a code of many values."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "word": rng.choice(["red", "green", "blue"], n),
            "code": pd.Categorical(rng.integers(0, 30, n)),
            "flag": rng.random(n) < 0.5,
        }
    )
    effect = (frame["word"] == "red") * 2 + (frame["code"].astype(int) % 2) * 2 - 2
    return frame, (frame["size"] + effect + 0.5 * frame["flag"] > 0).astype(int)


frame, y = make_frame()


def test_a_frame_goes_in_as_it_is():
    model = MLPClassifier(categorical_features="from_dtype", **SETTINGS)
    assert cross_val_score(model, frame, y, cv=3).mean() > 0.8
    model.fit(frame, y)
    assert model.n_features_in_ == 4
    assert list(model.feature_names_in_) == list(frame.columns)
    columns, embedding = model._network.layers[0], Embedding((3, 30, 2))
    assert columns == Columns([((0,), None), ((1, 2, 3), embedding)])
    assert pickle.loads(pickle.dumps(model)).score(frame, y) == model.score(frame, y)


@pytest.mark.parametrize(
    "given",
    [
        "from_dtype",
        ["word", "code", "flag"],
        [1, 2, 3],
        np.array([False, True, True, True]),
    ],
    ids=str,
)
def test_all_ways_to_name_the_columns_give_the_same_network(given):
    expected = MLPClassifier(categorical_features="from_dtype", **SETTINGS)
    model = MLPClassifier(categorical_features=given, **SETTINGS)
    np.testing.assert_array_equal(
        model.fit(frame, y)._network.values, expected.fit(frame, y)._network.values
    )


def test_polars_gives_what_pandas_gives():
    other = pl.DataFrame({name: frame[name].tolist() for name in frame})
    given = ["word", "code", "flag"]
    settings = {"categorical_features": given, **SETTINGS}
    one = MLPClassifier(**settings).fit(frame, y)
    two = MLPClassifier(**settings).fit(other, y)
    np.testing.assert_allclose(two.predict_proba(other), one.predict_proba(frame))


def test_an_array_of_codes_takes_indices():
    codes = np.c_[frame["size"], frame["code"].astype(int)]
    model = MLPClassifier(categorical_features=[1], **SETTINGS).fit(codes, y)
    hist = HistGradientBoostingClassifier(categorical_features=[1]).fit(codes, y)
    assert model.score(codes, y) > hist.score(codes, y) - 0.1


def test_unseen_and_missing_categories_share_a_slot():
    model = MLPClassifier(categorical_features="from_dtype", **SETTINGS).fit(frame, y)
    rows = frame.head(3).assign(
        word=["mauve", None, "mauve"], code=pd.Categorical([99, 99, None])
    )
    rows["size"], rows["flag"] = 0.1, True
    p = model.predict_proba(rows)
    assert np.isfinite(p).all()
    np.testing.assert_array_equal(p, np.broadcast_to(p[:1], p.shape))


@pytest.mark.parametrize("embedding", [Embedding(dim=2, one_hot_max_size=0), None])
@pytest.mark.parametrize("numeric", [None, "pbld", "plr", PiecewiseLinear(5)])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_embeddings_stand_before_the_hidden_layers(embedding, numeric, solver):
    model = MLPClassifier(
        (10,),
        categorical_features="from_dtype",
        categorical_embedding=embedding,
        numeric_embedding=numeric,
        solver=solver,
        **{**SETTINGS, "max_iter": 15},
    )
    model.fit(frame, y)
    assert log_loss(y, model.predict_proba(frame)) < log_loss(y, np.full(300, y.mean()))
    parts = model._network.layers[0].parts
    assert parts[1][1].n_categories == (3, 30, 2)
    again = clone(model).fit(frame, y)
    np.testing.assert_array_equal(
        again.predict_proba(frame), model.predict_proba(frame)
    )


def test_only_categories_and_layers_of_ones_own():
    only = frame[["word", "code"]]
    model = MLPClassifier(
        layers=[Dense(6)], categorical_features="from_dtype", **SETTINGS
    )
    assert model.fit(only, y).score(only, y) > 0.7
    assert model._network.layers[0] == Embedding((3, 30))


# Missing numbers -----------------------------------------------------------------


def with_gaps(seed=1):
    gaps = np.random.default_rng(seed).random(300) < 0.2
    return frame.assign(size=frame["size"].mask(gaps))


def test_missing_numbers_are_refused_unless_asked_for():
    for settings in ({}, {"categorical_features": "from_dtype"}):
        model = MLPClassifier(**settings, **SETTINGS)
        columns = with_gaps() if settings else with_gaps()[["size", "flag"]]
        with pytest.raises(ValueError, match="contains NaN"):
            model.fit(columns, y)
        assert not hasattr(model, "classes_")


@pytest.mark.parametrize("missing", ["mean", "indicator"])
def test_missing_numbers_are_the_mean(missing):
    gaps = with_gaps()
    model = MLPClassifier(
        categorical_features="from_dtype", missing=missing, **SETTINGS
    ).fit(gaps, y)
    width = model._network.n_features
    assert width == (5 if missing == "indicator" else 4)
    filled = gaps.fillna({"size": gaps["size"].mean()})
    same = np.array_equal(model.predict_proba(filled), model.predict_proba(gaps))
    assert same == (missing == "mean")
    later = frame.head(5).assign(size=np.nan)
    assert np.isfinite(model.predict_proba(later)).all()


def test_an_indicator_learns_that_a_gap_means_something():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    gap = rng.random(300) < 0.4
    X[gap, 0] = np.nan
    settings = {**SETTINGS, "max_iter": 100}
    scores = {
        missing: MLPClassifier((8,), missing=missing, **settings)
        .fit(X, gap.astype(int))
        .score(X, gap.astype(int))
        for missing in ("mean", "indicator")
    }
    assert scores["indicator"] == 1.0


def test_sparse_input_may_have_gaps():
    X = sparse.random(100, 8, 0.3, format="csr", random_state=0)
    X.data[::7] = np.nan
    labels = np.arange(100) % 2
    model = MLPClassifier((5,), missing="mean", **SETTINGS).fit(X, labels)
    assert np.isfinite(model.predict_proba(X.tocsc())).all()


# Everything else that a fit can do -----------------------------------------------


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor, MLPEstimator])
@pytest.mark.parametrize(
    "settings",
    [
        {"early_stopping": True},
        {"early_stopping": True, "scoring": "r2"},
        {"normalization": "layer", "residual": True, "hidden_layer_sizes": (8, 8)},
        {"diagnostics": True, "dtype": "float32"},
    ],
    ids=str,
)
def test_columns_meet_the_other_powers(estimator, settings):
    model = estimator(
        categorical_features="from_dtype", missing="indicator", **settings, **SETTINGS
    ).fit(with_gaps(), y, X_val=with_gaps(2), y_val=y)
    assert np.isfinite(model.predict(with_gaps())).all()
    if settings.get("dtype"):
        assert model.coefs_[0].dtype == np.float32


def test_partial_fits_keep_the_columns_of_the_first():
    model = MLPClassifier(categorical_features="from_dtype", random_state=0)
    model.partial_fit(frame[:100], y[:100], classes=[0, 1])
    width = model._network.n_features
    other = frame[100:].assign(word="mauve")
    model.partial_fit(other, y[100:])
    assert model._network.n_features == width
    warm = MLPClassifier(
        categorical_features="from_dtype", warm_start=True, max_iter=2, random_state=0
    )
    warm.fit(frame, y).fit(frame, y)
    assert len(warm.loss_curve_) == 4


def test_the_embedding_is_searched():
    grid = {"categorical_embedding": [Embedding(dim=2), Embedding(one_hot_max_size=40)]}
    model = MLPClassifier(categorical_features="from_dtype", max_iter=3, random_state=0)
    search = GridSearchCV(model, grid, cv=2).fit(frame, y)
    assert search.best_params_["categorical_embedding"].n_categories == ()


def test_tags_follow():
    plain = get_tags(MLPClassifier()).input_tags
    assert (plain.sparse, plain.categorical, plain.allow_nan) == (True, False, False)
    model = MLPClassifier(categorical_features=[0], missing="mean")
    mixed = get_tags(model).input_tags
    assert (mixed.sparse, mixed.categorical, mixed.allow_nan) == (False, True, True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"categorical_features": ["colour"]}, "categorical_features"),
        ({"categorical_features": [9]}, "categorical_features"),
        ({"categorical_features": [True, False, True]}, "categorical_features"),
        ({"categorical_features": "words"}, "'categorical_features' parameter"),
        ({"categorical_embedding": Embedding()}, "categorical_embedding=.* no columns"),
    ],
    ids=str,
)
def test_bad_columns_are_named(settings, words):
    with pytest.raises((ValueError, TypeError), match=words):
        MLPClassifier(**settings).fit(frame[["size", "flag"]].astype(float), y)


def test_an_error_about_x_names_the_keyword_that_helps():
    with pytest.raises(ValueError, match=r"(?s)convert string.*categorical_features="):
        MLPClassifier().fit(frame, y)
    with pytest.raises(ValueError, match=r"(?s)contains NaN.*missing='indicator'"):
        MLPClassifier().fit(with_gaps()[["size"]], y)


def test_other_columns_at_predict_are_refused():
    model = MLPClassifier(categorical_features="from_dtype", **SETTINGS).fit(frame, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.drop(columns="flag"))
    with pytest.raises(TypeError, match="categorical_features"):
        model.predict(sparse.csr_matrix(np.ones((3, 4))))


def test_explanations_are_on_the_columns_of_the_frame():
    pytest.importorskip("shap")
    from sknn.explain import explain

    model = MLPClassifier(
        categorical_features="from_dtype", numeric_embedding="pbld", **SETTINGS
    ).fit(frame, y)
    explanation = explain(model, frame[:4], background=frame[:30], random_state=0)
    assert explanation.values.shape == (4, 4)
    assert list(explanation.feature_names) == list(frame.columns)
    margin = model.decision_function(frame[:4])
    total = explanation.values.sum(axis=1) + explanation.base_values
    np.testing.assert_allclose(total, margin, rtol=1e-8, atol=1e-10)
    assert explanation.display_data[0, 1] == frame["word"].iloc[0]
