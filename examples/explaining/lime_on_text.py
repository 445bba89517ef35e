"""
LIME on text: right for the wrong reasons
=========================================

A classifier of texts can have a high score because of words that will not be there when
it is used: headers, names, house style. The score does not tell. LIME does [1]_: it
drops words from a text, looks at what the classifier says then, and fits a linear model
that gives each word its share.

The texts are the docstrings of SciPy's functions, and the task is to tell which part of
SciPy a function belongs to. The example looks into a classifier with a fine score, does
not like what it sees, mends the data and looks again.
"""

import importlib
import inspect
import re

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sknn import MLPClassifier
from sknn.explain import explain_text

# %%
# Texts and their labels.

PARTS = ["linalg", "ndimage", "optimize", "signal", "stats"]


def docstrings(part):
    """Return the docstrings of the public functions of a part of SciPy."""
    module = importlib.import_module(f"scipy.{part}")
    found = [getattr(module, name) for name in module.__all__]
    texts = [inspect.getdoc(each) for each in found if inspect.isfunction(each)]
    return sorted({text for text in texts if text and len(text) > 200})


texts, labels = [], []
for part in PARTS:
    texts += docstrings(part)
    labels += [part] * (len(texts) - len(labels))
print({part: labels.count(part) for part in PARTS})

# %%
# A classifier with a fine score
# ------------------------------
#
# Words are weighed by TF-IDF, and a small network reads the weights.


def fit(texts):
    """Fit a pipeline; return it with the texts and labels kept for testing."""
    X_train, X_test, y_train, y_test = train_test_split(
        texts, labels, test_size=0.4, stratify=labels, random_state=0
    )
    model = make_pipeline(
        TfidfVectorizer(min_df=2, sublinear_tf=True),
        MLPClassifier(
            (32,),
            learning_rate="cosine",
            learning_rate_init=0.01,
            max_iter=30,
            n_iter_no_change=np.inf,
            batch_size=32,
            dtype="float32",
            random_state=0,
        ),
    ).fit(X_train, y_train)
    print(f"accuracy on test texts: {model.score(X_test, y_test):.3f}")
    return model, X_test, y_test


model, X_test, y_test = fit(texts)


# %%
# Which words decide? Ten test texts are explained, each for the class that the model
# gives it, and the values of each word are added up.


def strongest_words(model, texts, n_words=12):
    """Return the words with the largest sum of values, and the sums."""
    sums = {}
    for found in explain_text(
        model, texts, target="predicted", num_samples=400, random_state=0
    ):
        for word, value in zip(found.feature_names, found.values, strict=True):
            sums[word.lower()] = sums.get(word.lower(), 0.0) + value
    order = sorted(sums, key=sums.get, reverse=True)[:n_words]
    return order, [sums[word] for word in order]


before = strongest_words(model, X_test[:10])
print(", ".join(before[0]))

# %%
# Among them are the names of the parts themselves. Many docstrings have examples that
# begin with ``from scipy import signal``, and the network has learned to read the
# label there. A function that is yet to be documented has no such line.
#
# Mending the data
# ----------------
#
# Only the description is kept, from the first line to the list of parameters, and the
# names of the parts are taken out.


def description(text):
    text = text.split("\nParameters\n")[0]
    return re.sub(r"(?i)\b(scipy|linalg|ndimage|optimize|signal|stats)\b", " ", text)


honest, X_honest, y_honest = fit([description(text) for text in texts])
X_honest = [" ".join(text.split()) for text in X_honest]
after = strongest_words(honest, X_honest[:10])
print(", ".join(after[0]))

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, title, (words, sums) in (
    (axes[0], "whole docstrings", before),
    (axes[1], "descriptions without names", after),
):
    names = [word in PARTS for word in words]
    colors = ["#D55E00" if is_name else "#0072B2" for is_name in names]
    ax.barh(words, sums, color=colors, hatch=["//" if n else "" for n in names])
    ax.invert_yaxis()
    ax.set(title=title, xlabel="sum of values over ten texts")
plt.show()

# %%
# Names of parts are hatched. The score is lower now, and it is the better estimate of
# what the classifier can do.
#
# One text
# --------
#
# Where a classifier is wrong, the words say why. In a notebook, an explanation draws
# itself:

wrong = [i for i in range(len(X_honest)) if len(X_honest[i]) < 700]
wrong = [i for i in wrong if honest.predict([X_honest[i]])[0] != y_honest[i]]
text, truth = X_honest[wrong[0]], y_honest[wrong[0]]
(found,) = explain_text(
    honest, [text], target="predicted", num_samples=2000, random_state=0
)
print(f"is {truth}, is taken for {honest.predict([text])[0]}; R² {found.score_:.2f}")
found

# %%
# For print, the same as a picture. `positions_` tells where each word stands in the
# text, so that every place can be coloured: blue speaks for the class that the model
# chose, orange against it, and the darker the more.


def broken_at_spaces(text, width):
    """Return the places at which lines start, and the end."""
    starts, end = [0], 0
    for space in re.finditer(r" |$", text):
        if space.start() - starts[-1] > width:
            starts.append(end + 1)
        end = space.start()
    return [*starts, len(text) + 1]


WIDTH, SIZE = 78, 11  # characters in a line, points
*starts, end = broken_at_spaces(text, WIDTH)
inches = 0.602 * SIZE / 72  # a character of the typeface
figure = plt.figure(figsize=(WIDTH * inches, 0.33 * (len(starts) + 1)))
ax = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(len(starts) - 0.4, -1.5))
ax.axis("off")


def place_of(start):
    """Return line and column of a character."""
    line = int(np.searchsorted(starts, start, side="right")) - 1
    return line, start - starts[line]


largest = np.abs(found.values).max()
for value, places in zip(found.values, found.positions_, strict=True):
    color = "#0072B2" if value > 0 else "#E69F00"
    for start, stop in places:
        line, column = place_of(start)
        box = ax.barh(line, stop - start, left=column, height=0.9, color=color)
        box[0].set_alpha(0.75 * abs(value) / largest)
for word in re.finditer(r"\w+|[^\w\s]+", text):
    line, column = place_of(word.start())
    ax.text(column, line, word[0], family="monospace", size=SIZE, va="center_baseline")
title = f"from {truth}, taken for {honest.predict([text])[0]}"
ax.text(0, -1, title, size=SIZE, weight="bold", va="center")
plt.show()

# %%
# Three caveats.
#
# - R² says how well a sum over words describes the classifier near this text. Where it
#   is low, the words act together, and single values say little.
# - A text without half of its words is no text that anyone would write. What the model
#   says of it may not matter. `kernel_width` decides how much such copies count.
# - LIME finds what the model uses, not what is wrong with it. That `signal` is a leak
#   is for a person to see. Some may be left: in newer versions of SciPy, a sentence on
#   "core" and "batch" dimensions is the same in many functions of the same part.
#
# .. [1] Ribeiro, Singh and Guestrin, "Why should I trust you? Explaining the
#    predictions of any classifier", KDD 2016.
