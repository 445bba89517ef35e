"""
Learning from a stream: drift and the prequential error
=======================================================

Some data never end: they come in small portions, and the world that they come from
changes. `partial_fit` makes one pass over each portion and goes on from where it was.
How good is such a model? There is no test set, but there is something better: every
portion is predicted first and learned from afterwards. The errors of these predictions
are the *prequential* error [1]_ [2]_.

The example lets digits arrive one after another, turns the scanner by a right angle
half-way, and compares a model that was trained once with models that keep learning.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sknn import MLPClassifier

# %%
# The stream
# ----------
#
# The images of :func:`~sklearn.datasets.load_digits` come in the order in which they
# were collected, one writer after another, and they are left in this order: a gentle
# drift that is real. The sharp one is made: from image 900 on all images are turned by
# 90 degrees. The labels stay the same.

X, y = load_digits(return_X_y=True)
X = X / 16
TURN, PORTION = 900, 20
X[TURN:] = np.rot90(X[TURN:].reshape(-1, 8, 8), axes=(1, 2)).reshape(-1, 64)
starts = range(0, len(X) - PORTION + 1, PORTION)


def network(learning_rate_init):
    return MLPClassifier(
        (64,),
        learning_rate_init=learning_rate_init,
        batch_size=PORTION,
        random_state=0,
    )


# %%
# Three models
# ------------
#
# The first learns from the first 400 images, thirty times over, and then no more. The
# second sees each portion of twenty images once. The third keeps the last 200 images,
# and goes over them once with each portion: it costs ten times as much, and each image
# is seen ten times before it leaves.
#
# All have to be told of all classes at the first call, because not every digit is in
# the first twenty.

MEMORY = 200
errors = {"trained once": [], "each image once": [], "last 200 images": []}
models = {name: network(0.01) for name in errors}
for start in starts:
    rows = slice(start, start + PORTION)
    for name, model in models.items():
        known = hasattr(model, "classes_")
        wrong = model.predict(X[rows]) != y[rows] if known else np.ones(PORTION, bool)
        errors[name].extend(wrong)
        if name == "last 200 images":
            recent = slice(max(0, rows.stop - MEMORY), rows.stop)
            model.partial_fit(X[recent], y[recent], classes=np.arange(10))
        elif name == "each image once" or rows.stop < 400:
            model.partial_fit(X[rows], y[rows], classes=np.arange(10))
        elif rows.stop == 400:
            for _ in range(30):
                model.partial_fit(X[: rows.stop], y[: rows.stop])

# %%
# The prequential error
# ---------------------
#
# An average over the whole past would hardly move any more when something happens.
# Errors are therefore forgotten with time: a sliding mean over the last hundred images.

WINDOW = 100
STYLES = {
    "trained once": ("#000000", ":"),
    "each image once": ("#D55E00", "--"),
    "last 200 images": ("#0072B2", "-"),
}
figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
for name, wrong in errors.items():
    sliding = np.convolve(wrong, np.ones(WINDOW) / WINDOW, mode="valid")
    color, style = STYLES[name]
    ax.plot(
        np.arange(WINDOW, len(wrong) + 1), sliding, style, color=color, label=name, lw=2
    )
ax.axvline(TURN, color="grey", lw=0.8)
ax.annotate("images turned", (TURN + 10, 1.02), color="#555555")
ax.set(xlabel="images so far", ylabel=f"error over the last {WINDOW}", ylim=(0, 1.1))
ax.legend(loc="upper left", bbox_to_anchor=(0.12, 0.95))
plt.show()

# %%
# In figures: the errors of the hundred images before the turn, of the hundred after it,
# and of the last hundred.

print("                    before   right after   at the end")
for name, wrong in errors.items():
    before, after = wrong[TURN - 100 : TURN], wrong[TURN : TURN + 100]
    print(f"{name:18s} {np.mean(before):7.0%}", end=" ")
    print(f"{np.mean(after):12.0%} {np.mean(wrong[-100:]):12.0%}")

# %%
# A model that is trained once is fine until the world turns, and says nothing about it:
# it is as sure of its answers as before. The prequential error shows the turn within a
# few portions, as soon as labels arrive. In many applications labels come late; then
# the error is late by as much.

for when, rows in (("before", slice(400, TURN)), ("after", slice(TURN, None))):
    largest = models["trained once"].predict_proba(X[rows]).max(axis=1)
    print(f"trained once, largest probability {when} the turn: {largest.mean():.2f}")

# %%
# How much to remember is a trade. A longer memory is better while nothing changes, and
# holds on to what is no longer true when something does. And what was learned before is
# overwritten: asked about upright digits at the end, the models that went on have
# forgotten much of them.

for name, model in models.items():
    score = model.score(X[400:TURN], y[400:TURN])
    print(f"upright digits at the end, {name:16s} {score:.0%} right")

# %%
# Solvers with a memory, such as Adam, keep it between calls, and so does
# :meth:`~sknn.MLPClassifier.partial_fit`: on the same data, ten calls equal a fit of
# ten epochs to the bit.
#
# .. [1] Dawid, "Statistical theory: the prequential approach", Journal of the Royal
#    Statistical Society A 147, 1984.
# .. [2] Gama, Sebastião and Rodrigues, "On evaluating stream learning algorithms",
#    Machine Learning 90, 2013.
