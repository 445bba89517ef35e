"""
Pictures of a network
=====================

Four displays show a network and its training: curves against epochs, the weights of a
layer, the architecture, and the gradients within. They follow scikit-learn's
convention: ``from_estimator`` collects and draws, ``plot`` draws again on other axes.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from sknn import MLPClassifier
from sknn.displays import (
    GradientFlowDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    WeightsDisplay,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)

network = MLPClassifier(
    (24,),
    learning_rate="cosine",
    learning_rate_init=0.01,
    max_iter=30,
    n_iter_no_change=30,
    early_stopping=True,
    scoring="loss",
    alpha=0.01,
    diagnostics=True,
    random_state=0,
).fit(X_train, y_train)
print(f"test accuracy: {network.score(X_test, y_test):.3f}")

# %%
# Training and validation
# -----------------------
# :class:`~sknn.displays.LossCurveDisplay` draws what training recorded. The ring marks
# the epoch whose weights early stopping has kept.

LossCurveDisplay.from_estimator(network)
plt.show()

# %%
# Several settings
# ----------------
# A search keeps scores, not curves. ``from_search`` fits its candidates once more and
# draws them in the order of their ranks.

grid = {"learning_rate_init": [0.001, 0.003, 0.01]}
search = GridSearchCV(network, grid, cv=2).fit(X_train, y_train)
LossCurveDisplay.from_search(search, X_train, y_train, log_scale=True)
plt.show()

# %%
# What the units look for
# -----------------------
# The inputs are the pixels of images of 8 by 8, so the weights of each hidden unit are
# such an image as well: red pixels drive the unit up, blue ones down. A unit that is
# off for all samples gets no gradient. Only the penalty still moves its weights,
# towards zero, and its image turns pale.

dead = network.history_["dead_units"][-1][0]
print(f"dead units after the last epoch: {24 * dead:.0f} of 24")
WeightsDisplay.from_estimator(network, shape=(8, 8))
plt.show()

# %%
# The kernel of the output layer, as a map: one row for each hidden unit, one column for
# each digit.

WeightsDisplay.from_estimator(network, layer=-1)
plt.show()

# %%
# The whole network
# -----------------
# :class:`~sknn.displays.NetworkDisplay` draws units and weights, of large layers the
# first and the last units.

NetworkDisplay.from_estimator(network)
plt.show()

# %%
# Below the loss
# --------------
# With ``diagnostics=True`` the norm of the gradient of each layer has been recorded,
# and the share of ReLU units that are off for all samples.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
GradientFlowDisplay.from_estimator(network, ax=left)
GradientFlowDisplay.from_estimator(network, metric="dead_units", ax=right)
plt.show()
