"""Grid, random and halving searches over networks, alone and in pipelines."""

import os
import warnings

import joblib
import numpy as np
import pytest
import threadpoolctl
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    ParameterGrid,
    RandomizedSearchCV,
    ShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.callbacks import Callback, TimeLimit
from sknn.layers import Activation, BatchNorm, Dense
from sknn.losses import Huber, MultinomialFocalLoss
from sknn.optimizers import SGD, Adam
from sknn.schedules import Cosine, Warmup

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)


def pipeline(network):
    return Pipeline([("scale", StandardScaler()), ("net", network)])


def classifier(**parameters):
    defaults = {"max_iter": 4, "learning_rate_init": 0.02, "random_state": 0}
    return pipeline(MLPClassifier(**{**defaults, **parameters}))


def regressor(**parameters):
    return pipeline(MLPRegressor(hidden_layer_sizes=(6,), max_iter=5, **parameters))


def of_net(space):
    """Return the space under the names that it has in the pipeline."""
    return {f"net__{name}": values for name, values in space.items()}


class Counting(Callback):
    """Counts the epochs of all fits that share it."""

    epochs = 0

    def __call__(self, epoch):
        self.epochs += 1


# What is searched -----------------------------------------------------------------

SPACES = {
    "units": {"hidden_layer_sizes": [(), 4, (4,), (6, 4), [5, 5]]},
    "activation": {"activation": ["relu", ("tanh",)]},
    "layers": {
        "layers": [
            None,
            [Dense(4), Activation("relu")],
            [Dense(5), BatchNorm(), Activation("gelu"), Dense(4), Activation("tanh")],
        ]
    },
    "blocks": {
        "hidden_layer_sizes": [(6, 6)],
        "normalization": [None, "batch", "layer"],
        "residual": [False, True],
    },
    "penalties": {"alpha": [1e-4, 1.0], "dropout": [0.0, 0.3, (0.5,)]},
    "losses": {"loss": ["log_loss", "focal", MultinomialFocalLoss(gamma=1.0)]},
    "objects": {
        "solver": ["adam", Adam(), SGD()],
        "learning_rate": ["constant", Cosine(), Warmup(schedule=Cosine())],
    },
    "inside objects": {
        "solver": [Adam()],
        "solver__beta_1": [0.8, 0.9],
        "learning_rate": [Warmup(schedule=Cosine())],
        "learning_rate__schedule__end_factor": [0.0, 0.5],
    },
    "early stopping": {
        "early_stopping": [False, True],
        "scoring": [None, "loss"],
        "validation_split": [None, ShuffleSplit(test_size=0.2)],
    },
    "callbacks": {"callbacks": [None, TimeLimit(60.0), [Counting()]]},
}


@pytest.mark.parametrize("name", SPACES)
def test_each_candidate_scores_as_it_does_alone(name):
    space = of_net(SPACES[name])
    search = GridSearchCV(classifier(), space, cv=2).fit(*IRIS)
    scores = search.cv_results_["mean_test_score"]
    for candidate, score in zip(ParameterGrid(space), scores, strict=True):
        alone = classifier().set_params(**clone(candidate, safe=False))
        assert cross_val_score(alone, *IRIS, cv=2).mean() == score
    assert search.score(*IRIS) == search.best_estimator_.score(*IRIS)


def test_names_reach_into_the_objects_of_the_pipeline():
    loss, solver, schedule = Huber(), Adam(), Warmup(schedule=Cosine())
    network = regressor(
        loss=loss, solver=solver, learning_rate=schedule, normalize_y=True
    )
    space = of_net(
        {
            "loss__delta": [0.1, 1.0],
            "solver__beta_1": [0.5, 0.9],
            "learning_rate__schedule__end_factor": [0.0, 1.0],
        }
    )
    network.set_params(net__learning_rate_init=0.03, net__random_state=0)
    search = GridSearchCV(network, space, cv=2).fit(*DIABETES)
    assert len(set(search.cv_results_["mean_test_score"])) == 8
    best = search.best_estimator_.named_steps["net"]
    assert best.loss.delta == search.best_params_["net__loss__delta"]
    assert best.solver.beta_1 == search.best_params_["net__solver__beta_1"]
    assert (loss, solver, schedule) == (Huber(), Adam(), Warmup(schedule=Cosine()))


