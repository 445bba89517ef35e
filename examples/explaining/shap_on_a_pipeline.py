"""
SHAP values of a whole pipeline
===============================

A pipeline turns columns into other columns: scaled, one-hot, filled. Explanations of
its last step speak of `surface_rough` and `radius_missing`, which nobody has measured.
:func:`sknn.explain.explain` explains the pipeline as a whole, on the columns that went
in, and looks inside for the network to be fast.

The example draws a global and a local picture, and checks values and time against the
explainers of the shap package.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import shap
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn import MLPClassifier
from sknn.explain import explain

# %%
# The table: twelve measurements of tumours, one of them made into text, one with gaps,
# so that the pipeline has something to do.

data = load_breast_cancer(as_frame=True)
X = data.data[[name for name in data.data if name.startswith(("mean", "worst con"))]]
X, y = X.copy(), data.target_names[data.target]
smoothness = pd.qcut(X.pop("mean smoothness"), 3, labels=["smooth", "uneven", "rough"])
X["surface"] = smoothness.astype(str)
X.loc[X.index % 5 == 0, "mean radius"] = np.nan
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

columns = make_column_transformer(
    (
        make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()),
        make_column_selector(dtype_include="number"),
    ),
    (OneHotEncoder(), ["surface"]),
)
network = MLPClassifier(
    (32, 16), solver="lbfgs", alpha=1.0, max_iter=2000, tol=3e-3, random_state=0
)
model = make_pipeline(columns, network).fit(X_train, y_train)
print(
    f"{X.shape[1]} columns, {model[:-1].transform(X_test).shape[1]} inside the network"
)
print(f"accuracy on test rows: {model.score(X_test, y_test):.3f}")

# %%
# Every row at once
# -----------------
#
# Explained is the margin of "malignant", the logarithm of its odds. Values add up
# there; probabilities are nearly all 0 or 1 and leave nothing to divide. The background
# says what "not knowing a column" means: it takes the values of a hundred training
# rows.

settings = {
    "background": X_train.sample(100, random_state=0),
    "target": "malignant",
    "random_state": 0,
}
found = explain(model, X_test[:100], **settings)
total = found.base_values + found.values.sum(axis=1)
margin = model.decision_function(X_test[:100])
margin = margin if model.classes_[1] == "malignant" else -margin
print(f"values add up to the margin within {np.abs(total - margin).max():.0e}")

shap.plots.beeswarm(found, max_display=12, show=False, plot_size=(8, 5))
plt.xlabel("effect on the log-odds of malignant")
plt.tight_layout()
plt.show()

# %%
# Each dot is a tumour. Red values of a column are high ones, blue are low, grey are
# missing: they too have moved the prediction. The colours of `surface` are those of its
# codes and mean no order.
#
# One row
# -------
#
# The tumour that the network is least sure of. The bars lead from the mean over the
# background, at the bottom, to the margin of this row, at the top.

unsure = int(np.abs(margin).argmin())
shap.plots.waterfall(found[unsure], max_display=13, show=False)
plt.gcf().set_size_inches(8, 5.5)
plt.tight_layout(rect=(0, 0, 0.97, 1))
plt.show()

# %%
# Values and time beside shap
# ---------------------------
#
# With twelve columns Shapley values can be computed exactly [1]_, from all 4096 sets of
# columns. Other methods are held against them, on five rows and a background of thirty,
# so that this page is made quickly. shap's own explainers [2]_ are asked through
# ``method="shap:..."``, which hands them the pipeline as a function and text as codes.

rows = X_test[:5]
settings["background"] = settings["background"][:30]
exact = explain(model, rows, method="exact", **settings)
scale = np.abs(exact.values).mean()
methods = ["deep", "permutation", "kernel", "shap:Kernel", "shap:Sampling"]
results = {}
print("method             seconds   error, in mean values")
for method in methods:
    start = time.perf_counter()
    values = explain(model, rows, method=method, **settings).values
    seconds = time.perf_counter() - start
    results[method] = seconds, np.abs(values - exact.values).mean() / scale
    print(f"{method:17s} {seconds:8.3f} {results[method][1]:14.1%}")

# %%
# Down and to the left is better. Times change from run to run and machine to machine.
# shap's PermutationExplainer is not among them, because it compiles code at its first
# call, which takes many seconds.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for method, (seconds, error) in results.items():
    by_shap = method.startswith("shap:")
    color, marker = ("#D55E00", "s") if by_shap else ("#0072B2", "o")
    ax.loglog(seconds, error, marker, color=color, ms=9)
    side = {"ha": "right", "xytext": (-9, 0)} if by_shap else {"xytext": (9, 0)}
    ax.annotate(
        method, (seconds, error), textcoords="offset points", va="center", **side
    )
ax.set(xlabel="seconds for five rows", ylabel="mean error, in mean absolute values")
ax.set_xlim(0.03, 30)
ax.margins(y=0.2)
ax.grid(alpha=0.3)
plt.show()

# %%
# On five rows, the methods from within the network spend most of their time on finding
# it behind the pipeline. That is done once for all rows of a call:

settings["background"] = X_train.sample(100, random_state=0)
for method in ("deep", "permutation"):
    start = time.perf_counter()
    explain(model, X_test, method=method, **settings)
    seconds = time.perf_counter() - start
    print(f"{method:12s} {len(X_test)} rows, 100 background rows: {seconds:.2f} s")

# %%
# Three caveats. `"deep"` is the fastest and is biased: its error does not shrink with
# more work, see :doc:`the guide </guide/explain>`. Values depend on the background:
# with benign tumours alone, they would answer another question. And they explain the
# model, not the disease: `mean area`, `mean perimeter` and `mean radius` say nearly the
# same, and how the network has shared the credit among them is its own affair.
#
# .. [1] Shapley, "A value for n-person games", in *Contributions to the Theory of
#    Games* II, Princeton, 1953.
# .. [2] Lundberg and Lee, "A unified approach to interpreting model predictions",
#    NeurIPS 2017.
