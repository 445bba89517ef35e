r"""
Gradient descent and its descendants
====================================

Gradient descent goes down the steepest slope. Where a valley is narrow in one direction
and long in the other, the steepest slope points across the valley, not along it. Steps
short enough for the walls are too short for the floor. The optimisers that came later
are answers to this.

First the optimisers of :mod:`sknn.optimizers` walk down such a valley, where each step
can be seen. Then they train a network on the digits, each at the rate that suits it.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sknn import MLPClassifier
from sknn.optimizers import OPTIMIZERS, SGD, AdaGrad, Adam, Lion, NAdam, RMSProp

VERMILLION = "#D55E00"

# %%
# A valley
# --------
#
# The function is :math:`\frac12 (x^2 + 30 y^2)`, thirty times as steep in one direction
# as in the other. An optimiser of ``sknn`` knows nothing but arrays: ``stepper`` binds
# it to the parameters and the place where each gradient will stand. This is what a fit
# does, too, with all weights of the network in one vector.
#
# - **Gradient descent** multiplies :math:`y` by :math:`1 - 30 \eta` in each step, and
#   grows without end where the rate :math:`\eta` is above :math:`2 / 30`. Below, it has
#   soon settled on the floor of the valley and then creeps.
# - **Momentum** (Polyak 1964) keeps a share of the last step. What points to and fro
#   cancels, what points along the valley adds up. **Nesterov's** form (1983) takes the
#   gradient where the momentum is about to lead, and so brakes in time.
# - **AdaGrad** (Duchi et al. 2011) divides each coordinate by the root of the sum of
#   its squared gradients: steep and flat directions make steps of one size, ever
#   shorter ones. **RMSProp** (Hinton 2012) takes their mean, and does not tire.
# - **Adam** (Kingma and Ba 2015) does both, and **NAdam** (Dozat 2016) both with
#   Nesterov's form.
# - **Lion** (Chen et al. 2023) takes only the sign of the mean gradient. Its steps have
#   always the same length, so that the rate must fall for it to arrive.

CURVATURE = np.array([1.0, 30.0])


def walk(optimizer, rate, n_steps=40):
    point, gradient = np.array([-9.0, 1.5]), np.empty(2)
    step = optimizer.stepper(point, gradient, optimizer.memory(point))
    path = [point.copy()]
    for number in range(1, n_steps + 1):
        gradient[:] = CURVATURE * point
        step(rate, number)
        path.append(point.copy())
    return np.array(path)


optimizers = {
    "gradient descent, too fast": (SGD(momentum=0.0), 0.068),
    "gradient descent": (SGD(momentum=0.0), 0.06),
    "momentum": (SGD(momentum=0.8, nesterov=False), 0.03),
    "Nesterov's momentum": (SGD(momentum=0.8, nesterov=True), 0.03),
    "AdaGrad": (AdaGrad(), 3.0),
    "RMSProp": (RMSProp(), 0.3),
    "Adam": (Adam(), 0.6),
    "NAdam": (NAdam(), 0.6),
    "Lion": (Lion(), 0.25),
}
x, y = np.meshgrid(np.linspace(-10, 4, 200), np.linspace(-2.5, 2.5, 200))
height = 0.5 * (CURVATURE[0] * x**2 + CURVATURE[1] * y**2)
figure, axes = plt.subplots(
    3, 3, figsize=(10, 7.5), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, (optimizer, rate)) in zip(axes.flat, optimizers.items(), strict=True):
    path = walk(optimizer, rate)
    ax.contour(
        x, y, height, levels=np.geomspace(0.5, 150, 9), cmap="cividis", alpha=0.5
    )
    ax.plot(*path.T, "o-", color=VERMILLION, ms=3, lw=1)
    ax.plot(0, 0, "k*", ms=10)
    ax.set(title=f"{name}, rate {rate}", xlim=(-10, 4), ylim=(-2.5, 2.5))
    loss = 0.5 * CURVATURE @ path[-1] ** 2
    print(f"{name:26} height {loss:7.1e} after {len(path) - 1} steps")
plt.show()

# %%
# On the digits
# -------------
#
# A network with 32 hidden units, batches of 100, 15 epochs, the rate falling by a
# cosine. Each optimiser of the table ``OPTIMIZERS``, and gradient descent without
# momentum, tries a range of first rates. ``"adamw"`` is Adam whose weights decay beside
# the gradient instead of through it (Loshchilov and Hutter 2019), which matters for
# long trainings of large networks more than here.

X, y = load_digits(return_X_y=True)
RATES = 10 ** np.arange(-3, 1, 0.5)
solvers = {"gradient descent": SGD(momentum=0.0), **{name: name for name in OPTIMIZERS}}


def train(solver, rate):
    return MLPClassifier(
        (32,),
        solver=solver,
        learning_rate_init=rate,
        batch_size=100,
        learning_rate="cosine",
        max_iter=15,
        n_iter_no_change=15,
        random_state=0,
    ).fit(X / 16, y)


fits = {
    name: [train(solver, rate) for rate in RATES] for name, solver in solvers.items()
}
best = {name: int(np.argmin([clf.loss_ for clf in fits[name]])) for name in fits}
for name, i in best.items():
    print(f"{name:16}  best rate {RATES[i]:.4f}, loss {fits[name][i].loss_:.4f}")

# %%
# The best rates lie far apart: those of Lion and RMSProp are the lowest, that of plain
# gradient descent is the highest. A rate means something only together with its
# optimiser. AdaGrad shortens its steps by itself; with the cosine beside, too much. On
# the left, a curve that is low over a wide range is a good thing to have: there the
# rate need not be known well. On the right, all run at their best rate. This is one
# start on one set of data, and the loss of training: small differences mean nothing.

COLOURS = ["black", "#0072B2", "#D55E00", "#E69F00", "#009E73", "#666666", "#CC79A7"]
COLOURS += ["#56B4E9"]
STYLES = [":", "-", "-", "--", "-.", "-.", "--", "-"]
figure, (by_rate, by_epoch) = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
for (name, tried), colour, style in zip(fits.items(), COLOURS, STYLES, strict=True):
    losses = [clf.loss_ for clf in tried]
    by_rate.plot(RATES, losses, style, color=colour, label=name, marker=".")
    curve = tried[best[name]].loss_curve_
    by_epoch.plot(range(1, len(curve) + 1), curve, style, color=colour)
by_rate.set(
    xscale="log",
    yscale="log",
    ylim=(None, 3),
    xlabel="first learning rate",
    ylabel="training loss after 15 epochs",
)
by_epoch.set(
    xticks=range(0, 16, 5),
    yscale="log",
    xlabel="epoch",
    ylabel="training loss at the best rate",
)
by_epoch.legend(*by_rate.get_legend_handles_labels(), fontsize=8)
plt.show()
