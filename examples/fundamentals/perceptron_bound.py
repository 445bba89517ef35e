r"""
The perceptron and its bound
============================

Rosenblatt's perceptron [1]_ looks at one sample after the other. It changes its weights
only where it is wrong: it adds the sample to them, or takes it away. That this ends is
a theorem. If some plane separates the two classes, the number of mistakes is at most
:math:`(R / \gamma)^2`, in whatever order the samples come [2]_. :math:`R` is the length
of the longest sample and :math:`\gamma` the largest margin, the distance from the best
separating plane to the nearest sample.

Here :class:`~sknn.PerceptronClassifier` runs on real data, and its mistakes are counted
and compared with the bound. At the end no plane separates the classes, the theorem does
not hold, and two remedies are needed.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import nnls
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.preprocessing import StandardScaler, scale

from sknn import PerceptronClassifier

BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"

# %%
# Radius and margin
# -----------------
#
# A one is appended to each sample, whose weight is the intercept, so that all planes
# pass through zero. With labels :math:`s_i = \pm 1`, the margin of weights :math:`w` is
# :math:`\min_i s_i w^\top x_i / \|w\|`. The weights with the largest one are the
# shortest :math:`w` with :math:`s_i w^\top x_i \ge 1` for all samples. This is the
# problem of a support vector machine without slack, and Lawson and Hanson showed how to
# solve it by least squares with coefficients that are not negative [3]_.


def radius_and_margin(X, s):
    signed = s[:, None] * np.column_stack([X, np.ones(len(X))])
    system = np.vstack([signed.T, np.ones(len(signed))])
    target = np.eye(len(system))[-1]
    coefficients, _ = nnls(system, target)
    residual = system @ coefficients - target
    w = -residual[:-1] / residual[-1]
    margin = (signed @ w).min() / np.linalg.norm(w)
    return np.linalg.norm(signed, axis=1).max(), margin, w


def perceptron(X, y, **parameters):
    """Without `tol` all epochs are made; one without mistakes changes nothing."""
    return PerceptronClassifier(tol=None, **parameters).fit(X, y)


# %%
# What the margin has to do with it
# ---------------------------------
#
# Two species of iris, setosa and versicolor, are separable by the length and the width
# of the sepals alone, but only just. In centimetres all samples lie far from zero on
# one side, which makes :math:`R` large and the margin small. Centred and scaled, they
# are the same samples with the same labels, and the perceptron needs far fewer
# mistakes.

X_iris, species = load_iris(return_X_y=True)
sepals, y = X_iris[:100, :2], species[:100]
scaler = StandardScaler().fit(sepals)

for name, X in [("in cm", sepals), ("standardised", scaler.transform(sepals))]:
    radius, margin, best = radius_and_margin(X, 2 * y - 1)
    clf = perceptron(X, y)
    print(
        f"{name:12}  R = {radius:.2f}, margin = {margin:.3f}, "
        f"bound = {(radius / margin) ** 2:.0f}, "
        f"mistakes = {sum(clf.mistakes_curve_)}, separated: {clf.converged_}"
    )

# %%
# The perceptron stops at the first plane that separates. It need not be a good one: the
# plane of the largest margin, dashed, has more room on both sides.

figure, (plane, curve) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
DecisionBoundaryDisplay.from_estimator(
    clf,
    X,
    response_method="predict",
    grid_resolution=400,
    cmap="PuOr",
    alpha=0.3,
    ax=plane,
)
for label, colour, marker in [(0, VERMILLION, "o"), (1, BLUE, "^")]:
    name = load_iris().target_names[label]
    plane.scatter(*X[y == label].T, c=colour, marker=marker, s=22, label=name)
ends = np.array(plane.get_xlim())
plane.plot(ends, -(best[0] * ends + best[2]) / best[1], "k--", label="largest margin")
plane.set(
    xlim=ends,
    ylim=(X[:, 1].min() - 0.5, X[:, 1].max() + 0.5),
    xlabel="sepal length, standardised",
    ylabel="sepal width, standardised",
    title="What the perceptron has found",
)
plane.legend(loc="lower right", fontsize=8)
for name, data, colour, style in [
    ("in cm", sepals, VERMILLION, "-"),
    ("standardised", X, BLUE, "--"),
]:
    mistakes = np.cumsum(perceptron(data, y).mistakes_curve_)
    curve.plot(np.arange(1, len(mistakes) + 1), mistakes, style, c=colour, label=name)
curve.set(
    xscale="log",
    yscale="log",
    xlabel="epoch",
    ylabel="mistakes so far",
    title="Until there are no more",
)
curve.legend()
plt.show()

# %%
# The bound on many problems
# --------------------------
#
# Each problem is one class against all others, or one digit against another. All are
# separable. The samples come in five random orders, which give five numbers of
# mistakes. None passes the bound, the diagonal. Most stay far below it: the bound is
# for the worst order of the worst data with this :math:`R` and :math:`\gamma`.

wine, cultivar = load_wine(return_X_y=True)
pixels, digit = load_digits(return_X_y=True)
problems = {"setosa": (scale(X_iris), species == 0)}
problems |= {f"wine {k}": (scale(wine), cultivar == k) for k in range(3)}
problems |= {f"digit {k}": (pixels / 16, digit == k) for k in (0, 4, 6)}
for a, b in [(0, 1), (1, 7), (3, 8)]:
    pair = np.isin(digit, [a, b])
    problems[f"{a} or {b}"] = pixels[pair] / 16, digit[pair] == a

print("problem   margin    bound  mistakes (median)")
bounds, counts = [], []
for name, (X, y) in problems.items():
    radius, margin, _ = radius_and_margin(X, 2 * y - 1)
    fits = [perceptron(X, y, max_iter=100, random_state=seed) for seed in range(5)]
    assert all(clf.converged_ for clf in fits)
    bounds.append((radius / margin) ** 2)
    counts.append([sum(clf.mistakes_curve_) for clf in fits])
    print(f"{name:8}  {margin:6.3f} {bounds[-1]:8.0f}  {np.median(counts[-1]):8.0f}")

figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
for i, (name, bound) in enumerate(zip(problems, bounds, strict=True)):
    ax.plot([bound] * 5, counts[i], "o", c=BLUE, alpha=0.4, ms=5)
    ax.annotate(
        name,
        (bound, max(counts[i])),
        xytext=(0, 7),
        textcoords="offset points",
        rotation=60,
        fontsize=8,
    )
diagonal = np.array([min(bounds) / 2, max(bounds) * 2])
ax.plot(diagonal, diagonal, "k-", label=r"as many as $(R / \gamma)^2$")
ax.set(
    xscale="log",
    yscale="log",
    xlabel=r"Novikoff's bound $(R / \gamma)^2$",
    ylabel="mistakes until the classes are separated",
)
ax.legend()
plt.show()

# %%
# Where nothing separates
# -----------------------
#
# No plane separates versicolor from virginica. The weights then move for ever, and how
# good they are depends on the sample that came last. The average of all weights on the
# way [4]_ is calm, because a plane that lasts long counts for much. The pocket [5]_
# keeps the best weights met so far, judged on the training data.

X, y = scale(X_iris[50:]), species[50:]
epochs = np.arange(1, 31)
variants = {
    "last weights": ({}, VERMILLION, ":"),
    "average": ({"average": True}, BLUE, "-"),
    "pocket": ({"pocket": True}, GREEN, "--"),
}
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, (parameters, colour, style) in variants.items():
    scores = [perceptron(X, y, max_iter=n, **parameters).score(X, y) for n in epochs]
    ax.plot(epochs, scores, style, c=colour, label=name)
    print(
        f"{name:12}  epochs 11 to 30: {min(scores[10:]):.2f} to {max(scores[10:]):.2f}"
    )
ax.set(xlabel="epochs", ylabel="training accuracy", title="Versicolor or virginica")
ax.legend(loc="lower right")
plt.show()

# %%
# .. [1] Rosenblatt, F. (1958). The perceptron: a probabilistic model for information
#    storage and organization in the brain. Psychological Review 65, 386-408.
# .. [2] Novikoff, A. B. J. (1962). On convergence proofs on perceptrons. Symposium on
#    the Mathematical Theory of Automata 12, 615-622.
# .. [3] Lawson, C. L. and Hanson, R. J. (1974). Solving Least Squares Problems, chapter
#    23. Prentice-Hall.
# .. [4] Freund, Y. and Schapire, R. E. (1999). Large margin classification using the
#    perceptron algorithm. Machine Learning 37, 277-296.
# .. [5] Gallant, S. I. (1990). Perceptron-based learning algorithms. IEEE Transactions
#    on Neural Networks 1, 179-191.
