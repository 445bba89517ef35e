"""
Exclusive or
============

The exclusive or is true where exactly one of two inputs is. Minsky and Papert (1969)
made it famous: no single layer of weights can compute it, and for a while that looked
like the end of neural networks. Two hidden units are enough.

The data are the four rows of its truth table. They show what a hidden layer is for: it
moves the points to where a straight line can do the rest.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import DecisionBoundaryDisplay

from sknn import MLPClassifier, MLPTransformer, PerceptronClassifier
from sknn.displays import NetworkDisplay

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])
LOOKS = {0: ("#D55E00", "o", "false"), 1: ("#0072B2", "^", "true")}


def draw_points(ax, points):
    for label, (colour, marker, name) in LOOKS.items():
        where = points[y == label].T
        ax.scatter(*where, c=colour, marker=marker, s=90, ec="k", label=name, zorder=3)


# %%
# One layer cannot
# ----------------
#
# One layer answers true where :math:`w_1 x_1 + w_2 x_2 + b > 0`. The four rows demand
#
# .. math::
#
#    b \le 0, \quad w_2 + b > 0, \quad w_1 + b > 0, \quad w_1 + w_2 + b \le 0.
#
# Add the two in the middle: :math:`w_1 + w_2 + 2b > 0`. Add the first and the last:
# :math:`w_1 + w_2 + 2b \le 0`. Both cannot be. So the perceptron, which stops only when
# it makes no mistake, goes round in circles.

perceptron = PerceptronClassifier(tol=None, max_iter=100).fit(X, y)
print("mistakes in the last ten epochs:", perceptron.mistakes_curve_[-10:])
print("rows that are right:", int(4 * perceptron.score(X, y)), "of 4")

# %%
# Two hidden units can
# --------------------
#
# With so few weights, L-BFGS is the right solver. A little of the penalty ``alpha``
# keeps the weights from growing without end once all rows are right.


def fit(n_units, seed):
    return MLPClassifier(
        (n_units,), activation="tanh", solver="lbfgs", alpha=1e-3, random_state=seed
    ).fit(X, y)


network = fit(n_units=2, seed=0)
for (a, b), probability in zip(X, network.predict_proba(X)[:, 1], strict=True):
    print(f"{a} xor {b}: true with probability {probability:.3f}")

# %%
# The network as a picture: vermillion weights are positive, blue ones negative.

NetworkDisplay.from_estimator(network, feature_names=["x₁", "x₂"])
plt.show()

# %%
# What the hidden layer does
# --------------------------
#
# Each hidden unit draws a line of its own, and the output unit draws one through what
# the two of them say. :class:`~sknn.MLPTransformer` gives the values of the hidden
# units. On the right the plane is seen through them. The two lines on the left run in
# one direction, so that the hidden layer squeezes the plane to a curve and bends it.
# The two false points have become one, and a straight line cuts it off.

hidden = MLPTransformer(FrozenEstimator(network)).fit(X, y)
figure, (inputs, units) = plt.subplots(1, 2, figsize=(9, 4.3), layout="constrained")
DecisionBoundaryDisplay.from_estimator(
    network, X, response_method="predict_proba", cmap="PuOr", alpha=0.5, ax=inputs
)
draw_points(inputs, X)
ends = np.array([-1.0, 2.0])
kernel, intercept = network.coefs_[0], network.intercepts_[0]
for unit, style in [(0, "--"), (1, ":")]:
    where = -(kernel[0, unit] * ends + intercept[unit]) / kernel[1, unit]
    inputs.plot(ends, where, style, c="k", label=f"hidden unit {unit + 1}")
inputs.set(
    xlim=ends, ylim=ends, xlabel="$x_1$", ylabel="$x_2$", title="The plane of inputs"
)
inputs.legend(loc="upper right", fontsize=8)

grid = np.stack(np.meshgrid(*[np.linspace(-1, 2, 60)] * 2), axis=-1).reshape(-1, 2)
units.plot(*hidden.transform(grid).T, ".", c="0.75", ms=4, label="the whole plane")
draw_points(units, hidden.transform(X))
ends = np.array([-1.1, 1.1])
(first, second), constant = network.coefs_[1][:, 0], network.intercepts_[1][0]
units.plot(ends, -(first * ends + constant) / second, "k-", label="output unit")
units.set(
    xlim=ends,
    ylim=ends,
    xlabel="hidden unit 1",
    ylabel="hidden unit 2",
    title="Seen by the hidden layer",
)
units.legend(loc="upper left", fontsize=8)
plt.show()

# %%
# Enough is not always found
# --------------------------
#
# That two units can does not mean that training finds how. From some starts it ends in
# a local minimum. More units than needed give more ways down: this is one reason why
# networks are made larger than the problem asks for.

sizes, n_starts = range(1, 7), 25
found = [
    sum(fit(size, seed).score(X, y) == 1 for seed in range(n_starts)) for size in sizes
]
print("starts of 25 that solve it, for 1 to 6 hidden units:", found)

figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.bar(sizes, found, color="#0072B2")
ax.set(
    xlabel="hidden units",
    ylabel="starts that solve it",
    yticks=range(0, n_starts + 1, 5),
    title=f"Exclusive or, {n_starts} random starts",
)
plt.show()

# %%
# Sources
# -------
#
# Minsky and Papert, "Perceptrons" (1969). Rumelhart, Hinton and Williams, "Learning
# representations by back-propagating errors" (Nature, 1986), trained hidden layers by
# gradients; in "Learning internal representations by error propagation" (1986) the
# exclusive or is the first problem, local minima included.
