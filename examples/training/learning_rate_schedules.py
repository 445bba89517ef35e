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
from sklearn.model_selection import train_test_split

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
    3, 4, figsize=(9, 5.5), sharex=True, sharey=True, layout="constrained"
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
# Digits, batches of 16, gradient descent with momentum, 40 epochs. Two constant rates, a
# high and a low one, and three schedules that begin with the high one or reach it. A
# constant rate has no end of its own, so a callback ends training. The curves are told
# by ``total`` how long they are.

N_EPOCHS, HIGH, LOW = 40, 0.05, 0.0005
X, X_test, y, y_test = train_test_split(
    *load_digits(return_X_y=True), test_size=0.5, random_state=0
)
candidates = {
    "constant, high": (Constant(), HIGH, VERMILLION, "-"),
    "constant, low": (Constant(), LOW, ORANGE, "--"),
    "step": (Step(step_size=15), HIGH, PURPLE, ":"),
    "cosine": (Cosine(total=N_EPOCHS), HIGH, BLUE, "-"),
    "one cycle": (OneCycle(total=N_EPOCHS), HIGH, GREEN, "-."),
}
fits = {
    name: MLPClassifier(
        (32,),
        solver="sgd",
        learning_rate=schedule,
        learning_rate_init=rate,
        batch_size=16,
        n_iter_no_change=np.inf,
        callbacks=lambda epoch: epoch.number == N_EPOCHS,
        random_state=0,
    ).fit(X / 16, y, X_val=X_test / 16, y_val=y_test)
    for name, (schedule, rate, _, _) in candidates.items()
}

print("schedule        training loss  test loss  test accuracy")
for name, clf in fits.items():
    history = clf.history_
    print(
        f"{name:14}  {history['loss'][-1]:13.5f}  {history['validation_loss'][-1]:9.4f}"
        f"  {history['validation_score'][-1]:13.4f}"
    )

# %%
# The rate on the left, what becomes of the training loss on the right.

figure, (rates, losses) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for name, (_, _, colour, style) in candidates.items():
    history = fits[name].history_
    rates.plot(history["epoch"], history["learning_rate"], style, c=colour, label=name)
    losses.plot(history["epoch"], history["loss"], style, c=colour)
rates.set(xlabel="epoch", ylabel="learning rate", yscale="log", ylim=(1e-5, 0.1))
losses.set(xlabel="epoch", ylabel="training loss", yscale="log")
rates.legend(fontsize=8)
plt.show()
