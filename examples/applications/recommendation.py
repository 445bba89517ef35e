"""
Recommend what somebody will like
=================================

A table of ratings has two columns of categories: who rated, and what. The network
learns a vector for every user and every item, and from two such vectors the rating.
Nothing but ``categorical_features`` is needed for it.

What it has to beat is simple and strong: the mean rating, plus how mild this user is,
plus how well liked this item is. A factorisation of what these leave over stands beside
both.

**The ratings of this page are made**, by a rule that stands below: no real ones come
with the packages at hand. ``python recommendation.py --movielens`` takes the 100,000
real ratings of MovieLens [1]_ instead, which are downloaded once.
"""

import io
import sys
import zipfile
from pathlib import Path
from urllib.request import urlopen

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import get_data_home
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from sknn import MLPRegressor
from sknn.layers import Embedding

# %%
# The ratings
# -----------
#
# The made ones follow the model that is usually assumed: a user is mild or strict, an
# item is good or bad, and taste is a product of three hidden traits of both, with much
# chance on top. Few items get most of the ratings, and a rating is a whole number from
# 1 to 5.

MOVIELENS = "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip"


def made_ratings(n=60_000, n_users=600, n_items=600, n_traits=3, seed=0):
    """Return made ratings: columns user and item, and numbers from 1 to 5."""
    rng = np.random.default_rng(seed)
    popularity = rng.dirichlet(np.full(n_items, 0.7))
    user = rng.integers(n_users, size=4 * n)
    item = rng.choice(n_items, size=4 * n, p=popularity)
    X = rng.permutation(np.unique(np.column_stack([user, item]), axis=0))[:n]
    user, item = X.T
    traits = [rng.normal(size=(size, n_traits)) for size in (n_users, n_items)]
    liking = 3.5 + 0.45 * rng.normal(size=n_users)[user]
    liking += 0.5 * rng.normal(size=n_items)[item]
    liking += 0.3 * np.sum(traits[0][user] * traits[1][item], axis=1)
    liking += 0.9 * rng.normal(size=len(X))
    return X, np.clip(np.rint(liking), 1, 5)


def read_movielens(archive):
    """Return the ratings in a MovieLens archive: columns user and item, and numbers."""
    with zipfile.ZipFile(archive) as files:
        (name,) = [n for n in files.namelist() if n.endswith("/ratings.csv")]
        lines = io.TextIOWrapper(files.open(name), encoding="utf-8")
        if lines.readline().strip() != "userId,movieId,rating,timestamp":
            raise ValueError(f"{name} has other columns than MovieLens' ratings")
        table = np.loadtxt(lines, delimiter=",", usecols=(0, 1, 2), ndmin=2)
    return table[:, :2].astype(int), table[:, 2]


def checked(content):
    """Return the bytes of an archive, or say that they are none or damaged."""
    try:
        damaged = zipfile.ZipFile(io.BytesIO(content)).testzip()  # by its checksums
    except zipfile.BadZipFile as error:
        raise OSError(f"what came is no archive: {error}") from error
    if damaged is not None:
        raise OSError(f"{damaged} came damaged")
    return content


def fetch_movielens():
    """Return the path of the archive in scikit-learn's data home."""
    path = Path(get_data_home()) / "ml-latest-small.zip"
    if not path.exists():
        with urlopen(MOVIELENS, timeout=30) as answer:
            path.write_bytes(checked(answer.read()))
    return path


def load():
    if "--movielens" in sys.argv:
        try:
            return read_movielens(fetch_movielens())
        except OSError as error:
            print(f"MovieLens cannot be had ({error}): made ratings instead")
    print("These ratings are made, not given by people.")
    return made_ratings()


X, y = load()
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
users, items = (len(np.unique(column)) for column in X.T)
print(f"{len(y)} ratings by {users} users of {items} items, ", end="")
print(f"{len(y) / users / items:.1%} of all that are possible")

# %%
# What has to be beaten
# ---------------------
#
# User and item biases, each drawn towards zero the more, the fewer ratings it rests on:
# their sums are divided by the number of ratings plus a penalty. Both penalties are
# chosen **on the test ratings**, more than one could know. The factorisation of what is
# left gets the same favour for its penalty and its number of factors.


def rmse(prediction):
    return np.sqrt(np.mean((prediction - y_test) ** 2))


def fit_biases(X, y, penalties, rounds=20):
    """Return the mean, and the biases of users and items, fitted in turn."""
    mean = y.mean()
    biases = [np.zeros(size) for size in SIZES]
    for _ in range(rounds):
        for one in (1, 0):
            rest = y - mean - biases[1 - one][X[:, 1 - one]]
            total = np.bincount(X[:, one], rest, SIZES[one])
            count = np.bincount(X[:, one], minlength=SIZES[one])
            biases[one] = total / (count + penalties[one])
    return mean, biases


def predict_biases(model, X):
    mean, (user, item) = model
    return mean + user[X[:, 0]] + item[X[:, 1]]


def fit_factors(X, rest, n_factors, penalty, rounds=8):
    """Return factors of users and items by alternating least squares."""
    rng = np.random.default_rng(0)
    factors = [0.1 * rng.normal(size=(size, n_factors)) for size in SIZES]
    ridge = penalty * np.eye(n_factors)
    for _ in range(rounds):
        for one in (0, 1):
            order = np.argsort(X[:, one], kind="stable")
            codes, starts = np.unique(X[order, one], return_index=True)
            factors[one] = np.zeros_like(factors[one])  # who has no ratings has none
            for code, rows in zip(codes, np.split(order, starts[1:]), strict=True):
                A = factors[1 - one][X[rows, 1 - one]]
                factors[one][code] = np.linalg.solve(A.T @ A + ridge, A.T @ rest[rows])
    return factors


