r"""
Activation functions
====================

Between the layers of a network stands a function :math:`f` that bends. Without it, all
layers together are one linear map. The forward pass uses its value, the backward pass
its slope: the gradient is multiplied by :math:`f'(z)` at each layer on its way back. So
the slope decides how much of the gradient arrives.

The first picture shows all activations of :class:`~sknn.MLPClassifier` with their
slopes. Then one network learns the digits with each of them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.activations import ACTIVATIONS

BLUE, VERMILLION = "#0072B2", "#D55E00"

# %%
# Values and slopes
# -----------------
#
# The logistic function and tanh level off on both sides: their slope goes to zero, and
# a unit that sits there hardly learns. The logistic one has a slope of 1/4 at most.
# ReLU has the slope 1 for all positive values and 0 for all negative ones, so that a
# unit can be off for good. The others keep the slope near 1 on the right and give the
# left side something to learn from: a small slope (leaky ReLU), an exponential that
# ends at a constant (ELU, SELU), or a smooth dip (GELU, SiLU, Mish).

z = np.linspace(-4, 4, 401)
figure, axes = plt.subplots(
    len(ACTIVATIONS) // 4 + 1,
    4,
    figsize=(9, 6),
    sharex=True,
    sharey=True,
    layout="constrained",
)
for ax, (name, activation) in zip(axes.flat, ACTIVATIONS.items(), strict=False):
    value, slope = np.empty_like(z), np.empty_like(z)
    activation.value_and_slope(z, value, slope)
    ax.axhline(0, color="0.8", lw=0.8)
    ax.axvline(0, color="0.8", lw=0.8)
    lines = [
        ax.plot(z, value, color=BLUE, lw=2, label="value $f(z)$")[0],
        ax.plot(z, slope, "--", color=VERMILLION, label="slope $f'(z)$")[0],
    ]
    ax.set(title=name, ylim=(-2, 3), xticks=[-4, 0, 4])
    print(f"{name:10}  slope from {slope.min():5.2f} to {slope.max():4.2f} on [-4, 4]")
for ax in axes.flat[len(ACTIVATIONS) :]:
    ax.set_axis_off()
axes.flat[-1].legend(handles=lines, loc="center", frameon=False)
figure.supxlabel("$z$")
plt.show()

# %%
# The same network with each
# --------------------------
#
# Ten digits from the first six principal components of their pictures: too few for a
# linear map. Three hidden layers of 32 units, Adam, 25 epochs, a rate that falls by a
# cosine: the same for all, and the same three seeds. The rate is not tuned for each of
# them, so this is no contest, and differences within the spread over the seeds say
# nothing. What stands out is the identity, which makes one linear map of four layers,
# and the logistic function, which shrinks the gradient in each of them. Softplus, whose
# slope at zero is 1/2, stands between.

X, X_test, y, y_test = train_test_split(
    *load_digits(return_X_y=True), test_size=0.5, random_state=0
)
pca = PCA(6, whiten=True, random_state=0).fit(X)
X, X_test = pca.transform(X), pca.transform(X_test)

scores, losses = {}, {}
for name in ACTIVATIONS:
    fits = [
        MLPClassifier(
            (32,) * 3,
            batch_size=100,
            activation=name,
            learning_rate="cosine",
            learning_rate_init=0.01,
            max_iter=25,
            n_iter_no_change=25,
            random_state=seed,
        ).fit(X, y)
        for seed in range(3)
    ]
    scores[name] = [clf.score(X_test, y_test) for clf in fits]
    losses[name] = [clf.loss_ for clf in fits]

order = sorted(ACTIVATIONS, key=lambda name: np.mean(scores[name]))
for name in reversed(order):
    print(
        f"{name:10}  accuracy {np.mean(scores[name]):.3f}, "
        f"training loss {np.mean(losses[name]):.3f}"
    )

# %%
# On the left accuracy on test data, on the right the loss that training has reached.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, values, label in [
    (axes[0], scores, "test accuracy"),
    (axes[1], losses, "training loss"),
]:
    for row, name in enumerate(order):
        ax.plot(values[name], [row] * 3, "o", color=BLUE, alpha=0.4, ms=5)
        ax.plot(np.mean(values[name]), row, "|", color=VERMILLION, ms=14, mew=2.5)
    ax.set_xlabel(f"{label}: three seeds and their mean")
    ax.grid(axis="x", color="0.9")
axes[0].set_yticks(range(len(order)), order)
plt.show()

# %%
# Sources
# -------
#
# Glorot and Bengio (AISTATS 2010) on saturating units; Nair and Hinton (ICML 2010) on
# ReLU; Clevert et al. (ICLR 2016), ELU; Klambauer et al. (NeurIPS 2017), SELU;
# Hendrycks and Gimpel (2016), GELU; Elfwing et al. (Neural Networks, 2018), SiLU; Misra
# (BMVC 2020), Mish.
