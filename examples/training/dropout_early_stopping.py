r"""
Dropout, penalty, early stopping
================================

A network with more weights than samples can learn the samples by heart, noise included.
The training loss then goes on falling while the loss on other data has long begun to
rise. The gap between the two is over-fitting, and only data that training has not seen
can show it.

Three cures are compared here on data where the disease is severe: stop in time,
penalise weights, or drop units at random.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor
from sknn.displays import LossCurveDisplay

# %%
# Few samples, much noise
# -----------------------
#
# Ten measurements of 442 patients, and the progress of their diabetes a year later,
# much of which the measurements do not explain. 150 rows train, 150 validate, the
# others test. The network has more than a hundred times as many weights as rows to
# train on.

X, y = load_diabetes(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, train_size=300, random_state=0)
X, X_val, y, y_val = train_test_split(X, y, train_size=150, random_state=0)
scaler = StandardScaler().fit(X)
X, X_val, X_test = (scaler.transform(part) for part in (X, X_val, X_test))


def fit(**parameters):
    """With `X_val` the validation loss is recorded, and used by early stopping only."""
    network = MLPRegressor(
        hidden_layer_sizes=(128, 128),
        normalize_y=True,
        batch_size=32,
        learning_rate="cosine",
        learning_rate_init=0.002,
        max_iter=70,
        random_state=0,
        **{"n_iter_no_change": np.inf, **parameters},
    )
    return network.fit(X, y, X_val=X_val, y_val=y_val)


cures = {
    "none": {},
    "early stopping": {
        "early_stopping": True,
        "scoring": "loss",
        "n_iter_no_change": 15,
    },
    "alpha=3": {"alpha": 3.0},
    "dropout=0.5": {"dropout": 0.5},
}
fits = {name: fit(**parameters) for name, parameters in cures.items()}
n_weights = sum(w.size for w in fits["none"].coefs_ + fits["none"].intercepts_)
print(f"{n_weights} weights, {len(X)} rows")
print("cure             epochs  R2 on training  R2 on test data")
for name, network in fits.items():
    print(
        f"{name:15}  {network.n_iter_:6d}  {network.score(X, y):14.2f}"
        f"  {network.score(X_test, y_test):15.2f}"
    )

# %%
# The curves
# ----------
#
# Without a cure the validation loss is best within a few epochs, and rises while the
# training loss goes to zero. **Early stopping** keeps the weights of the best epoch.
# **alpha** adds :math:`\frac{\alpha}{2n} \|W\|^2` to the loss of a batch of :math:`n`
# samples: weights are small unless the data insist. The training loss in the picture
# holds this penalty. **Dropout** switches off half of the units at random in each step,
# so that no unit can rely on another one (Srivastava et al. 2014); its training loss is
# that of the thinned network and stays higher.

figure, axes = plt.subplots(
    2, 2, figsize=(9, 6.5), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, network) in zip(axes.flat, fits.items(), strict=True):
    LossCurveDisplay.from_estimator(network, ax=ax)
    ax.set(ylim=(0, 0.8))
    ax.set_title(f"{name}, test $R^2$ {network.score(X_test, y_test):.2f}")
plt.show()

# %%
# How much of it
# --------------
#
# Too little does not help, too much lets nothing be learned. The validation data
# choose, and the test data say what the choice is worth.

doses = {
    "alpha": [0.01, 0.1, 0.3, 1.0, 3.0, 10.0],
    "dropout": [0.0, 0.2, 0.4, 0.6, 0.8],
}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
for ax, (name, values) in zip(axes, doses.items(), strict=True):
    tried = [fit(**{name: value}) for value in values]
    for data, targets, label, colour, style in [
        (X, y, "training", "#0072B2", "o-"),
        (X_val, y_val, "validation", "#D55E00", "s--"),
        (X_test, y_test, "test", "#009E73", "^:"),
    ]:
        scores = [network.score(data, targets) for network in tried]
        ax.plot(values, scores, style, color=colour, label=label)
    ax.set(xlabel=name, ylim=(-0.05, 1.05))
    best = np.argmax([network.score(X_val, y_val) for network in tried])
    score = tried[best].score(X_test, y_test)
    print(f"{name}: {values[best]} on validation data, R2 {score:.2f} on test data")
axes[0].set(xscale="log", ylabel="$R^2$")
axes[0].legend()
plt.show()

# %%
# More cures
# ----------
#
# More data is the best one. ``label_smoothing`` keeps a classifier from being too sure
# of its training labels (Szegedy et al. 2016), and several networks together
# (:class:`~sknn.MLPEnsembleRegressor`) forget part of what each has learned by heart.
#
# Sources
# -------
#
# Morgan and Bourlard, "Generalization and parameter estimation in feedforward nets"
# (NeurIPS 1989), early stopping; Krogh and Hertz, "A simple weight decay can improve
# generalization" (NeurIPS 1991); Srivastava et al., "Dropout" (JMLR 15, 2014); Szegedy
# et al., "Rethinking the Inception architecture" (CVPR 2016); Efron et al., "Least
# angle regression" (Annals of Statistics 32, 2004), the data.
