"""
What a network has learned
==========================

The weights of the first layer have one number for each pixel, so each hidden unit can
be looked at as a picture: what it wants to see, and what it does not want to see.
Further in, pictures no longer help. But a layer of two units makes a point in the plane
of each sample, and the plane shows what the network holds to be alike.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from sknn import MLPClassifier, MLPTransformer
from sknn.displays import WeightsDisplay

X, X_test, y, y_test = train_test_split(
    *load_digits(return_X_y=True), test_size=0.5, random_state=0
)
X, X_test = X / 16, X_test / 16


COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"]


def network(sizes, **parameters):
    return MLPClassifier(
        sizes,
        batch_size=50,
        learning_rate="cosine",
        n_iter_no_change=np.inf,
        random_state=0,
        **parameters,
    )


# %%
# Pictures of weights
# -------------------
#
# Two networks with sixteen hidden units, the second with a penalty on its weights. Red
# pixels speak for a unit, blue ones against it. Strokes and gaps can be made out: a
# unit looks for ink in one place and for none beside it.
#
# Some pixels at the rim are empty in every picture. Their gradient is zero, so that
# without a penalty their weights are the random ones of the start. With the penalty
# they fade, and so do those of all pixels, and of whole units, that are not needed.

empty = X.max(axis=0) == 0
figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
for ax, alpha in zip(axes, (0.0, 1.0), strict=True):
    clf = network((16,), alpha=alpha, learning_rate_init=0.005, max_iter=60).fit(X, y)
    WeightsDisplay.from_estimator(clf, shape=(8, 8), ax=ax)
    ax.set_title(f"alpha={alpha}")
    print(
        f"alpha {alpha}: test accuracy {clf.score(X_test, y_test):.3f}, mean size of "
        f"weights {np.abs(clf.coefs_[0][~empty]).mean():.3f}, "
        f"of {empty.sum()} empty pixels {np.abs(clf.coefs_[0][empty]).mean():.3f}"
    )
plt.show()

# %%
# Points in the plane
# -------------------
#
# This network has a bottleneck: its last hidden layer has two units, through which all
# that it knows of a digit must pass. :class:`~sknn.MLPTransformer` gives out what a
# hidden layer computes. Beside it stand the first two principal components, which know
# nothing of the labels. How well neighbours of one kind lie together is measured by the
# accuracy of nearest neighbours in the plane, on test data.

bottleneck = network(
    (64, 2),
    activation=("relu", "identity"),
    alpha=0.05,
    learning_rate_init=0.02,
    max_iter=100,
)
planes = {
    "Hidden layer of two units": MLPTransformer(bottleneck),
    "Principal components": PCA(2),
}
figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
for ax, (name, transformer) in zip(axes, planes.items(), strict=True):
    points = transformer.fit(X, y).transform(X_test)
    neighbours = KNeighborsClassifier(15).fit(transformer.transform(X), y)
    accuracy = neighbours.score(points, y_test)
    print(f"{name}: accuracy of nearest neighbours {accuracy:.3f}")
    for digit in range(10):
        where = points[y_test == digit].T
        ax.scatter(*where, s=18, lw=0.2, c=COLOURS[digit % 5], marker=f"${digit}$")
    ax.set(title=name, xlabel="first feature", ylabel="second feature")
plt.show()

# %%
# The network pulls most digits apart into rays, because its output layer tells classes
# apart by directions. What lies between two rays is a digit that it is not sure of. The
# principal components show most of the variance, which is not what tells digits apart.
#
# Sources
# -------
#
# Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks"
# (Science 313, 2006), on bottlenecks; Donahue et al., "DeCAF" (ICML 2014), on hidden
# layers as features.