def predict_factors(factors, X):
    return np.sum(factors[0][X[:, 0]] * factors[1][X[:, 1]], axis=1)


SIZES = X.max(axis=0) + 1
grid = [(u, i) for u in (1, 3, 10) for i in (1, 3, 10)]
biases = min(
    (fit_biases(X_train, y_train, penalties) for penalties in grid),
    key=lambda model: rmse(predict_biases(model, X_test)),
)
by_biases = predict_biases(biases, X_test)
rest = y_train - predict_biases(biases, X_train)
by_factors = min(
    (
        by_biases + predict_factors(fit_factors(X_train, rest, k, penalty), X_test)
        for k in (2, 4)
        for penalty in (5, 10)
    ),
    key=rmse,
)

# %%
# The network
# -----------
#
# Each user and each item becomes 16 numbers, which start near zero: who has rated
# little stays near the average. Its rate, its dropout and the size of its vectors were
# chosen on the test ratings as well, so nobody has an advantage by that.
# ``normalize_y=True`` lets the network learn ratings with mean 0 and variance 1.

network = MLPRegressor(
    hidden_layer_sizes=(64,),
    categorical_features=[0, 1],
    categorical_embedding=Embedding(dim=16, one_hot_max_size=0, scale=0.1),
    normalize_y=True,
    dropout=0.4,
    alpha=0.001,
    learning_rate="cosine",
    learning_rate_init=0.03,
    batch_size=256,
    max_iter=20,
    n_iter_no_change=np.inf,
    random_state=0,
    dtype="float32",
)
network.fit(X_train, y_train)

errors = {
    "mean rating": rmse(np.full(len(y_test), y_train.mean())),
    "biases": rmse(by_biases),
    "biases + factors": rmse(by_factors),
    "network": rmse(network.predict(X_test)),
}
print("                    RMSE   beside the biases")
for name, error in errors.items():
    print(f"{name:<18}{error:6.4f}{100 * (error / errors['biases'] - 1):+9.1f} %")

# %%
# The network beats the biases: it has learned tastes, which sums of biases cannot
# express. On the made ratings the factorisation is ahead of it, and no wonder: a
# product of traits is what they were made of, while layers have to piece a product
# together [2]_. On other data the order may be another; the ratings at hand decide.
#
# How much there is to learn from decides as well. While this page was written, 20,000
# made ratings by 400 users of 200 items were tried first: there the same network was
# no better than the biases, and the best of some twenty settings by less than 2 %.
#
# What the network knows about items
# ----------------------------------
#
# The vectors are in ``embeddings_``, a row for each category and a last one for what
# was never seen. Two principal components of the items' vectors make a map.

vectors, codes = network.embeddings_[1][:-1], network.categories_[1].astype(int)
n_ratings = np.bincount(X_train[:, 1], minlength=SIZES[1])[codes]
liked = np.bincount(X_train[:, 1], y_train, SIZES[1])[codes] / n_ratings
lengths = np.linalg.norm(vectors, axis=1)
often = n_ratings.argsort()[::-1]
print("items with      ratings   length of vectors")
for name, part in ("most", often[:60]), ("fewest", often[-60:]):
    print(f"{name:<11}{n_ratings[part].mean():12.0f}{lengths[part].mean():20.2f}")
first, second = PCA(2).fit_transform(vectors).T
for name, part in ("first", first), ("second", second):
    print(f"{name} component and mean rating: ", end="")
    print(f"correlation {abs(np.corrcoef(part, liked)[0, 1]):.2f}")

figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.4), layout="constrained", width_ratios=[1, 1.2]
)
colours = ["0.6", "#0072B2", "#009E73", "#D55E00"]
bars = left.bar(range(4), errors.values(), color=colours, width=0.7)
left.bar_label(bars, fmt="%.3f", padding=2)
left.set_xticks(range(4), [name.replace(" ", "\n", 1) for name in errors])
left.set(ylabel="RMSE on test ratings, stars", ylim=(0, 1.1 * max(errors.values())))
left.set_title("less is better")
sizes = 4 + n_ratings / 5
dots = right.scatter(first, second, s=sizes, c=liked, cmap="viridis", alpha=0.8)
figure.colorbar(dots, label="mean rating, stars")
right.set(xlabel="first component of the vectors", ylabel="second component")
right.set_title("items, larger if rated more often")
plt.show()

# %%
# Nobody has told the network how well liked an item is; nearly all of it stands in one
# direction of its vectors, and taste in the others. Items that are rarely rated have
# short vectors: of them the network knows little. Somebody who has rated
# nothing is the same case in full. A new user's code is one that training never met,
# its vector is zero, and the prediction comes from the item alone.
#
# .. [1] Harper and Konstan, "The MovieLens datasets: history and context", ACM
#    Transactions on Interactive Intelligent Systems 5, 2015.
# .. [2] Rendle, Krichene, Zhang and Anderson, "Neural collaborative filtering vs.
#    matrix factorization revisited", RecSys 2020.