def test_each_fit_has_a_callback_of_its_own():
    counting = Counting()
    search = GridSearchCV(
        classifier(callbacks=counting), of_net({"alpha": [1e-4, 1e-2]}), cv=2
    ).fit(*IRIS)
    assert counting.epochs == 0
    assert search.best_estimator_.named_steps["net"].callbacks.epochs == 4


@pytest.mark.parametrize("name", ["loss__delt", "solver__beta_1", "layers__0__units"])
def test_a_name_that_reaches_nowhere_is_an_error(name):
    search = GridSearchCV(classifier(), of_net({name: [0.5]}), error_score="raise")
    with pytest.raises((ValueError, AttributeError)):
        search.fit(*IRIS)


# Random and halving searches ------------------------------------------------------

RANDOM = of_net(
    {
        "hidden_layer_sizes": [(4,), (8,), (4, 4)],
        "learning_rate_init": loguniform(1e-3, 1e-1),
        "alpha": loguniform(1e-5, 1.0),
        "dropout": [0.0, 0.2],
    }
)


def random_search(seed):
    return RandomizedSearchCV(
        classifier(early_stopping=True), RANDOM, n_iter=4, cv=2, random_state=seed
    ).fit(*IRIS)


def test_a_random_search_is_reproduced_by_its_random_state():
    first, again, other = map(random_search, (0, 0, 1))
    assert first.cv_results_["params"] == again.cv_results_["params"]
    assert first.cv_results_["params"] != other.cv_results_["params"]
    assert_same_results(first, again)


@pytest.mark.parametrize("resource", ["n_samples", "net__max_iter"])
@pytest.mark.parametrize("kind", [HalvingGridSearchCV, HalvingRandomSearchCV])
def test_halving_gives_the_best_candidates_more(kind, resource):
    in_grid = kind is HalvingGridSearchCV
    rates = [0.001, 0.003, 0.01, 0.03] if in_grid else loguniform(1e-3, 1e-1)
    limits = (
        {"max_resources": 150, "min_resources": 30}
        if resource == "n_samples"
        else {"max_resources": 27, "min_resources": 3}
    )
    space = of_net({"learning_rate_init": rates, "alpha": [1e-4, 1e-1]})
    network = classifier(hidden_layer_sizes=(6,), n_iter_no_change=np.inf)
    given = {"cv": 2, "resource": resource, "random_state": 0, **limits}
    search, again = (kind(network, space, **given).fit(*IRIS) for _ in range(2))
    resources = {"n_samples": [30, 90], "net__max_iter": [3, 9, 27]}[resource]
    assert search.n_resources_ == resources[: search.n_iterations_]
    assert search.n_candidates_ == sorted(search.n_candidates_, reverse=True)
    epochs = search.best_estimator_.named_steps["net"].n_iter_
    assert epochs == (4 if resource == "n_samples" else search.n_resources_[-1])
    assert_same_results(search, again)


# Candidates that fail or take long ------------------------------------------------


def diverging(**parameters):
    """Return a search of which the second candidate diverges."""
    network = regressor(dtype="float32", random_state=0, **parameters)
    rates = of_net({"learning_rate_init": [1e-3, 1e10]})
    return GridSearchCV(network, rates, cv=2)


def test_a_diverging_candidate_has_no_score_and_ends_no_search():
    with (
        pytest.warns(FitFailedWarning, match="Training diverged in epoch 1"),
        pytest.warns(UserWarning, match="scores are non-finite"),
    ):
        search = diverging().fit(*DIABETES)
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True]
    assert search.best_index_ == 0
    with pytest.raises(ValueError, match="Training diverged in epoch 1"):
        diverging().set_params(error_score="raise").fit(*DIABETES)


