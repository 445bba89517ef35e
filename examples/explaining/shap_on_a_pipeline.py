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
from sknn.explain import as_shap_model, explain

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
# Explained is the margin of "malignant", the logarithm of its odds. Values add up there;
# probabilities are nearly all 0 or 1 and leave nothing to divide. The background says
# what "not knowing a column" means: it takes the values of a hundred training rows.

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
plt.show()
