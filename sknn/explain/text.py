"""LIME for texts: which words move the output of a model that reads strings.

Holds how words are found and dropped; the fit lies in `_lime_masks`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._lime_masks import (
    check_masking,
    draw_counts,
    fit_masks,
    part_explanation,
)
from sknn.explain._outputs import ModelOutput, raw_output, select_outputs
from sknn.explain._seeds import seed_of

if TYPE_CHECKING:
    import shap

__all__ = ["explain_text"]

Span = tuple[int, int]


def explain_text(
    estimator: Any,
    texts: Iterable[str],
    *,
    output: str = "auto",
    target: Any = None,
    num_samples: int = 5000,
    bow: bool = True,
    token_pattern: str | None = None,
    mask_string: str = "",
    kernel_width: float = 0.25,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
) -> list[shap.Explanation]:
    r"""Explain predictions on texts by their words.

    LIME: copies of a text without some of its words, chosen by chance, are predicted.
    A ridge regression of the outputs f on which words z are left gives each word its
    contribution b, where copies count by their cosine distance to the whole text:

    .. math:: \sum_k w_k (f(z_k) - a - b^T z_k)^2 + \|b\|^2, \qquad
              w_k = e^{-(1 - \sqrt{\bar z_k})^2 / (2 s^2)}

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted model that takes a list of strings, such as a pipeline that starts
        with a CountVectorizer, TfidfVectorizer or HashingVectorizer.
    texts : list of str
        The texts to explain; for one text, a list of one.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        The number that is explained, as in `sknn.explain.explain`.
    target : label, int, list or "predicted", optional
        The classes or outputs to explain, as in `sknn.explain.explain`.
    num_samples : int, default=5000
        Copies of each text, itself included. Those that are alike are predicted once.
    bow : bool, default=True
        Whether the places where a word stands are dropped together (a bag of words).
        False explains each place by itself.
    token_pattern : str, optional
        Regular expression of a word. None takes that of the vectorizer, or runs of
        letters, digits and underscores. Words that differ in case are one word if the
        vectorizer lowers them.
    mask_string : str, default=""
        What stands in a copy where a word was dropped.
    kernel_width : float, default=0.25
        Reach s of the neighbourhood, in cosine distance.
    random_state : int, Generator or RandomState, optional
        Seed of the copies. A text's explanation does not depend on the other texts.

    Returns
    -------
    explanations : list of shap.Explanation
        For each text `values` of shape (words,) or (words, outputs), `base_values`,
        the words as `feature_names` and, in `data`, how often each of them stands in
        the text. `score_` (weighted R² of the local fit), `intercept_`,
        `local_pred_`, `error_std`, and `text_` with `positions_`: for each word the
        (start, stop) of its places. Notebooks show the text in colours;
        ``shap.plots.bar`` and ``waterfall`` draw one output.

    Raises
    ------
    TypeError
        If `texts` is a single string or holds something else than strings.
    ValueError
        If a text has no words, or a parameter does not fit.

    References
    ----------
    .. [1] Ribeiro, Singh and Guestrin, "Why Should I Trust You? Explaining the
           Predictions of Any Classifier", KDD 2016, equation 1.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknn.explain import explain_text
    >>> texts = ["good film", "bad film", "good plot", "bad plot"] * 5
    >>> model = make_pipeline(CountVectorizer(), LogisticRegression())
    >>> model = model.fit(texts, ["up", "down", "up", "down"] * 5)
    >>> explanation, = explain_text(model, ["A good, good film"], random_state=0)
    >>> explanation.feature_names, explanation.data.tolist()
    (['good', 'film'], [2, 1])
    >>> bool(explanation.values[0] > 1)
    True
    """
    check_masking(num_samples, kernel_width)
    texts = _as_list(texts)
    raw = raw_output(estimator, output)
    pattern, lower = _word_rule(estimator, token_pattern)
    found = [_words(text, pattern, lower, bow) for text in texts]
    empty = [i for i, words in enumerate(found) if not words]
    if empty:
        raise ValueError(
            f"texts[{empty[0]}] has no words to explain, got {texts[empty[0]]!r}; a "
            f"word is what token_pattern={pattern.pattern!r} finds"
        )
    seed = seed_of(random_state)
    model = select_outputs(raw, raw(texts), target)
    chosen = model.per_row(texts)
    explanations = []
    for i, text in enumerate(texts):
        # the same draws for every text of as many words: none depends on the others
        masks = draw_counts(np.random.default_rng(seed), num_samples, len(found[i]))
        pick = None if chosen is None else int(chosen[i])
        copies = _Copies(text, found[i], mask_string)
        explanations.append(_explain_one(copies, masks, model, pick, kernel_width))
    return explanations


def _as_list(texts: Any) -> list[str]:
    if isinstance(texts, str):
        raise TypeError(f"texts must be a list of strings, got one string {texts!r}")
    texts = list(texts)
    if not texts:
        raise ValueError("texts must hold at least one string, got none")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts must hold strings, got {text!r} at texts[{i}]")
    return texts


def _word_rule(
    estimator: Any, token_pattern: str | None
) -> tuple[re.Pattern[str], bool]:
    """Return what a word is, and whether words that differ in case are one."""
    vectorizer = _first_step(estimator)
    lower = bool(getattr(vectorizer, "lowercase", False))
    splits = getattr(vectorizer, "analyzer", None) == "word"
    if token_pattern is None and splits and vectorizer.tokenizer is None:
        token_pattern = vectorizer.token_pattern
    try:
        return re.compile(r"\w+" if token_pattern is None else token_pattern), lower
    except (re.error, TypeError) as error:
        raise ValueError(
            f"token_pattern must be a regular expression, got {token_pattern!r}"
        ) from error


def _first_step(estimator: Any) -> Any:
    while hasattr(estimator, "best_estimator_") or hasattr(estimator, "steps"):
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            estimator = estimator.steps[0][1]
    return estimator


def _words(
    text: str, pattern: re.Pattern[str], lower: bool, bow: bool
) -> list[list[Span]]:
    """Return the places of each word, in the order of their first."""
    words: dict[Any, list[Span]] = {}
    for match in pattern.finditer(text):
        start, stop = match.span(1 if pattern.groups else 0)
        word = text[start:stop]
        if word:
            key = (word.lower() if lower else word) if bow else start
            words.setdefault(key, []).append((start, stop))
    return list(words.values())


@dataclass(frozen=True)
class _Copies:
    """A text of which words can be dropped."""

    text: str
    words: list[list[Span]]
    mask_string: str

    def __call__(self, masks: np.ndarray) -> list[str]:
        """Return the text with the words that each mask shows."""
        spans = sorted(
            (span, j) for j, places in enumerate(self.words) for span in places
        )
        ends = [0, *(stop for (_, stop), _ in spans)]
        between = [self.text[e:s] for e, ((s, _), _) in zip(ends, spans, strict=False)]
        between.append(self.text[ends[-1] :])
        pieces = np.empty((len(masks), 2 * len(spans) + 1), dtype=object)
        pieces[:, ::2] = between
        for k, ((start, stop), j) in enumerate(spans):
            word = self.text[start:stop]
            pieces[:, 2 * k + 1] = np.where(masks[:, j], word, self.mask_string)
        return ["".join(row) for row in pieces.tolist()]


def _explain_one(
    copies: _Copies,
    masks: np.ndarray,
    model: ModelOutput,
    chosen: int | None,
    kernel_width: float,
) -> Any:
    start = time.perf_counter()
    different, place = np.unique(masks, axis=0, return_inverse=True)
    Y = model(copies(different))[place.ravel()]
    text, words = copies.text, copies.words
    explanation = part_explanation(
        fit_masks(masks, Y, kernel_width),
        model,
        chosen,
        np.array([len(places) for places in words]),
        [text[slice(*places[0])] for places in words],
        start,
    )
    explanation.text_, explanation.positions_ = text, words
    return explanation