def test_a_candidate_that_warns_of_divergence_keeps_a_score():
    search = diverging(on_divergence="warn").fit(*DIABETES)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    search = diverging(on_divergence="rescue").fit(*DIABETES)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_curve_behind_a_rise_ends_without_a_warning():
    network = MLPClassifier(learning_rate=Warmup(schedule=Cosine()), max_iter=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network.fit(*IRIS)


def test_max_time_holds_for_each_candidate():
    network = classifier(max_time=1e-9, max_iter=10_000, n_iter_no_change=np.inf)
    search = GridSearchCV(network, of_net({"alpha": [1e-4, 1e-2]}), cv=2).fit(*IRIS)
    assert search.best_estimator_.named_steps["net"].n_iter_ == 1


# Processes and threads ------------------------------------------------------------


def assert_same_results(one, other):
    """All scores and all parameters of the best network are equal, to the bit."""
    for key in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(one.cv_results_[key], other.cv_results_[key])
    nets = [search.best_estimator_.named_steps["net"] for search in (one, other)]
    for a, b in zip(nets[0].coefs_, nets[1].coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def parallel_search():
    network = classifier(
        hidden_layer_sizes=(8, 8), normalization="batch", early_stopping=True
    )
    space = of_net({"dropout": [0.0, 0.3], "learning_rate_init": [0.01, 0.03]})
    return GridSearchCV(network, space, cv=3)


@pytest.fixture(scope="module")
def no_limits_set():
    """Let workers start as for a user who sets no number of threads."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            patch.delenv(name, raising=False)
        yield


@pytest.mark.usefixtures("no_limits_set")
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_two_jobs_find_what_one_finds_to_the_bit(parallel_search, backend):
    serial = clone(parallel_search).fit(*IRIS)
    with joblib.parallel_config(backend, n_jobs=2):
        assert_same_results(serial, clone(parallel_search).fit(*IRIS))


def blas_threads():
    """Return the numbers of threads of the BLAS libraries in this process."""
    info = threadpoolctl.threadpool_info()
    return {pool["num_threads"] for pool in info if pool["user_api"] == "blas"}


class WritingThreads(Callback):
    """Leaves, for each process, a file that names its numbers of BLAS threads."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, epoch):
        numbers = " ".join(map(str, blas_threads()))
        (self.folder / str(os.getpid())).write_text(numbers)


@pytest.mark.usefixtures("no_limits_set")
def test_workers_share_the_cores_between_their_blas_threads(tmp_path):
    network = classifier(max_iter=1, callbacks=WritingThreads(tmp_path))
    search = GridSearchCV(network, of_net({"alpha": [1e-4, 1e-2]}), cv=2, refit=False)
    with joblib.parallel_config("loky", n_jobs=2):
        search.fit(*IRIS)
    seen = {int(n) for file in tmp_path.iterdir() for n in file.read_text().split()}
    assert str(os.getpid()) not in {file.name for file in tmp_path.iterdir()}
    assert 1 <= min(seen) <= max(seen) <= max(1, joblib.cpu_count() // 2)


def test_threads_share_the_limit_that_is_put_around_the_search(tmp_path):
    network = classifier(max_iter=1, callbacks=WritingThreads(tmp_path))
    search = GridSearchCV(network, of_net({"alpha": [1e-4]}), cv=2, refit=False)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with (
            threadpoolctl.threadpool_limits(1, user_api="blas"),
            joblib.parallel_config("threading", n_jobs=2),
        ):
            search.fit(*IRIS)
        assert blas_threads() == before
    assert [file.read_text() for file in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"early_stopping": True, "dropout": 0.2, "scoring": "neg_log_loss"},
        {"early_stopping": True, "validation_split": ShuffleSplit(test_size=0.2)},
        {"solver": "lbfgs"},
        {"solver": "sgd", "learning_rate_init": 1e200, "on_divergence": "rescue"},
    ],
)
def test_a_fit_leaves_the_process_as_it_was(parameters):
    def settings():
        name, keys, *rest = np.random.get_state()
        return (
            threadpoolctl.threadpool_info(),
            dict(os.environ),
            np.geterr(),
            list(warnings.filters),
            (name, keys.tolist(), *rest),
        )

    before = settings()
    MLPClassifier(max_iter=3, random_state=0, **parameters).fit(*IRIS)
    assert settings() == before
