"""
Learning-rate schedules
=======================

A long step gets far, a short one arrives. Gradients of small batches are noisy: at a
high rate the weights move fast at first and then jump about the minimum, at a low rate
they are calm but late. A schedule starts high and ends low. This is the oldest idea of
stochastic approximation: Robbins and Monro (1951) let the steps shrink to zero, though
not too fast.

The first picture shows every schedule of :class:`~sknn.MLPClassifier`. Then some of
them train the same network on the same batches.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sknn import MLPClassifier
from sknn.schedules import SCHEDULES, Constant, Cosine, OneCycle, Progress, Step

BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE = "#CC79A7"

# %%
# Every schedule
# --------------
#
# A schedule is a function of :class:`~sknn.schedules.Progress`: of the epochs, steps
# and samples so far, and of how often patience ran out. It remembers nothing, so that a
# fit that was cut goes on with the same rates. In the picture patience runs out at
# epochs 20 and 40, which only ``adaptive`` and ``plateau`` look at. ``coslog4`` falls
# to zero four times, each time after twice as many epochs.

N_EPOCHS, INITIAL = 60, 0.01


def progress(epoch):
    return Progress(
        samples=int(epoch) * 1000,
        epoch=int(epoch),
        stalled=int(epoch // 20),
        fraction=epoch % 1,
        n_epochs=N_EPOCHS,
    )


epochs = np.arange(0, N_EPOCHS, 0.05)
figure, axes = plt.subplots(
    -(-len(SCHEDULES) // 4),
    4,
    figsize=(9, 5.5),
    sharex=True,
    sharey=True,
    layout="constrained",
)
for ax, (name, make) in zip(axes.flat, SCHEDULES.items(), strict=False):
    schedule = make()
    ax.plot(epochs, [schedule(INITIAL, progress(epoch)) for epoch in epochs], c=BLUE)
    ax.set_title(name)
for ax in axes.flat[len(SCHEDULES) :]:
    ax.set_axis_off()
figure.supxlabel("epoch")
figure.supylabel("learning rate")
plt.show()

# %%
# What they do to a fit
# ---------------------
#
# Digits from their first six principal components, which do not always tell what digit
# it is: even at the minimum the gradients of single batches differ. Batches of 16,
# gradient descent with momentum, 50 epochs. Two constant rates, a high and a low one,
# and three schedules whose largest rate is the high one. A constant rate has no end of
# its own, so a callback ends training; ``total`` tells the curves how long they are.

N_EPOCHS, HIGH, LOW = 50, 0.1, 0.002
pixels, y = load_digits(return_X_y=True)
X = PCA(6, whiten=True, random_state=0).fit_transform(pixels)
candidates = {
    "constant, high": (Constant(), HIGH, VERMILLION, "-"),
    "constant, low": (Constant(), LOW, ORANGE, "--"),
    "step": (Step(step_size=20), HIGH, PURPLE, ":"),
    "cosine": (Cosine(total=N_EPOCHS), HIGH, BLUE, "-"),
    "one cycle": (OneCycle(total=N_EPOCHS), HIGH, GREEN, "-."),
}
fits = {
    name: MLPClassifier(
        (16,),
        solver="sgd",
        learning_rate=schedule,
        learning_rate_init=rate,
        batch_size=16,
        n_iter_no_change=np.inf,
        callbacks=lambda epoch: epoch.number == N_EPOCHS,
        random_state=0,
    ).fit(X, y)
    for name, (schedule, rate, _, _) in candidates.items()
}

print("training loss after epoch     5     20     50")
for name, clf in fits.items():
    after = " ".join(f"{clf.loss_curve_[epoch - 1]:6.3f}" for epoch in (5, 20, 50))
    print(f"{name:23} {after}")

# %%
# The rate on the left, the training loss on the right. At the high rate it falls fast
# and then stays where the noise keeps it. At the low rate it has the same way to go and
# is still on it after 50 epochs. Where the rate falls, the noise dies down and the loss
# sinks at once: look at the first step, after epoch 20. The one cycle begins low, which
# costs it the first epochs, and ends as low as any.

figure, (rates, losses) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for name, (_, _, colour, style) in candidates.items():
    history = fits[name].history_
    rates.plot(history["epoch"], history["learning_rate"], style, c=colour, label=name)
    losses.plot(history["epoch"], history["loss"], style, c=colour)
rates.set(xlabel="epoch", ylabel="learning rate", yscale="log", ylim=(1e-5, 0.2))
losses.set(xlabel="epoch", ylabel="training loss", yscale="log")
rates.legend(fontsize=8)
plt.show()

# %%
# What to choose
# --------------
#
# ``"cosine"`` has nothing to set but the first rate, and ends where ``max_iter`` says.
# That must be known before: a cosine that was cut off in the middle has not done its
# work. ``"plateau"`` and, for ``"sgd"``, ``"adaptive"`` find by themselves when to step
# down, at the price of the epochs that they wait.
#
# Sources
# -------
#
# Robbins and Monro, "A stochastic approximation method" (1951); Loshchilov and Hutter,
# "SGDR: stochastic gradient descent with warm restarts" (ICLR 2017), the cosine; Smith
# and Topin, "Super-convergence" (2018), the one cycle; Goyal et al., "Accurate, large
# minibatch SGD" (2017), the warm-up; Holzmüller et al., "Better by default" (NeurIPS
# 2024), ``coslog4`` and ``flat_cos``.
