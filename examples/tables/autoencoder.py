"""
An autoencoder beside PCA: codes, reconstructions, outliers
===========================================================

:class:`~sknn.MLPAutoencoder` presses each sample through a few values and learns to
give the sample back. Principal component analysis does the same with straight lines.
This example trains an autoencoder on small images of digits and holds it against PCA in
three uses: a map in two dimensions, reconstruction, and the search for outliers.

The reader learns what the bends of a network buy over straight lines, what they cost in
interpretation, and how to compare the two fairly.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from sknn import MLPAutoencoder

X, y = load_digits(return_X_y=True)
X = X / 16  # ink of a pixel, from 0 to 1
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)


def autoencoder(n_components):
    """Two hidden layers on the way in, the same two on the way out."""
    return MLPAutoencoder(
        n_components,
        (128, 64),
        learning_rate="one_cycle",
        learning_rate_init=0.01,
        batch_size=64,
        max_iter=50,
        n_iter_no_change=np.inf,
        dtype="float32",
        random_state=0,
    ).fit(X_train)


def share_explained(reconstructed):
    """Share of the variance of the test images that is given back."""
    lost = np.sum((X_test - reconstructed) ** 2)
    return 1 - lost / np.sum((X_test - X_test.mean(axis=0)) ** 2)


# %%
# A map
# -----
#
# Two values for each image. Labels were not used in training, they only colour the
# points. How well a map keeps kinds apart can be counted: by the nearest neighbours of
# the test images among the training images of the map.

maps = {"PCA": PCA(2).fit(X_train), "MLPAutoencoder": autoencoder(2)}
markers = "osDv^<>pXP"
figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.6), layout="constrained")
for ax, (name, model) in zip(axes, maps.items(), strict=True):
    train, test = model.transform(X_train), model.transform(X_test)
    neighbours = KNeighborsClassifier(5).fit(train, y_train)
    accuracy = neighbours.score(test, y_test)
    share = share_explained(model.inverse_transform(test))
    print(
        f"{name:15s} variance given back {share:.2f}, neighbours right {accuracy:.2f}"
    )
    for digit in range(10):
        ax.scatter(
            *test[y_test == digit].T,
            s=18,
            marker=markers[digit],
            color=plt.colormaps["viridis"](digit / 9),
            label=str(digit),
        )
    ax.set(title=f"{name}: {share:.0%} given back", xlabel="code 1", ylabel="code 2")
axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), title="digit", fontsize=9)
plt.show()

# %%
# The autoencoder's map keeps more of the images and tells more kinds apart. Distances
# in it mean less: nothing makes the codes even, and another `random_state` draws
# another map.
#
# Reconstructions
# ---------------
#
# Eight values are enough to recognise most digits. PCA gives blurred ones back, because
# it can only add and subtract the same eight pictures.

pca, auto = PCA(8).fit(X_train), autoencoder(8)
rows = {
    "image": X_test[:10],
    "PCA": pca.inverse_transform(pca.transform(X_test[:10])),
    "autoencoder": auto.predict(X_test[:10]),
}
shares = {
    "PCA": share_explained(pca.inverse_transform(pca.transform(X_test))),
    "autoencoder": auto.score(X_test),
}
print({name: round(float(share), 3) for name, share in shares.items()})
figure, axes = plt.subplots(3, 10, figsize=(9.5, 3.2), layout="constrained")
for line, (name, images) in zip(axes, rows.items(), strict=True):
    for ax, image in zip(line, images, strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name)
plt.show()

# %%
# Outliers
# --------
#
# What a model has not seen, it gives back badly: the error of reconstruction is a
# measure of strangeness. As strangers, the test images are disturbed in three ways:
# turned upside down, with their columns put in another order, and with noise. The last
# two are made up; a real stranger rarely comes announced.

rng = np.random.default_rng(0)
images = X_test.reshape(-1, 8, 8)
strangers = {
    "upside down": images[:, ::-1, ::-1].reshape(len(X_test), -1),
    "columns shuffled": images[:, :, rng.permutation(8)].reshape(len(X_test), -1),
    "noise of 0.15": np.clip(X_test + rng.normal(0, 0.15, X_test.shape), 0, 1),
}


def strangeness(model, X):
    return np.sum((X - model.inverse_transform(model.transform(X))) ** 2, axis=1)


finders = {
    "PCA, 8": (pca, "s", "#D55E00"),
    "PCA, 30": (PCA(30).fit(X_train), "^", "#E69F00"),
    "autoencoder, 8": (auto, "o", "#0072B2"),
}
figure, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
print("area under the ROC curve  ", *(f"{name:>17s}" for name in strangers))
for name, (model, marker, color) in finders.items():
    known = strangeness(model, X_test)
    areas = [
        roc_auc_score(
            np.repeat([0, 1], len(X_test)),
            np.concatenate([known, strangeness(model, X_strange)]),
        )
        for X_strange in strangers.values()
    ]
    print(f"{name:26s}", *(f"{area:17.3f}" for area in areas))
    ax.plot(areas, range(3), marker, color=color, ms=9, label=name)
ax.set_yticks(range(3), strangers)
ax.set(xlabel="area under the ROC curve (0.5 is chance)", ylim=(-0.5, 2.5))
ax.legend(loc="center left", fontsize=9)
plt.show()

# %%
# With as many values, the autoencoder finds strangers better. But nobody has to give
# PCA as few: with thirty components it finds noise better than the autoencoder does, in
# a moment and with the same result every time. Shapes in wrong places remain easier to
# see for the autoencoder. Try PCA first, with its own best number of components.
#
# Hinton and Salakhutdinov [1]_ made such maps first with deep networks. For large
# images, convolutions in a deep-learning framework do better than layers that know
# nothing of neighbouring pixels.
#
# .. [1] Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural
#    networks", Science 313, 2006.
