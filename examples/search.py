"""Search a pipeline at random, with early stopping in each fit.

    python examples/search.py

Twelve candidates of three folds each, in two processes, over the digits that come with
scikit-learn; a table of the best ones, and the score of the winner on rows that no fit
has seen.
"""

import time

import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import RandomizedSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

SPACE = {
    "net__learning_rate_init": loguniform(1e-4, 1e-1),
    "net__hidden_layer_sizes": [(32,), (64,), (128,), (64, 64)],
    "net__alpha": loguniform(1e-5, 10.0),
    "net__dropout": [0.0, 0.2],
}


def make_search():
    """Return the search; each fit stops by the loss of a tenth of its rows."""
    network = MLPClassifier(
        early_stopping=True,
        scoring="loss",
        learning_rate="cosine",
        max_iter=40,
        on_divergence="warn",
        random_state=0,
    )
    model = Pipeline([("scale", StandardScaler()), ("net", network)])
    return RandomizedSearchCV(model, SPACE, n_iter=12, cv=3, n_jobs=2, random_state=0)


def print_table(results, n_rows=5):
    """Print the best candidates, with the standard deviation over the folds."""
    print("rank  accuracy         rate     hidden units  alpha    dropout")
    for i in np.argsort(results["rank_test_score"])[:n_rows]:
        given = {k.removeprefix("net__"): v for k, v in results["params"][i].items()}
        score = f"{results['mean_test_score'][i]:.4f}"
        spread = f"{results['std_test_score'][i]:.4f}"
        units = "-".join(map(str, given["hidden_layer_sizes"]))
        print(
            f"{results['rank_test_score'][i]:4d}  {score} ± {spread}  "
            f"{given['learning_rate_init']:.5f}  {units:12}  "
            f"{given['alpha']:7.5f}  {given['dropout']:.1f}"
        )


def main():
    start = time.perf_counter()
    X, X_test, y, y_test = train_test_split(
        *load_digits(return_X_y=True), test_size=0.25, random_state=0
    )
    search = make_search().fit(X, y)
    print_table(search.cv_results_)
    network = search.best_estimator_["net"]
    print(f"\nepochs of the best: {network.n_iter_}, best of them {network.best_iter_}")
    print(f"accuracy on the test rows: {search.score(X_test, y_test):.4f}")
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
