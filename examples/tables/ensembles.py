"""
Ensembles: what members disagree about
======================================

Networks that differ in their first random weights and in the rows they were trained on
make different mistakes. Their mean is better than most of them, the rows left out give
an honest score without a test set, and their disagreement tells where an answer is a
guess [1]_.

This example looks at all three on images of digits, and then asks the ensemble about
something that it has never seen: digits that lie on their side. There the members
agree, and are wrong.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import rotate
from scipy.stats import entropy
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier, MLPEnsembleClassifier

X, y = load_digits(return_X_y=True)
X = X / 16
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.75, stratify=y, random_state=0
)

# %%
# Ten networks, each trained on nine tenths of the training rows. ``resampling="folds"``
# leaves every row out of exactly one network, whose answer for it goes into
# `oob_prediction_` and `oob_score_`.

network = MLPClassifier(
    (64, 32),
    learning_rate="one_cycle",
    learning_rate_init=0.01,
    batch_size=32,
    max_iter=25,
    n_iter_no_change=np.inf,
)
ensemble = MLPEnsembleClassifier(network, 10, resampling="folds", random_state=0)
ensemble.fit(X_train, y_train)

# %%
# Better than its members
# -----------------------

members = [member.predict_proba(X_test) for member in ensemble.estimators_]
together = ensemble.predict_proba(X_test)
accuracies = [np.mean(p.argmax(axis=1) == y_test) for p in members]
losses = [log_loss(y_test, p) for p in members]
print("                accuracy   log loss")
print(f"best member     {max(accuracies):8.3f} {min(losses):10.3f}")
print(f"mean member     {np.mean(accuracies):8.3f} {np.mean(losses):10.3f}")
print(f"ensemble        {ensemble.score(X_test, y_test):8.3f}", end=" ")
print(f"{log_loss(y_test, together):10.3f}")
print(f"rows left out   {ensemble.oob_score_:8.3f}", end=" ")
print(f"{log_loss(y_train, ensemble.oob_prediction_):10.3f}")

# %%
# The score of the rows left out is that of single members, since each row is answered
# by one network only. The ensemble will do a little better than it says.
#
# Two kinds of not knowing
# ------------------------
#
# The entropy of the mean probabilities has two parts. The first is the mean of the
# members' own entropies: they agree that the image is ambiguous. The rest is their
# disagreement: they have learned too little about such images, and each fills the gap
# with an answer of its own [2]_.


def uncertainty(X):
    """Return the whole entropy and the part that is disagreement, in bits."""
    p = np.array([member.predict_proba(X) for member in ensemble.estimators_])
    total = entropy(p.mean(axis=0), axis=-1, base=2)
    return total, total - entropy(p, axis=-1, base=2).mean(axis=0)


# %%
# Turn the test images of a 1 to a 9 by degrees. No network was trained on turned ones.

angles = np.arange(0, 181, 15)
asked = X_test[y_test != 0][:200].reshape(-1, 8, 8)
labels = y_test[y_test != 0][:200]
curves = []
for angle in angles:
    turned = rotate(asked, angle, axes=(1, 2), reshape=False, order=1).reshape(-1, 64)
    total, disagreement = uncertainty(turned)
    right = np.mean(ensemble.predict(turned) == labels)
    curves.append((total.mean(), disagreement.mean(), right))
total, disagreement, right = np.array(curves).T

# %%
# And a use for it: let the ensemble answer only what it is sure of, and hand the rest
# to a person. The curve shows how accuracy grows with the share of answers that are
# withheld, by the largest probability of a single network and by that of the ensemble.

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
figure, named = plt.subplot_mosaic("ab;cc", figsize=(8, 6.6), layout="constrained")
axes = list(named.values())
axes[0].plot(accuracies, losses, "o", color=RED, alpha=0.6, label="members")
axes[0].plot(
    ensemble.score(X_test, y_test),
    log_loss(y_test, together),
    "D",
    color=BLUE,
    ms=10,
    label="ensemble",
)
axes[0].set(xlabel="accuracy on test rows", ylabel="log loss on test rows")
axes[0].set_title("better than its members")
axes[0].legend()

withheld = np.linspace(0, 0.3, 31)


def accuracy_of_the_rest(p):
    order = np.argsort(p.max(axis=1))
    is_right = (p.argmax(axis=1) == y_test)[order]
    return [is_right[int(share * len(order)) :].mean() for share in withheld]


by_member = np.array([accuracy_of_the_rest(p) for p in members])
axes[1].plot(withheld, by_member.T, color=RED, alpha=0.25, lw=0.8)
axes[1].plot(withheld, by_member.mean(axis=0), "--", color=RED, lw=2, label="members")
axes[1].plot(
    withheld, accuracy_of_the_rest(together), color=BLUE, lw=2, label="ensemble"
)
axes[1].set(xlabel="share of answers withheld", ylabel="accuracy of the others")
axes[1].legend(loc="lower right")
axes[1].set_title("knows when not to answer")

axes[2].plot(angles, total, "-", color=BLUE, label="entropy, bits")
axes[2].plot(angles, disagreement, "-.", color=GREEN, label="of it disagreement")
axes[2].plot(angles, right, "--", color="black", label="share right")
axes[2].set(xlabel="degrees", xticks=angles[::2], ylim=(0, 1.9), xlim=(-12, 192))
axes[2].legend(loc="center", bbox_to_anchor=(0.53, 0.52), fontsize=9)
two = asked[labels == 2][0]
for angle in angles[::2]:
    image = axes[2].inset_axes((angle - 11, 1.4, 22, 0.45), transform=axes[2].transData)
    image.imshow(rotate(two, angle, reshape=False, order=1), cmap="gray_r")
    image.set(xticks=[], yticks=[])
axes[2].set_title("what it has never seen")
plt.show()

# %%
# At the top left, the ensemble's log loss is less than that of each member. At the top
# right, fewer answers have to be withheld for the same accuracy.
#
# Below, entropy and disagreement first rise with the angle, as they should. Then
# they fall, although hardly an answer is right any more. At a right angle the ensemble
# is almost as sure as it is of upright digits:

turned = rotate(asked, 90, axes=(1, 2), reshape=False, order=1)
wiped = turned.copy()
wiped[:, :, [0, 7]] = 0
print(f"upright: {right[0]:.0%} right, entropy {total[0]:.2f} bits")
print(f"at 90°:  {right[6]:.0%} right, entropy {total[6]:.2f} bits")
for name, images in (("turned", turned), ("edges wiped", wiped)):
    images = images.reshape(-1, 64)
    answers, counts = np.unique(ensemble.predict(images), return_counts=True)
    print(
        f"{name}: {counts.max()} of 200 are called {answers[counts.argmax()]}, ", end=""
    )
    print(f"disagreement {uncertainty(images)[1].mean():.2f}")

# %%
# Nearly all are called by the same name. A quick explanation is that turned digits have
# ink at the left and right edges, where upright ones have none. It is tested in the
# last line, and it is not enough: with these edges wiped clean, most keep that name.
# What holds in general is that networks of ReLUs grow as sure as one likes far away
# from their data [3]_, and that members that were made alike share much of what they do
# there.
#
# Disagreement is a warning sign; its absence is no proof. Whether a row lies outside of
# the training data is better asked of the row itself, as in
# :ref:`sphx_glr_auto_examples_tables_autoencoder.py`.
#
# .. [1] Lakshminarayanan, Pritzel and Blundell, "Simple and scalable predictive
#    uncertainty estimation using deep ensembles", NeurIPS 2017.
# .. [2] Depeweg, Hernández-Lobato, Doshi-Velez and Udluft, "Decomposition of
#    uncertainty in Bayesian deep learning for efficient and risk-sensitive learning",
#    ICML 2018.
# .. [3] Hein, Andriushchenko and Bitterwolf, "Why ReLU networks yield high-confidence
#    predictions far away from the training data and how to mitigate the problem",
#    CVPR 2019.
