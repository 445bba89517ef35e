"""Tune a network in a pipeline, hold it against scikit-learn's, and explain it.

Run it with a folder for the figures, or without:

    python examples/quickstart.py [folder]

The data come with scikit-learn: 569 tumours, 30 measurements each, malignant or
benign. Two measurements are turned into categories, to have strings in the table.
"""

import statistics
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # figures go to files, no screen is needed

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import shap
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier as ScikitLearnMLP
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from sknn import MLPClassifier
from sknn.displays import LossCurveDisplay
from sknn.explain import compare, explain, report

SETTINGS = {"learning_rate_init": 0.005, "max_iter": 300, "random_state": 0}
GRID = {
    "network__hidden_layer_sizes": [(32,), (64, 32)],
    "network__alpha": [1e-4, 1e-1],
    "network__dropout": [0.0, 0.2],
}


def load_table():
    """Return the measurements, two of them as categories, and the diagnoses."""
    data = load_breast_cancer(as_frame=True)
    X, y = data.data, data.target_names[data.target]
    for name, labels in (
        ("mean area", ["small", "medium", "large"]),
        ("mean smoothness", ["smooth", "uneven", "rough"]),
    ):
        X[name] = pd.qcut(X[name], len(labels), labels=labels)
    return train_test_split(X, y, stratify=y, random_state=0)


def make_pipeline(network):
    """Scale numbers, encode categories, and put the network behind."""
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(), make_column_selector(dtype_include="category")),
    )
    return Pipeline([("columns", columns), ("network", network)])


def tune(X, y):
    """Search layers, penalty and dropout with five-fold cross-validation."""
    return GridSearchCV(make_pipeline(MLPClassifier(**SETTINGS)), GRID).fit(X, y)


def fit_side_by_side(parameters, X, y, repeats=5):
    """Fit both packages' networks with the same parameters, in turn, on one thread."""
    models = [
        make_pipeline(network(**SETTINGS, **parameters))
        for network in (MLPClassifier, ScikitLearnMLP)
    ]
    seconds = [[], []]
    with threadpool_limits(1):
        for _ in range(repeats):
            for model, times in zip(models, seconds, strict=True):
                start = time.perf_counter()
                model.fit(X, y)
                times.append(time.perf_counter() - start)
    return models, [statistics.median(times) for times in seconds]


def report_scores(search, models, seconds, X, y):
    best = {
        name.removeprefix("network__"): value
        for name, value in search.best_params_.items()
    }
    ours, theirs = models
    gap = np.abs(ours.predict_proba(X) - theirs.predict_proba(X)).max()
    print(f"best of {len(search.cv_results_['params'])} candidates: {best}")
    print(f"accuracy in cross-validation: {search.best_score_:.3f}")
    print(f"accuracy on the test rows:    {search.score(X, y):.3f}\n")
    print("the same layers and alpha, no dropout     test accuracy   median fit")
    print(f"    sknn.MLPClassifier                    {ours.score(X, y):.3f}", end="")
    print(f"           {1000 * seconds[0]:.0f} ms")
    print(f"    sklearn's MLPClassifier               {theirs.score(X, y):.3f}", end="")
    print(f"           {1000 * seconds[1]:.0f} ms")
    print(f"    their probabilities differ by at most {gap:.0e}\n")


def draw_loss_curve(search):
    network = search.best_estimator_.named_steps["network"]
    display = LossCurveDisplay.from_estimator(search, log_scale=True)
    sizes = "-".join(map(str, network.hidden_layer_sizes))
    display.ax_.set_title(f"hidden units {sizes}, alpha {network.alpha:g}")


def explain_rows(model, X_train, rows, method="auto"):
    """Explain the margin of "malignant" on the original columns."""
    return explain(
        model,
        rows,
        background=X_train.sample(100, random_state=0),
        method=method,
        target="malignant",
        random_state=0,
    )


def save(folder, name):
    plt.gcf().savefig(folder / name, dpi=120, bbox_inches="tight")
    plt.close("all")


def print_lime(lime, n_features=5):
    """Print what weighs most in one row's local linear model."""
    print(f"LIME, local R² {lime.score_:.2f}: strongest for and against malignant")
    for j in np.abs(lime.values).argsort()[::-1][:n_features]:
        value = lime.display_data[j]
        shown = value if isinstance(value, str) else f"{value:.4g}"
        print(f"    {lime.values[j]:+.2f}  {lime.feature_names[j]} = {shown}")


def print_comparison(model, X_train, X_test, n_rows=10):
    """Print which method can be believed, and what it costs."""
    background, rows = X_train.sample(100, random_state=0), X_test[:n_rows]
    settings = {"background": background, "target": "malignant", "random_state": 0}
    found = {
        method: explain(model, rows, method=method, **settings)
        for method in ("permutation", "deep", "lime")
    }
    table = compare(found, model, rows, background=background, target="malignant")
    columns = ["infidelity", "deletion_auc", "insertion_auc", "compute_time"]
    print(f"\nmethods on {n_rows} rows, the most faithful first")
    print(table[columns].round(3).to_string())


def main(folder):
    start = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    X_train, X_test, y_train, y_test = load_table()

    search = tune(X_train, y_train)
    same = {
        name: search.best_params_[f"network__{name}"]
        for name in ("hidden_layer_sizes", "alpha")
    }
    models, seconds = fit_side_by_side(same, X_train, y_train)
    report_scores(search, models, seconds, X_test, y_test)
    draw_loss_curve(search)
    save(folder, "loss_curve.png")

    model = search.best_estimator_
    unsure = int(np.abs(search.decision_function(X_test[:50])).argmin())
    shapley = explain_rows(model, X_train, X_test[:50])
    lime = explain_rows(model, X_train, X_test[unsure : unsure + 1], method="lime")
    shap.plots.beeswarm(shapley, max_display=12, show=False)
    plt.xlabel("SHAP value: effect on the log-odds of malignant")
    save(folder, "shap_beeswarm.png")
    shap.plots.waterfall(shapley[unsure], max_display=12, show=False)
    save(folder, "shap_waterfall.png")
    print(f"test row {unsure} is the one the network is least sure of")
    print_lime(lime[0])
    print_comparison(model, X_train, X_test)
    report(
        model,
        X_test,
        y_test,
        folder / "report.html",
        background=X_train.sample(100, random_state=0),
        target="malignant",
    )
    print(f"\n{time.perf_counter() - start:.0f} s, figures in {folder.resolve()}:")
    print(*(f"    {path.name}" for path in sorted(folder.iterdir())), sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "quickstart_output"))
