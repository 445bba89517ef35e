"""
Grid, random and halving search
===============================

How fast a network learns and how much its weights are penalised must be tried out. A
network is a step of a pipeline like any other, so scikit-learn's searches do the
trying: all points of a grid, points drawn at random, or many points at first with a few
epochs each, of which the best go on.

The three search the same two parameters on the digits, and what they cost is compared
with what they find.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    train_test_split,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.displays import LossCurveDisplay

RATE, ALPHA = "net__learning_rate_init", "net__alpha"

# %%
# A pipeline and a grid
# ---------------------
#
# The scaler is part of the pipeline, so that each fold is scaled by its own training
# rows. Names of parameters reach through the pipeline by two underscores. Rates and
# penalties go by powers of ten. The cosine lets each training end properly after its
# ``max_iter`` epochs, however few they are.

X, X_test, y, y_test = train_test_split(
    *load_digits(return_X_y=True), train_size=500, random_state=0
)
N_EPOCHS = 18
network = MLPClassifier(
    (32,),
    learning_rate="cosine",
    max_iter=N_EPOCHS,
    n_iter_no_change=N_EPOCHS,
    batch_size=50,
    random_state=0,
)
model = Pipeline([("scale", StandardScaler()), ("net", network)])
grid = {
    ALPHA: 10.0 ** np.arange(-2, 2),
    RATE: 10 ** np.arange(-3, -0.4, 0.5),
}

# %%
# Three searches
# --------------
#
# The grid has 24 points. The random search draws 8 from the same ranges; along each
# axis these are 8 different values, where the grid has four and six (Bergstra and
# Bengio 2012). Halving starts all 24 points of the grid with 2 epochs each, gives the
# best third of them 6, and the best third of those 18 (Jamieson and Talwalkar 2016).
# Each round trains anew.

searches = {
    "grid": GridSearchCV(model, grid, cv=3),
    "random": RandomizedSearchCV(
        model,
        {
            ALPHA: loguniform(1e-2, 10),
            RATE: loguniform(1e-3, 10**-0.5),
        },
        n_iter=8,
        cv=3,
        random_state=0,
    ),
    "halving": HalvingGridSearchCV(
        model,
        grid,
        resource="net__max_iter",
        min_resources=2,
        max_resources=N_EPOCHS,
        return_train_score=False,
        cv=3,
        random_state=0,
    ),
}
print("Trained are the points in each round, and epochs in all three folds.")
print("search   trained  epochs  seconds  accuracy: folds  test    alpha    rate")
for name, search in searches.items():
    start = time.perf_counter()
    search.fit(X, y)
    seconds = time.perf_counter() - start
    results = search.cv_results_
    epochs = np.sum(results.get("n_resources", N_EPOCHS * len(results["params"])))
    print(
        f"{name:8} {len(results['params']):7d}  {3 * epochs:6.0f}  {seconds:7.1f}"
        f"  {search.best_score_:15.3f}  {search.score(X_test, y_test):.3f}"
        f"  {search.best_params_[ALPHA]:6.3f}"
        f"  {search.best_params_[RATE]:.4f}"
    )

# %%
# What was looked at
# ------------------
#
# On the left all scores of the grid, with the points of the random search. The rate
# matters much, ``alpha`` little until it is large: a grid spends most of its points on
# telling apart what makes no difference. On the right how far halving took each point.
# Few epochs favour what learns fast: two of them were not enough for the rate of 0.01,
# whose scores on the left are among the best.


def on_grid(values):
    """The same order of points as in the grid: alpha by rows, rates by columns."""
    return np.reshape(values, (len(grid[ALPHA]), len(grid[RATE])))


def exponents(search, name):
    return np.log10([point[name] for point in search.cv_results_["params"]])


halving = searches["halving"].cv_results_
reached = {}
for point, epochs in zip(halving["params"], halving["n_resources"], strict=True):
    reached[point[ALPHA], point[RATE]] = epochs
axes_of_grid = np.log10(grid[RATE]), np.log10(grid[ALPHA])

figure, (scores, rounds) = plt.subplots(
    1, 2, figsize=(9, 4), sharey=True, layout="constrained"
)
image = scores.pcolormesh(
    *axes_of_grid, on_grid(searches["grid"].cv_results_["mean_test_score"]), vmin=0.8
)
figure.colorbar(image, ax=scores, label="accuracy in three folds", extend="min")
drawn = [exponents(searches["random"], name) for name in (RATE, ALPHA)]
scores.plot(*drawn, "o", mfc="white", mec="k", label="random search")
scores.legend(loc="upper left", fontsize=8)
points = [reached[alpha, rate] for alpha in grid[ALPHA] for rate in grid[RATE]]
rounds.pcolormesh(*axes_of_grid, np.log(on_grid(points)), cmap="cividis")
for rate, alpha, epochs in zip(
    *[exponents(searches["grid"], name) for name in (RATE, ALPHA)], points, strict=True
):
    rounds.text(
        rate,
        alpha,
        epochs,
        ha="center",
        va="center",
        color="white" if epochs < 18 else "k",
    )
scores.set(ylabel=r"$\log_{10}$ alpha", title="Scores")
rounds.set(title="Epochs under halving")
for ax in (scores, rounds):
    ax.set_xlabel(r"$\log_{10}$ learning_rate_init")
plt.show()

# %%
# How the candidates learn
# ------------------------
#
# A table of scores does not say why. :class:`~sknn.displays.LossCurveDisplay` fits the
# best candidates once more on all rows of the search and draws their losses, penalty
# included.

LossCurveDisplay.from_search(searches["random"], X, y, n_best=4)
plt.show()

# %%
# The page :doc:`/guide/search` says what to search first, and how to search lists of
# layers, with early stopping, and in several processes.
#
# Sources
# -------
#
# Bergstra and Bengio, "Random search for hyper-parameter optimization" (JMLR 13, 2012);
# Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter
# optimization" (AISTATS 2016), successive halving.
