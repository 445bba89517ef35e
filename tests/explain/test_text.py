"""LIME over the words of a text."""

import re

import numpy as np
import pytest
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn.explain import explain_text

shap = pytest.importorskip("shap")

TEXTS = [
    "A good, GOOD film with a fine plot",
    "bad film; the plot is poor",
    "the film was fine, the end was not",
    "poor plot but good end",
] * 4
SEED = {"random_state": 0, "num_samples": 600}


@pytest.fixture(scope="module", params=[CountVectorizer, TfidfVectorizer])
def binary(request):
    y = ["up" if "good" in text.lower() else "down" for text in TEXTS]
    return make_pipeline(request.param(), LogisticRegression()).fit(TEXTS, y)


@pytest.fixture(scope="module")
def multiclass():
    y = [["good", "bad", "mixed", "odd"][i % 4] for i in range(len(TEXTS))]
    model = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression())
    return model.fit(TEXTS, y)


def names(explanation):
    return dict(zip(explanation.feature_names, explanation.values, strict=True))


def test_a_linear_model_of_counts_gets_its_terms():
    y = np.array([len(text) for text in TEXTS], dtype=float)
    model = make_pipeline(CountVectorizer(), Ridge()).fit(TEXTS, y)
    (explanation,) = explain_text(model, TEXTS[:1], **SEED)
    terms = dict(zip(model[0].get_feature_names_out(), model[1].coef_, strict=True))
    for name, value, count in zip(
        explanation.feature_names, explanation.values, explanation.data, strict=True
    ):
        assert value == pytest.approx(terms[name.lower()] * count, abs=0.25)
    assert explanation.score_ > 0.97


def test_words_are_those_of_the_vectorizer_with_all_their_places(binary):
    (explanation,) = explain_text(binary, TEXTS[:1], **SEED)
    assert explanation.feature_names == ["good", "film", "with", "fine", "plot"]
    assert explanation.data.tolist() == [2, 1, 1, 1, 1]
    assert explanation.positions_[0] == [(2, 6), (8, 12)]
    assert all(
        explanation.text_[slice(*span)].lower() == name
        for name, places in zip(
            explanation.feature_names, explanation.positions_, strict=True
        )
        for span in places
    )
    assert max(names(explanation), key=names(explanation).get) == "good"


def test_places_are_explained_by_themselves_without_bow(binary):
    (explanation,) = explain_text(binary, TEXTS[:1], bow=False, **SEED)
    assert explanation.feature_names[:2] == ["good", "GOOD"]
    assert [len(places) for places in explanation.positions_] == [1] * 6


def test_case_matters_where_the_vectorizer_keeps_it():
    model = make_pipeline(CountVectorizer(lowercase=False), LogisticRegression())
    model.fit(TEXTS, [0, 1] * 8)
    (explanation,) = explain_text(model, TEXTS[:1], **SEED)
    assert explanation.feature_names[:2] == ["good", "GOOD"]


def test_any_estimator_of_strings_is_explained():
    def lengths(texts):
        return np.array([[len(text.split())] for text in texts], dtype=float)

    model = make_pipeline(FunctionTransformer(lengths), Ridge(alpha=0))
    model.fit(TEXTS, [len(text.split()) for text in TEXTS])
    (explanation,) = explain_text(model, ["a b c d e"], **SEED)
    np.testing.assert_allclose(explanation.values, 1, atol=0.1)
    assert explanation.output_names is None


def test_copies_drop_words_and_keep_the_rest():
    seen = []

    def spy(texts):
        seen.extend(texts)
        return np.array([[len(text)] for text in texts], dtype=float)

    model = make_pipeline(FunctionTransformer(spy), Ridge())
    model.fit(["a", "b b"], [0, 1])
    seen.clear()
    explain_text(model, ["x, (y)!"], mask_string="_", **SEED)
    assert set(seen) == {"x, (y)!", "_, (y)!", "x, (_)!", "_, (_)!"}
    assert len(seen) == 1 + 4


