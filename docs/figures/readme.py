"""Draw the README's picture, readme.png: boundary, losses, speed, explanation."""

import csv
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.displays import LossCurveDisplay
from sknn.explain import explain

HERE = Path(__file__).parent
BLUE, VERMILLION, ORANGE = "#0072B2", "#D55E00", "#E69F00"
SETTINGS = {
    "hidden_layer_sizes": (32, 32),
    "learning_rate": "cosine",
    "max_iter": 60,
    "learning_rate_init": 0.003,
    "dropout": 0.2,
    "early_stopping": True,
    "scoring": "loss",
    "n_iter_no_change": 60,
    "random_state": 0,
}


def fit(X, y):
    """Return a pipeline of scaling and a network."""
    return make_pipeline(StandardScaler(), MLPClassifier(**SETTINGS)).fit(X, y)


def draw_boundary(ax, X, y):
    """Draw what a network makes of two measurements."""
    X = X[["mean radius", "mean texture"]]
    DecisionBoundaryDisplay.from_estimator(
        fit(X, y),
        X,
        response_method="predict_proba",
        class_of_interest="malignant",
        cmap="PuOr_r",
        alpha=0.5,
        ax=ax,
    )
    for name, colour, marker in (
        ("benign", "#5e3c99", "o"),
        ("malignant", "#b35806", "^"),
    ):
        of = y == name
        ax.scatter(*X[of].to_numpy().T, s=9, c=colour, marker=marker, label=name)
    ax.legend(loc="upper left", fontsize=8)
    ax.set_title("Two measurements of tumours")


def draw_speed(ax):
    """Draw the table of fits."""
    with (HERE / "fit_speed.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["dtype"] == "float32"]
    at = np.arange(len(rows))[::-1]
    for shift, column, label, colour in (
        (0.2, "scikit_learn_ratio", "scikit-learn", ORANGE),
        (-0.2, "torch_ratio", "PyTorch", BLUE),
    ):
        widths = [float(row[column]) for row in rows]
        bars = ax.barh(at + shift, widths, height=0.38, color=colour, label=label)
        ax.bar_label(bars, fmt="%.1f ×", padding=2, fontsize=8)
    ax.axvline(1, color="black", lw=1)
    ax.set_yticks(at, [row["network"] for row in rows], fontsize=8)
    ax.set_xlim(0, 10.5)
    ax.set_xlabel("time of a fit in units of sknn's")
    ax.legend(loc="lower right", fontsize=8)
    ax.set_title("Others' time, float32, one core")


def draw_explanation(ax, model, X, row):
    """Draw what moves one prediction."""
    found = explain(
        model, row, background=X.sample(100, random_state=0), target="malignant"
    )[0]
    strongest = np.abs(found.values).argsort()[-7:]
    values = found.values[strongest]
    names = [f"{found.feature_names[j]} = {found.data[j]:.3g}" for j in strongest]
    ax.barh(names, values, color=np.where(values > 0, VERMILLION, BLUE))
    ax.axvline(0, color="black", lw=1)
    ax.tick_params(axis="y", labelsize=8)
    ax.set_xlabel("effect on the log-odds of malignant")
    ax.set_title("What moves one prediction")


def main():
    """Draw the four panels."""
    data = load_breast_cancer(as_frame=True)
    X, y = data.data, data.target_names[data.target]
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    model = fit(X, y)
    print(f"accuracy on test rows: {model.score(X_test, y_test):.3f}")
    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
    draw_boundary(axes[0, 0], X, y)
    LossCurveDisplay.from_estimator(model, ax=axes[0, 1])
    axes[0, 1].set_title("Training, all measurements")
    draw_speed(axes[1, 0])
    draw_explanation(axes[1, 1], model, X, X_test[y_test == "malignant"][:1])
    figure.savefig(HERE / "readme.png", dpi=110)


if __name__ == "__main__":
    main()
