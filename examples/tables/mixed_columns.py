"""
Mixed columns: numbers, categories and missing values
=====================================================

Real tables hold numbers, names and gaps. Three ways lead from such a table to a
network: a :class:`~sklearn.compose.ColumnTransformer` before it, the network's own
`categorical_features` and `missing`, or :class:`~sknn.TabularMLPClassifier`, which
takes the data frame as it is.

The example compares them where it matters most: on the gaps. A value can be missing by
chance, or because of what it would have been. In the second case the gap itself is
information, and a way of filling that hides it throws this information away.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn import MLPClassifier, TabularMLPClassifier

# %%
# A table with all three
# ----------------------
#
# The measurements of 569 tumours come with scikit-learn. Two of the columns are turned
# into categories, one of them text and one of pandas' type. Five columns are kept, so
# that each of them counts.

data = load_breast_cancer(as_frame=True)
y = data.target_names[data.target]
table = data.data[["mean radius", "mean concavity", "mean symmetry"]].copy()
labels = ["smooth", "uneven", "rough"]
table["surface"] = pd.qcut(data.data["mean smoothness"], 3, labels=labels).astype(str)
labels = ["fine", "medium", "coarse", "very coarse"]
table["texture"] = pd.qcut(data.data["mean texture"], 4, labels=labels)

# %%
# The gaps are made, in two ways. Once a third of the radii is lost by chance. Once the
# third of the *largest* radii is lost, as if the instrument had a limit that it does
# not report. The number of gaps is the same.

rng = np.random.default_rng(0)
n_missing = len(table) // 3
by_chance, by_size = table.copy(), table.copy()
chosen = rng.choice(len(table), n_missing, replace=False)
by_chance.iloc[chosen, 0] = np.nan
largest = np.argsort(table["mean radius"].to_numpy())[-n_missing:]
by_size.iloc[largest, 0] = np.nan
print(by_size.head(4).to_string())

# %%
# Three ways to a network
# -----------------------
#
# With a `ColumnTransformer` everything is said outside of the network. It can be read
# step by step, and it works for every estimator.


def columns(add_indicator):
    """Fill and scale the numbers, encode the rest."""
    filled = SimpleImputer(strategy="mean", add_indicator=add_indicator)
    numbers = make_pipeline(filled, StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore")
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (categories, make_column_selector(dtype_exclude="number")),
    )


settings = {
    "hidden_layer_sizes": (16,),
    "alpha": 1.0,
    "solver": "lbfgs",
    "max_iter": 2000,
    "tol": 3e-3,
    "random_state": 0,
}
native = {"categorical_features": "from_dtype", "scaling": "standard"}

# %%
# Straight into the network, columns of text and categories are recognised by their
# type, numbers are scaled, and `missing` says how gaps are filled: by the mean alone,
# or with a further column that tells where they were. The tabular network always adds
# that column. It is kept smaller here than its defaults are, to save time.

ways = {
    "ColumnTransformer, mean": make_pipeline(columns(False), MLPClassifier(**settings)),
    "ColumnTransformer, mean + indicator": make_pipeline(
        columns(True), MLPClassifier(**settings)
    ),
    'MLPClassifier, missing="mean"': MLPClassifier(
        **settings, **native, missing="mean"
    ),
    'MLPClassifier, missing="indicator"': MLPClassifier(
        **settings, **native, missing="indicator"
    ),
    "TabularMLPClassifier": TabularMLPClassifier(
        4, hidden_layer_sizes=(32, 32), max_iter=24, min_steps=0, random_state=0
    ),
}

# %%
# All ways see the same five folds. The log loss is compared, because it counts the
# probabilities and not just the labels: on 569 rows, one label more or less is chance.

folds = StratifiedKFold(5, shuffle=True, random_state=0)
losses = {
    (way, kind): -cross_val_score(model, X, y, cv=folds, scoring="neg_log_loss")
    for way, model in ways.items()
    for kind, X in (("by chance", by_chance), ("by size", by_size))
}
print(f"{'log loss, mean of five folds':38s} by chance  by size")
for way in ways:
    means = [losses[way, kind].mean() for kind in ("by chance", "by size")]
    print(f"{way:38s} {means[0]:9.3f} {means[1]:8.3f}")

# %%
# By hand or by keyword, the same treatment gives nearly the same losses, up to details
# of scaling. What matters is the indicator, and only where the gap says something: then
# the network learns that a missing radius is a large one. The tabular network does not
# beat a small network with a strong penalty on this small table, nor does it at its
# full size.

figure, axes = plt.subplots(
    1, 2, figsize=(9, 3.4), sharex=True, sharey=True, layout="constrained"
)
colors = ["#E69F00", "#D55E00", "#56B4E9", "#0072B2", "#009E73"]
titles = {"by chance": "radii lost by chance", "by size": "the largest radii lost"}
for ax, (kind, title) in zip(axes, titles.items(), strict=True):
    for place, (way, color) in enumerate(zip(ways, colors, strict=True)):
        found = losses[way, kind]
        ax.plot(found, [place] * len(found), "o", color=color, alpha=0.45)
        ax.plot(found.mean(), place, "D", color=color, ms=9, mec="black")
    ax.set(title=title, xlabel="log loss on held-out rows")
    ax.grid(axis="x", alpha=0.3)
axes[0].set_yticks(range(len(ways)), ways)
axes[0].invert_yaxis()
plt.show()

# %%
# Dots are folds, diamonds their means.
#
# What was never seen
# -------------------
#
# A category that training has not known, and a gap where there was none, must not stop
# a prediction. Inside the network both share a slot that starts at zero: what was never
# seen adds nothing.

model = ways['MLPClassifier, missing="indicator"'].fit(by_size, y)
malignant = model.predict_proba(by_size)[:, list(model.classes_).index("malignant")]
row = by_size.iloc[[np.abs(malignant - 0.5).argmin()]].copy()
for surface in [row["surface"].item(), "polished", None]:
    row["surface"] = surface
    probability = model.predict_proba(row)[0, list(model.classes_).index("malignant")]
    print(f"surface = {surface!s:9s} probability of malignant {probability:.3f}")

# %%
# The caveat: an indicator is right as long as values go missing for the same reason
# tomorrow. Once the instrument is replaced, a gap no longer means a large radius, and a
# model that has learned so is wrong where a plain mean would have been harmless.
