"""
Tell the subject of a text
==========================

Which part of SciPy does a description belong to: signals, statistics, linear algebra?
A text becomes a sparse row of TF-IDF weights, one column for each word, and the network
takes the sparse matrix as it is.

The texts are at hand on every machine that runs this: the docstrings of SciPy's
functions and classes. Two linear models see the same rows. On texts they are strong,
and here they may even choose their penalty on the test rows.

``python text_classification.py --newsgroups`` takes the 20 newsgroups instead, which
are downloaded once.
"""

import inspect
import re
import sys
from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import fetch_20newsgroups
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from sknn import MLPClassifier

# %%
# Texts that do not give the answer away
# --------------------------------------
#
# A docstring is full of giveaways: examples that import the package, references to its
# neighbours, its own name. So only the description between signature and first section
# is read, and in it the names of SciPy's packages and of all functions and classes are
# masked: words that are such a name, alone or between dots, are left out. An object
# that has several names is one text. One that belongs to two subjects is none, and
# texts that are equal after all this count once: nothing can be in training and test at
# the same time.

MODULES = {
    "cluster": ["cluster.hierarchy", "cluster.vq"],
    "fft": ["fft"],
    "integrate": ["integrate"],
    "interpolate": ["interpolate"],
    "linalg": ["linalg"],
    "ndimage": ["ndimage"],
    "optimize": ["optimize"],
    "signal": ["signal", "signal.windows"],
    "sparse": ["sparse", "sparse.linalg", "sparse.csgraph"],
    "spatial": ["spatial", "spatial.distance", "spatial.transform"],
    "special": ["special"],
    "stats": ["stats", "stats.mstats", "stats.qmc", "stats.contingency"],
}


def words(text):
    return re.findall(r"[a-z][a-z0-9_]+", text.lower())


def documented(module):
    """Yield name and docstring of the functions and classes of a module."""
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isroutine(thing) or isinstance(thing, (type, np.ufunc)):
            yield name, inspect.getdoc(thing) or ""


def description(docstring):
    """Return what stands between the signature, if there is one, and the sections."""
    text = re.split(r"\n[A-Z][A-Za-z ]+\n-{3,}", docstring)[0]
    return re.sub(r"\A\w+\(.*?\)\n", "", text, flags=re.DOTALL)


def is_giveaway(word, names, packages):
    return word in names or not packages.isdisjoint(word.split("_"))


def collect(modules):
    """Return texts and subjects, each text once and without giveaways."""
    names, packages, subjects = set(), {"scipy", "numpy", "np"}, {}
    for subject, paths in modules.items():
        for path in paths:
            module = import_module(f"scipy.{path}")
            packages.update(path.split("."))
            names.update(name.lower() for name in module.__all__)
            for _, docstring in documented(module):
                subjects.setdefault(description(docstring), set()).add(subject)
    masked = {}
    for text, found in subjects.items():
        kept = [w for w in words(text) if not is_giveaway(w, names, packages)]
        if len(kept) >= 5:
            masked.setdefault(" ".join(kept), set()).update(found)
    return {text: found.pop() for text, found in masked.items() if len(found) == 1}


def load():
    if "--newsgroups" in sys.argv:
        try:
            news = fetch_20newsgroups(
                subset="all", remove=("headers", "footers", "quotes")
            )
            names = np.array(news.target_names)
            return dict(zip(news.data, names[news.target], strict=True))
        except OSError as error:
            print(f"20 newsgroups cannot be had ({error}): SciPy's docstrings instead")
    return collect(MODULES)


labelled = load()
texts, y = np.array(list(labelled), dtype=object), np.array(list(labelled.values()))
subjects, counts = np.unique(y, return_counts=True)
print(f"{len(texts)} texts, {np.mean([len(t.split()) for t in texts]):.0f} words each")
print(f"{len(subjects)} subjects of {counts.min()} to {counts.max()} texts")

# %%
# One network, two linear models
# ------------------------------
#
# Five folds, the same for all. Words and their weights are learned anew from the
# training texts of each fold. The linear models are fitted with several strengths of
# penalty, and the best of these *on the test texts* is the one that is told: more than
# they could know. The network has one setting, chosen on other folds of the same texts.

LOGISTIC_C = [10, 100, 1000, 10_000]
LINEAR_C = [0.3, 1, 3]


