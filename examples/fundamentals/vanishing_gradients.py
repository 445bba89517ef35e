r"""
Vanishing gradients
===================

Going back through a layer, the gradient is multiplied by the slope of the activation
and by the layer's weights. Through twenty layers that is a product of twenty factors.
If each is a little below one, nothing arrives at the first layers, and they do not
learn. If each is a little above, the first layers get steps in the wrong measure.

Six networks of twenty hidden layers learn the digits, from the logistic function of the
eighties to residual blocks. ``diagnostics=True`` lets us look at the gradient in each
layer.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.displays import GradientFlowDisplay

# %%
# Six deep networks
# -----------------
#
# - ``logistic``: its slope is 1/4 at most, so that each layer takes three quarters
#   of the gradient or more, unless large weights make up for it.
# - ``tanh``: its slope at zero is 1. Glorot and Bengio (2010) chose the variance of the
#   first weights such that a signal keeps its size both ways.
# - ``ReLU``: half of the units are off, and the signal loses half of its variance in
#   each layer. He et al. (2015) make the first weights larger by :math:`\sqrt 2`.
# - ``batch norm`` (Ioffe and Szegedy 2015) brings the values of each unit back to mean
#   0 and variance 1, whatever the layer before has done.
# - ``residual`` (He et al. 2016) lets each layer add to what passes, instead of
#   replacing it. On the way around the layers nothing is multiplied. Here the blocks
#   are normalised, too.

networks = {
    "logistic": {"activation": "logistic"},
    "tanh": {"activation": "tanh"},
    "ReLU": {},
    "ReLU, He": {"weight_init": "he"},
    "ReLU, He, batch norm": {"weight_init": "he", "normalization": "batch"},
    "ReLU, batch norm, residual": {"normalization": "batch", "residual": True},
}
X, X_test, y, y_test = train_test_split(
    *load_digits(return_X_y=True), test_size=0.3, random_state=0
)
X, X_test = X / 8 - 1, X_test / 8 - 1


def train(parameters):
    """Return the fitted network and what it says of its own health."""
    network = MLPClassifier(
        (32,) * 20,
        batch_size=64,
        learning_rate="cosine",
        learning_rate_init=0.002,
        max_iter=15,
        n_iter_no_change=15,
        diagnostics=True,
        random_state=0,
        **parameters,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        network.fit(X, y)
    return network, [str(warning.message) for warning in caught]


# %%
# A network whose gradients vanish says so, and what to do about it.

fits, scores = {}, {}
for name, parameters in networks.items():
    fits[name], ills = train(parameters)
    scores[name] = fits[name].score(X_test, y_test)
    first, *_, last = fits[name].history_["gradient_norm"][0]
    print(f"{name:26}  gradient {first:.0e} to {last:.0e}, accuracy {scores[name]:.3f}")
    for ill in ills:
        print("   ", ill)

# %%
# Gradient and accuracy
# ---------------------
#
# On the left the norm of the gradient in each layer after the first epoch, on the right
# what came of it. Read the left picture from the output, at its right end, back to the
# first layer. For ``logistic`` the line falls without end: this network answers the
# same for every digit. He's weights lift the line of ReLU, though in
# these few epochs accuracy gains nothing from it.
#
# Batch normalisation alone keeps the signal in order on its way forward, but not the
# gradient on its way back. It grows with each layer: by the root of
# :math:`\pi / (\pi - 1)`, which is 1.21, in a mean field (Yang et al. 2019). In twenty
# layers that is too much. With residual blocks around it, the same normalisation trains
# best.

COLOURS = ["black", "#56B4E9", "#E69F00", "#CC79A7", "#D55E00", "#0072B2"]
MARKERS = ["x", "v", "s", "D", "^", "o"]
figure, (flow, accuracy) = plt.subplots(
    1, 2, figsize=(9, 4.2), width_ratios=[3, 2], layout="constrained"
)
for row, name in enumerate(networks):
    norms = fits[name].history_["gradient_norm"][0]
    look = {"color": COLOURS[row], "marker": MARKERS[row]}
    flow.plot(range(1, len(norms) + 1), norms, ms=4, label=name, **look)
    accuracy.plot([0, scores[name]], [row, row], color="0.85", zorder=1)
    accuracy.plot(scores[name], row, ms=9, **look)
    accuracy.annotate(
        f"{scores[name]:.2f}",
        (scores[name], row),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
    )
flow.set(
    yscale="log",
    xlabel="layer, the 21st is the output",
    ylabel="norm of the gradient",
    xticks=[1, 5, 10, 15, 21],
)
accuracy.set(xlabel="test accuracy", xlim=(0, 1.08), ylim=(-0.6, 5.4))
accuracy.set_yticks(range(len(networks)), networks)
accuracy.invert_yaxis()
accuracy.yaxis.tick_right()
plt.show()

# %%
# Through all of training
# -----------------------
#
# :class:`~sknn.displays.GradientFlowDisplay` shows every layer in every epoch. In the
# logistic network the gradient dies on its way down, and more so from epoch to epoch.
# In the residual one all layers fade together, because the loss becomes small.

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, name in zip(axes, ["logistic", "ReLU, batch norm, residual"], strict=True):
    GradientFlowDisplay.from_estimator(fits[name], ax=ax)
    ax.set_title(name)
plt.show()

# %%
# Sources
# -------
#
# Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen" (1991), who found it;
# Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
# networks" (AISTATS 2010); He et al., "Delving deep into rectifiers" (ICCV 2015); Ioffe
# and Szegedy, "Batch normalization" (ICML 2015); He et al., "Identity mappings in deep
# residual networks" (ECCV 2016); Yang et al., "A mean field theory of batch
# normalization" (ICLR 2019).
