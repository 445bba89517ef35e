"""Small fitted models on tables of every kind."""

import warnings

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

N = 80


def fitted(model, X, y):
    """Fit for a few steps; the explanations do not ask how good the model is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged, on purpose
        return model.fit(X, y)


def network(kind, **parameters):
    settings = {"hidden_layer_sizes": (8,), "solver": "lbfgs", "max_iter": 15}
    return kind(random_state=0, **settings | parameters)


@pytest.fixture(scope="session")
def numbers():
    """Rows of 5 plain numbers and a score that needs interactions of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 5))
    return X, X[:, 0] * X[:, 1] + X[:, 2] - np.abs(X[:, 3])


@pytest.fixture(scope="session")
def binary(numbers):
    X, score = numbers
    y = np.where(score > 0, "yes", "no")
    return fitted(network(MLPClassifier), X, y), X


@pytest.fixture(scope="session")
def multiclass(numbers):
    X, score = numbers
    y = np.array(["low", "mid", "top"])[np.digitize(score, [-0.7, 0.7])]
    return fitted(network(MLPClassifier), X, y), X


@pytest.fixture(scope="session")
def regression(numbers):
    X, score = numbers
    return fitted(network(MLPRegressor), X, score), X


@pytest.fixture(scope="session")
def two_targets(numbers):
    X, score = numbers
    return fitted(network(MLPRegressor), X, np.column_stack([score, X[:, 4]])), X


@pytest.fixture(scope="session")
def mixed_frame():
    """A frame of one column of each type that people have."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(1)
    age = rng.normal(40, 12, N)
    age[::9] = np.nan
    visits = pd.Series(rng.integers(0, 6, N)).astype("Int64")
    visits[::11] = pd.NA
    size = pd.Categorical(rng.choice(["S", "M", "L"], N), ["S", "M", "L"], ordered=True)
    return pd.DataFrame(
        {
            "age": age,
            "visits": visits,
            "member": rng.random(N) > 0.5,
            "colour": rng.choice(["red", "green", "blue"], N),
            "size": size,
            "when": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 9, N), "D"),
        }
    )


def month_part(frame):
    return frame.apply(lambda column: column.dt.day).to_numpy(dtype=float)


def mixed_preprocessing(*more):
    numeric = make_pipeline(SimpleImputer(), StandardScaler())
    return make_column_transformer(
        (numeric, ["age", "visits"]),
        (OneHotEncoder(), ["colour", "size"]),
        ("passthrough", ["member"]),
        *more,
    )


@pytest.fixture(scope="session")
def mixed(mixed_frame):
    """A pipeline on the mixed frame, and the frame."""
    from sklearn.preprocessing import FunctionTransformer

    rng = np.random.default_rng(2)
    y = np.where(
        (mixed_frame["colour"] == "red") ^ (mixed_frame["age"] > 40), "buys", "leaves"
    )
    y[rng.random(N) < 0.1] = "buys"
    days = make_pipeline(FunctionTransformer(month_part), StandardScaler())
    model = make_pipeline(mixed_preprocessing((days, ["when"])), network(MLPClassifier))
    return fitted(model, mixed_frame, y), mixed_frame