def network():
    return MLPClassifier(
        (128,),
        input_dropout=0.3,
        dropout=0.5,
        learning_rate="cosine",
        learning_rate_init=0.005,
        batch_size=64,
        max_iter=40,
        n_iter_no_change=np.inf,
        random_state=0,
    )


candidates = {
    "network": [network()],
    "LogisticRegression": [LogisticRegression(C=C, max_iter=1000) for C in LOGISTIC_C],
    "LinearSVC": [LinearSVC(C=C) for C in LINEAR_C],
}
accuracy = {name: [] for name in candidates}
said = np.empty_like(y)
folds = StratifiedKFold(5, shuffle=True, random_state=2)
for train, test in folds.split(texts, y):
    tfidf = TfidfVectorizer(
        sublinear_tf=True, min_df=2, stop_words="english", dtype=np.float32
    )
    X_train, X_test = tfidf.fit_transform(texts[train]), tfidf.transform(texts[test])
    for name, models in candidates.items():
        scores = [m.fit(X_train, y[train]).score(X_test, y[test]) for m in models]
        accuracy[name].append(scores)
    said[test] = candidates["network"][0].predict(X_test)

share = X_train.nnz / np.prod(X_train.shape)
print(f"{X_train.shape[1]} words, {share:.1%} of the entries are stored\n")
best, per_fold = {}, {}
for name, scores in accuracy.items():
    at = np.mean(scores, axis=0).argmax()
    per_fold[name] = np.array(scores)[:, at]
    best[name] = per_fold[name].mean()
    note = "" if name == "network" else f"   C={candidates[name][at].C:g}"
    print(f"{name:<20}{best[name]:.4f} ± {per_fold[name].std():.4f}{note}")
print(f"largest subject alone {counts.max() / len(y):.4f}")
rival = max(["LogisticRegression", "LinearSVC"], key=best.get)
gap = per_fold["network"] - per_fold[rival]
print(f"network − {rival}: {gap.mean():+.4f}, ahead on {np.sum(gap > 0)} of 5 folds")

# %%
# The gap is smaller than what folds differ by. Most of what can be known from so few
# texts is which words occur, and a linear model knows that, too. It is fitted in a
# fraction of the time, so try it first.
#
# The words that speak for a subject
# ----------------------------------
#
# A question to the fitted network, a row for each word: what would it say to a text of
# this word alone?

alone = tfidf.transform(tfidf.get_feature_names_out())
known = np.asarray((X_train > 0).sum(axis=0)).ravel() >= 5
vocabulary = tfidf.get_feature_names_out()[known]
probabilities = candidates["network"][0].predict_proba(alone[known])
for column, subject in enumerate(candidates["network"][0].classes_):
    telling = vocabulary[probabilities[:, column].argsort()[::-1][:6]]
    print(f"{subject:<12} {', '.join(telling)}")

# %%
# And where the network errs, on all texts, each of them held out once.

figure, (ax, bars) = plt.subplots(
    1, 2, figsize=(11, 5), layout="constrained", width_ratios=[1.5, 1]
)
ConfusionMatrixDisplay.from_predictions(
    y, said, normalize="true", values_format=".0%", cmap="cividis", ax=ax,
    xticks_rotation=60, colorbar=False, text_kw={"fontsize": 7},
)  # fmt: skip
ax.set(xlabel="network says", ylabel="subject")
ax.set_title("share of each subject's texts, held out")
for row, (name, colour) in enumerate(
    zip(best, ["#D55E00", "#0072B2", "#009E73"], strict=True)
):
    bars.plot(per_fold[name], np.full(5, row), "o", color=colour, alpha=0.4)
    bars.plot(best[name], row, "D", color=colour, ms=10)
bars.set_yticks(range(3), best)
bars.set(xlabel="accuracy on held-out texts", ylim=(-0.5, 2.5))
bars.set_title("dots: folds, diamonds: their mean")
plt.show()

# %%
# The mistakes that are made most often:

wrong, times = np.unique(
    [f"{a} taken for {b}" for a, b in zip(y, said, strict=True) if a != b],
    return_counts=True,
)
for row in times.argsort()[::-1][:5]:
    print(f"{times[row]:>3} × {wrong[row]}")
