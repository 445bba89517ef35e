"""
Monotone constraints: what is known before training
===================================================

Sometimes the direction of an effect is known before any data are seen: a higher blood
pressure does not slow a disease down, a larger flat is not cheaper for being larger. A
network does not know this, and follows the noise of a small table into curves that
nobody can believe. With `monotonic_cst` the prediction cannot fall (or rise) with a
feature, anywhere, and not just on the training data.

The example looks at curves with and without constraints, at what they do to the error
on unseen patients, and at what happens if the knowledge is wrong.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)

# %%
# The same network three times: free, with three features that may only raise the
# prediction, and with one sign that is wrong on purpose. The three are body mass index
# (`bmi`), blood pressure (`bp`) and the logarithm of triglycerides (`s5`).

CONSTRAINTS = {
    "free": {},
    "bmi, bp, s5 rising": {"bmi": 1, "bp": 1, "s5": 1},
    "bmi falling (wrong)": {"bmi": -1},
}


def network(constraints):
    mlp = MLPRegressor(
        hidden_layer_sizes=(32,),
        monotonic_cst=[constraints.get(name, 0) for name in X] if constraints else None,
        alpha=0.1,
        normalize_y=True,
        learning_rate="cosine",
        learning_rate_init=0.01,
        max_iter=100,
        n_iter_no_change=np.inf,
        random_state=0,
    )
    return make_pipeline(StandardScaler(), mlp)


# %%
# 150 of the 442 patients are trained on, the others are for the score, ten times over.
# Of each fit the curve of every patient is kept: its prediction when one feature takes
# values from the 5th to the 95th percentile and all else stays [1]_.

FEATURES = ["bmi", "bp", "s5"]
GRIDS = {name: np.linspace(*X[name].quantile([0.05, 0.95]), 25) for name in FEATURES}


def curves_of(model, rows, feature):
    """Predict each row with each value of the grid in place of its own."""
    grid = GRIDS[feature]
    copies = rows.loc[rows.index.repeat(len(grid))].copy()
    copies[feature] = np.tile(grid, len(rows))
    return model.predict(copies).reshape(len(rows), len(grid))


scores = {name: [] for name in CONSTRAINTS}
means = {(name, feature): [] for name in CONSTRAINTS for feature in FEATURES}
falling = {name: [] for name in CONSTRAINTS}
for train, test in ShuffleSplit(10, train_size=150, random_state=0).split(X):
    for name, constraints in CONSTRAINTS.items():
        model = network(constraints).fit(X.iloc[train], y.iloc[train])
        scores[name].append(model.score(X.iloc[test], y.iloc[test]))
        for feature in FEATURES:
            curves = curves_of(model, X.iloc[test], feature)
            means[name, feature].append(curves.mean(axis=0))
            falling[name].append(np.mean(np.diff(curves).min(axis=1) < -1e-3))

print("                       R² on unseen  curves that     spread of")
print("                         patients   fall somewhere  mean curves")
for name in CONSTRAINTS:
    spread = np.mean([np.std(means[name, feature], axis=0) for feature in FEATURES])
    print(f"{name:20s} {np.mean(scores[name]):12.3f}", end=" ")
    print(f"{np.mean(falling[name]):14.0%} {spread:14.1f}")

# %%
# Above, the curves of thirty patients against blood pressure, by the last of the ten
# fits without constraints and by that with them. Curves that fall somewhere are drawn
# thick and dashed. Below, the mean curves of all ten fits, and the scores.

BLUE, RED, GREY = "#0072B2", "#D55E00", "#777777"
FREE, RISING, WRONG = CONSTRAINTS
figure, axes = plt.subplots(2, 2, figsize=(8, 6.4), layout="constrained")
axes = axes.ravel()
for ax, name in zip(axes, (FREE, RISING), strict=False):
    model = network(CONSTRAINTS[name]).fit(X.iloc[train], y.iloc[train])
    for curve in curves_of(model, X.iloc[test[:30]], "bp"):
        if np.diff(curve).min() < -1e-3:
            ax.plot(GRIDS["bp"], curve, "--", color=RED, lw=1.5)
        else:
            ax.plot(GRIDS["bp"], curve, color=GREY, lw=0.8)
    ax.set(xlabel="bp", title=f"{name}, one fit", ylim=(30, 300))
for ax in axes[[0, 2]]:
    ax.set_ylabel("predicted progression")
for name, color, style in ((FREE, RED, "--"), (RISING, BLUE, "-")):
    lines = np.array(means[name, "bp"])
    axes[2].plot(GRIDS["bp"], lines.T, color=color, alpha=0.3, lw=0.8)
    axes[2].plot(
        GRIDS["bp"], lines.mean(axis=0), style, color=color, lw=2.5, label=name
    )
axes[2].set(xlabel="bp", title="means, ten fits", ylim=(100, 210))
axes[2].legend(fontsize=8, loc="upper left")
for place, (name, color) in enumerate(
    zip(CONSTRAINTS, (RED, BLUE, "black"), strict=True)
):
    axes[3].plot([place] * 10, scores[name], "o", color=color, alpha=0.4)
    axes[3].plot(place, np.mean(scores[name]), "D", color=color, ms=9, mec="white")
axes[3].set_xticks(range(3), ["free", "rising", "bmi\nfalling"])
axes[3].set(title="R² on unseen patients", xlim=(-0.5, 2.5))
plt.show()

# %%
# With the right constraints the fits differ a little less, and they are better on
# unseen patients: what is known need not be learned from noise. The wrong one makes
# fits alike, too. That fits agree is no sign that they are right.
#
# Three caveats.
#
# - A constraint is a statement about the model with all other features held still. In
#   a table of features that go together, that is not the statement that heavier
#   patients have more of the disease.
# - A wrong sign is not refused, and its price can be small: other features step in for
#   the one that is shut off, and the score looks almost healthy. The score is no proof
#   of a constraint.
# - The curves are averages over combinations that may not occur. Where features go
#   together closely, they show the model outside of the data.
#
# The layers behind it are those of Runje and Shankaranarayana [2]_.
#
# .. [1] Goldstein, Kapelner, Bleich and Pitkin, "Peeking inside the black box:
#    visualizing statistical learning with plots of individual conditional expectation",
#    Journal of Computational and Graphical Statistics 24, 2015.
# .. [2] Runje and Shankaranarayana, "Constrained monotonic neural networks", ICML 2023.
