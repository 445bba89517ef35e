"""
Rare classes: weights, thresholds, calibration
==============================================

Where one class is rare, a classifier that never names it is right most of the time.
Two remedies are in use: to weigh the rare class more in training
(``class_weight="balanced"``), or to leave training alone and lower the threshold above
which the rare class is named. They are often taken for different things.

The example shows that both move along the same curve of precision and recall, that a
threshold is chosen by what mistakes cost, and that weights have a price of their own:
the probabilities are no longer probabilities.
"""

import matplotlib.pyplot as plt
from sklearn.calibration import calibration_curve
from sklearn.datasets import load_digits
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    make_scorer,
    precision_recall_curve,
)
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

# %%
# A rare class that is hard to find
# ---------------------------------
#
# Is a digit an eight? Of the images that come with scikit-learn one in ten is. To make
# it hard, the network does not see the images, but how much ink stands in each of their
# eight columns, as a single photo cell would measure that passes over the paper.

images, digits = load_digits(return_X_y=True)
X = images.reshape(-1, 8, 8).sum(axis=1)
y = digits == 8
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
print(f"{y_train.sum()} eights among {len(y_train)} images of training,", end=" ")
print(f"{y_test.sum()} among {len(y_test)} of test")


def network(class_weight=None):
    """One hidden layer, trained on all rows at each step."""
    mlp = MLPClassifier(
        (16,), solver="lbfgs", alpha=3.0, max_iter=3000, tol=3e-3, random_state=0
    )
    return make_pipeline(StandardScaler(), mlp.set_params(class_weight=class_weight))


plain = network().fit(X_train, y_train)
balanced = network("balanced").fit(X_train, y_train)

# %%
# A price for mistakes
# --------------------
#
# Say that a missed eight costs ten times as much as a false alarm. Costs decide what
# the threshold has to be. With probabilities that can be believed, it follows from them
# alone [1]_: name the rare class where :math:`p > 1 / (1 + 10)`.
#
# :class:`~sklearn.model_selection.TunedThresholdClassifierCV` finds the threshold by
# cross-validation on the training rows, whether the probabilities can be believed or
# not. It is given the costs as a score.

MISSED, FALSE_ALARM = 10, 1


def gain(y_true, y_pred):
    """Return the negative cost of an image."""
    _, false_alarms, missed, _ = confusion_matrix(y_true, y_pred).ravel()
    return -(MISSED * missed + FALSE_ALARM * false_alarms) / len(y_true)


tuned = TunedThresholdClassifierCV(
    network(), scoring=make_scorer(gain), cv=5, random_state=0
).fit(X_train, y_train)

p_plain = plain.predict_proba(X_test)[:, 1]
p_balanced = balanced.predict_proba(X_test)[:, 1]
theory = FALSE_ALARM / (FALSE_ALARM + MISSED)
decisions = {
    "plain, p > 0.5": plain.predict(X_test),
    "balanced, p > 0.5": balanced.predict(X_test),
    f"plain, p > {theory:.3f} from the costs": p_plain > theory,
    f"plain, p > {tuned.best_threshold_:.3f} tuned": tuned.predict(X_test),
}
print("                                    cost per image   found  false alarms")
for name, decision in decisions.items():
    _, false_alarms, missed, found = confusion_matrix(y_test, decision).ravel()
    print(f"{name:38s} {-gain(y_test, decision):9.2f} {found:9d} {false_alarms:10d}")

# %%
# At its usual threshold the plain network costs most, because it misses many eights.
# The other three decisions are cheaper and near to each other.
#
# One curve, two prices
# ---------------------
#
# On the left, each network's precision and recall at all thresholds. With rare classes
# this curve says more than ROC's, since it does not count the many easy negatives [2]_.
# Weights move the point at which a network works, and hardly the curve.
#
# On the right, what the probabilities are worth: of the images with a probability of
# about 0.3, three in ten should be eights. The last points rest on few images.

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for name, p, color, style in (
    ("plain", p_plain, BLUE, "-"),
    ("balanced", p_balanced, RED, "--"),
):
    precision, recall, _ = precision_recall_curve(y_test, p)
    area = average_precision_score(y_test, p)
    label = f"{name}, average precision {area:.2f}"
    left.plot(recall, precision, style, color=color, label=label)
    actual, said = calibration_curve(y_test, p, n_bins=5)
    label = f"{name}, Brier score {brier_score_loss(y_test, p):.3f}"
    right.plot(said, actual, style, marker="o", color=color, label=label)
for (name, decision), marker, color in zip(
    decisions.items(), "osD^", (BLUE, RED, GREEN, "black"), strict=True
):
    _, false_alarms, missed, found = confusion_matrix(y_test, decision).ravel()
    place = found / (found + missed), found / (found + false_alarms)
    left.plot(*place, marker, color=color, ms=9, mec="white", label=name)
left.set(xlabel="recall", ylabel="precision", ylim=(0, 1.02))
left.legend(fontsize=8, loc="lower left")
right.plot([0, 1], [0, 1], ":", color="grey")
right.set(xlabel="mean predicted probability", ylabel="share of eights")
right.legend(fontsize=8, loc="upper left")
plt.show()

# %%
# The balanced network says 0.5 where far fewer than half of the images are eights. That
# is not a fault of the network: it was trained as if half of all images were eights.
# Who needs the probabilities afterwards, to add up costs or to tell a person, does
# better without weights. Studies of clinical models found the same [3]_.
#
# When weights are right all the same: where a network has to be used at 0.5 by others,
# and where it is stopped early and would not have looked at the rare class by then.
# Probabilities that weights have bent are set right by
# :class:`~sklearn.calibration.CalibratedClassifierCV`, on rows of the true shares.
#
# .. [1] Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.
# .. [2] Saito and Rehmsmeier, "The precision-recall plot is more informative than the
#    ROC plot when evaluating binary classifiers on imbalanced datasets", PLoS ONE,
#    2015.
# .. [3] van den Goorbergh, van Smeden, Timmerman and Van Calster, "The harm of class
#    imbalance corrections for risk prediction models", Journal of the American Medical
#    Informatics Association, 2022.