def test_several_classes_can_be_cut_out(multiclass):
    (explanation,) = explain_text(multiclass, TEXTS[:1], **SEED)
    assert explanation.values.shape == (5, 4)
    assert explanation.output_names == ["bad", "good", "mixed", "odd"]
    one = explanation[:, "good"]
    np.testing.assert_array_equal(one.values, explanation.values[:, 1])
    assert one.score_ == explanation.score_[1]
    assert one.text_ == TEXTS[0]
    (own,) = explain_text(multiclass, TEXTS[:1], target="good", **SEED)
    np.testing.assert_allclose(own.values, one.values, atol=1e-12)
    (predicted,) = explain_text(multiclass, TEXTS[:1], target="predicted", **SEED)
    np.testing.assert_allclose(predicted.values, one.values, atol=1e-12)


def test_outputs_are_chosen_as_for_tables(binary):
    (margin,) = explain_text(binary, TEXTS[:1], **SEED)
    (chance,) = explain_text(
        binary, TEXTS[:1], output="probability", target="up", **SEED
    )
    assert margin.output_names == chance.output_names == "up"
    assert abs(chance.local_pred_ - binary.predict_proba(TEXTS[:1])[0, 1]) < 0.1
    with pytest.raises(ValueError, match="target must be one of"):
        explain_text(binary, TEXTS[:1], target="sideways", **SEED)


def test_a_text_depends_on_its_seed_and_not_on_the_others(binary):
    before = repr(np.random.get_state())
    together = explain_text(binary, TEXTS[:4], **SEED)
    (alone,) = explain_text(binary, TEXTS[2:3], **SEED)
    (other,) = explain_text(binary, TEXTS[2:3], **SEED | {"random_state": 1})
    np.testing.assert_array_equal(together[2].values, alone.values)
    assert not np.array_equal(other.values, alone.values)
    assert repr(np.random.get_state()) == before


def test_searches_lead_to_their_vectorizer(binary):
    search = GridSearchCV(binary, {"logisticregression__C": [1.0, 2.0]}, cv=2)
    search.fit(TEXTS, [0, 1] * 8)
    (explanation,) = explain_text(search, TEXTS[:1], **SEED)
    assert explanation.feature_names[0] == "good"


def test_one_word_is_explained(binary):
    (explanation,) = explain_text(binary, ["good"], **SEED)
    assert explanation.values.shape == (1,)
    assert np.isfinite(explanation.values).all()


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ("good film", TypeError, "texts must be a list of strings, got one string"),
        (["good", 3], TypeError, r"got 3 at texts\[1\]"),
        ([], ValueError, "at least one string, got none"),
        (["good", ""], ValueError, r"texts\[1\] has no words to explain, got ''"),
        (["?!"], ValueError, r"texts\[0\] has no words.*token_pattern="),
    ],
)
def test_texts_that_cannot_be_explained_are_refused(binary, texts, error, message):
    with pytest.raises(error, match=message):
        explain_text(binary, texts, **SEED)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_samples": 1}, "num_samples must be an integer of at least 2, got 1"),
        ({"kernel_width": 0}, "kernel_width must be greater than 0, got 0"),
        ({"token_pattern": "("}, r"token_pattern must be a regular.*got '\('"),
        ({"random_state": "x"}, "random_state must be"),
    ],
)
def test_options_that_are_wrong_are_refused(binary, options, message):
    with pytest.raises(ValueError, match=message):
        explain_text(binary, TEXTS[:1], **SEED | options)


def test_plots_of_shap_draw_texts(binary, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    (explanation,) = explain_text(binary, TEXTS[:1], **SEED)
    for plot in (shap.plots.bar, shap.plots.waterfall):
        plot(explanation, show=False)
        plt.close("all")


def test_html_colours_the_words_and_escapes_the_text(binary):
    text = "good <script>film</script> & more"
    (explanation,) = explain_text(binary, [text], **SEED)
    page = explanation._repr_html_()
    colours = re.findall(r"rgba\(\d+, \d+, \d+, ([\d.]+)\)", page)
    assert len(colours) == 5
    assert float(colours[0]) == 0.45
    assert "<script" not in page
    assert "&lt;" in page and "&amp;" in page
