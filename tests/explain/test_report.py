"""The page about a model: what stands in it, that it is harmless, that it works."""

import importlib.util
import json
import pathlib
import re
import warnings
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sknn.explain
from sknn import MLPClassifier
from sknn.explain._report import report
from sknn.explain._report._about import training_curves
from sknn.explain._report._page import as_json
from sknn.explain._report._scores import reliability

pytest.importorskip("shap")
pytest.importorskip("lime")

EVIL = "</script><script>alert(1)</script><!--{{data}}"
QUICK = {"n_rows": 4, "methods": ["permutation"]}


def load_driver():
    """Import the driver of the browser, which is no module of a package."""
    path = pathlib.Path(__file__).parents[1] / "proofs" / "report_in_browser.py"
    spec = importlib.util.spec_from_file_location("report_in_browser", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


driver = load_driver()


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def data_of(path):
    """What the page has to show; NaN and infinity are refused, as browsers do."""

    def refuse(name):
        raise ValueError(name)

    text = path.read_text("utf-8")
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</s', text)
    return json.loads(found, parse_constant=refuse)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def classes_page(numbers, folder):
    """Three classes, a network of ours behind a scaler."""
    X, score = numbers
    y = np.array(["low", "mid", "top"])[np.digitize(score, [-0.7, 0.7])]
    network = MLPClassifier((8,), max_iter=30, early_stopping=True, random_state=0)
    model = make_pipeline(StandardScaler(), network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged
        model.fit(X, y)
    path = folder / "classes.html"
    assert report(model, X, y, path, background=X[:10], n_rows=12) == path
    return path, model, X, y


@pytest.fixture(scope="module")
def numbers_page(regression, numbers, folder):
    model, X = regression
    path = folder / "numbers.html"
    report(model, X, numbers[1], path, background=X[:10], **QUICK)
    return path, model, X, numbers[1]


@pytest.fixture(scope="module")
def evil_page(folder):
    """Names, values, labels and a title that would like to be code."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {EVIL: rng.choice([EVIL, "b"], 30), "b&<i>": ["x", EVIL, "y"] * 10}
    )
    y = np.where(X[EVIL] == "b", EVIL, "<b>bold</b>")
    y[0] = EVIL
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(X, y)
    path = folder / "evil.html"
    report(model, X, y, path, background=X[:5], n_rows=6, title=EVIL)
    return path


def test_the_public_name_is_the_function_whatever_is_imported_first():
    assert callable(sknn.explain.report)
    assert sknn.explain.report is report


def test_scores_are_those_of_scikit_learn(classes_page):
    from sklearn.metrics import balanced_accuracy_score, confusion_matrix, log_loss

    path, model, X, y = classes_page
    data, predicted = data_of(path), model.predict(X)
    found = {row["name"]: row["model"] for row in data["scores"]["rows"]}
    assert found["accuracy"] == pytest.approx(model.score(X, y), rel=1e-5)
    expected = balanced_accuracy_score(y, predicted)
    assert found["balanced accuracy"] == pytest.approx(expected, rel=1e-5)
    expected = log_loss(y, model.predict_proba(X))
    assert found["log loss"] == pytest.approx(expected, rel=1e-5)
    assert data["confusion"]["counts"] == confusion_matrix(y, predicted).tolist()
    assert data["confusion"]["labels"] == ["low", "mid", "top"]


def test_scores_of_numbers_are_those_of_scikit_learn(numbers_page):
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    path, model, X, y = numbers_page
    rows = data_of(path)["scores"]["rows"]
    predicted = model.predict(X)
    expected = [
        model.score(X, y),
        mean_absolute_error(y, predicted),
        root_mean_squared_error(y, predicted),
    ]
    assert [row["model"] for row in rows] == pytest.approx(expected, rel=1e-5)
    assert rows[0]["baseline"] == 0


def test_two_classes_have_an_area_under_their_curve(binary, numbers, tmp_path):
    from sklearn.metrics import roc_auc_score

    model, X = binary
    y = np.where(numbers[1] > 0, "yes", "no")
    path = report(model, X, y, tmp_path / "p.html", background=X[:10], **QUICK)
    data = data_of(path)
    expected = roc_auc_score(y, model.predict_proba(X)[:, 1])
    assert data["scores"]["rows"][-1]["model"] == pytest.approx(expected, rel=1e-5)
    assert data["outputs"] == ["yes"]


def test_the_head_names_network_and_training(classes_page):
    data = data_of(classes_page[0])
    facts = dict(data["about"]["facts"])
    assert facts["units"] == "5 → 8 → 3"
    assert facts["weights and intercepts"] == str(5 * 8 + 8 + 8 * 3 + 3)
    assert [step[0] for step in data["about"]["steps"]] == [
        "standardscaler",
        "mlpclassifier",
    ]
    was_set = {name for name, _, is_set in data["about"]["parameters"] if is_set}
    assert was_set == {
        "hidden_layer_sizes",
        "max_iter",
        "early_stopping",
        "random_state",
    }
    loss, score = data["curves"]
    assert [line["name"] for line in loss["series"]] == ["training", "validation"]
    history = classes_page[1][-1].history_
    assert loss["series"][0]["values"] == pytest.approx(history["loss"], rel=1e-5)
    assert score["series"][-1]["name"] == "validation"


def test_contributions_of_a_row_add_up_to_its_margin(classes_page):
    path, model, X, _ = classes_page
    data = data_of(path)
    shapley, lime = data["rows"]["contributions"]
    margin = model.decision_function(X[data["rows"]["index"]])
    np.testing.assert_allclose(shapley["total"], margin, rtol=1e-5)
    sums = np.sum(shapley["values"], axis=-1) + shapley["base"]
    np.testing.assert_allclose(sums, margin, atol=1e-4)
    assert shapley["score"] is None
    assert np.shape(lime["score"]) == (12, 3)
    assert [method["label"] for method in data["methods"]] == ["SHAP", "LIME"]


def test_importance_is_the_mean_with_its_interval(numbers_page):
    path, model, X, _ = numbers_page
    data = data_of(path)
    explanation = sknn.explain.explain(
        model,
        X[data["rows"]["index"]],
        background=X[:10],
        method="permutation",
        random_state=0,
    )
    absolute = np.abs(explanation.values)
    (found,) = data["importance"]
    np.testing.assert_allclose(found["mean"], [absolute.mean(axis=0)], rtol=1e-5)
    half = 1.96 * absolute.std(axis=0, ddof=1) / 2
    np.testing.assert_allclose(found["half"], [half], rtol=1e-5)


def test_pairs_of_few_columns_are_ranked(numbers_page):
    pytest.importorskip("sknn.explain.importance")
    pairs = data_of(numbers_page[0])["interactions"]["pairs"]
    assert len(pairs) == 10
    strength = [pair["strength"] for pair in pairs]
    assert strength == sorted(strength, reverse=True)


def test_a_model_that_adds_columns_up_has_no_pairs(numbers, tmp_path):
    pytest.importorskip("sknn.explain.importance")
    X, score = numbers
    model = LinearRegression().fit(X, score)
    path = report(model, X, score, tmp_path / "p.html", background=X[:5], **QUICK)
    assert data_of(path)["interactions"]["omitted"].startswith("None: the model adds")


def test_reliability_compares_in_bins():
    found = reliability(
        np.array([0.05, 0.05, 0.95, 1.0]), np.array([0, 1, 1, 1]).astype(bool), "it"
    )
    first, last = found["bins"]
    assert (first["count"], first["mean"], first["share"]) == (2, 0.05, 0.5)
    assert (last["count"], last["share"], last["high"]) == (2, 1.0, 1.0)
    assert found["error"] == pytest.approx(0.5 * 0.45 + 0.5 * 0.025)


def test_the_page_loads_nothing(classes_page, numbers_page):
    for path, *_ in (classes_page, numbers_page):
        text = path.read_text("utf-8")
        assert not re.search(r"https?:|@import|url\(|\bfetch\(|XMLHttp|innerHTML", text)
        tags = Tags(text).found
        assert not [tag for tag, attrs in tags if {"src", "href", "style"} & set(attrs)]
        assert not {"link", "iframe", "img", "object", "base"} & {
            tag for tag, _ in tags
        }
        assert len([tag for tag, _ in tags if tag == "script"]) == 2
        (policy,) = (attrs["content"] for _, attrs in tags if "http-equiv" in attrs)
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert len(text) < 120_000


def test_texts_of_users_cannot_become_code(evil_page):
    text = evil_page.read_text("utf-8")
    assert "<script>alert" not in text
    assert "<b>bold" not in text
    assert len([tag for tag, _ in Tags(text).found if tag == "script"]) == 2
    data = data_of(evil_page)
    assert data["columns"][0] == {"name": EVIL, "levels": [EVIL, "b"]}
    assert data["confusion"]["labels"] == [EVIL, "<b>bold</b>"]


@pytest.mark.parametrize("text", ["<!--", "\u2028", "&lt;", "</SCRIPT>", "é", '"\\'])
def test_json_survives_html(text):
    written = as_json({text: [text, float("nan"), -float("inf"), 1 / 3, 2.0]})
    assert not set("<>&\u2028") & set(written)
    assert json.loads(written) == {text: [text, None, None, 0.333333, 2]}


def test_values_are_shown_as_the_user_wrote_them(mixed, tmp_path):
    model, frame = mixed
    y = model.predict(frame)
    with pytest.warns(UserWarning, match="method='lime' is left out: .*missing"):
        path = report(
            model, frame, y, tmp_path / "p.html", background=frame[:10], n_rows=5
        )
    data = data_of(path)
    columns = {column["name"]: j for j, column in enumerate(data["columns"])}
    for row, i in zip(data["rows"]["cells"], data["rows"]["index"], strict=True):
        for name in ("colour", "size", "member", "when"):
            j = columns[name]
            assert data["columns"][j]["levels"][row[j]] == str(frame[name].iloc[i])
        age = frame["age"].iloc[i]
        assert row[columns["age"]] == (
            None if np.isnan(age) else pytest.approx(age, rel=1e-5)
        )
    assert len(data["omitted"]) == 1


@pytest.mark.parametrize(
    "model",
    [
        GaussianNB(),
        RidgeClassifier(),
        RandomForestClassifier(3, random_state=0),
        GridSearchCV(
            MLPClassifier((4,), solver="lbfgs", random_state=0, max_iter=1000),
            {"alpha": [1.0]},
            cv=2,
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_any_classifier_gets_its_page(model, numbers, tmp_path):
    X, score = numbers
    model.fit(X, score > 0)
    path = report(model, X, score > 0, tmp_path / "p.html", background=X[:5], **QUICK)
    data = data_of(path)
    assert data["outputs"] == ["True"]
    assert ("bins" in data["calibration"]) == hasattr(model, "predict_proba")


@pytest.mark.parametrize("kind", ["polars", "sparse", "list"])
def test_tables_of_other_kinds_get_their_page(kind, numbers, tmp_path):
    X, score = numbers
    if kind == "polars":
        polars = pytest.importorskip("polars")
        X = polars.DataFrame(X, schema=[f"c{j}" for j in range(5)])
    elif kind == "sparse":
        X = sparse.csr_array(X)
    model = LinearRegression().fit(X, score)
    rows = X.tolist() if kind == "list" else X
    path = report(
        model, rows, list(score), tmp_path / "p.html", background=rows[:5], **QUICK
    )
    name = {"polars": "c0"}.get(kind, "x0")
    assert data_of(path)["columns"][0] == {"name": name, "levels": None}


def test_the_predicted_class_alone_can_be_explained(multiclass, tmp_path):
    model, X = multiclass
    settings = {"target": "predicted", "background": X[:5], **QUICK}
    path = report(model, X, model.predict(X), tmp_path / "p.html", **settings)
    assert data_of(path)["outputs"] == [""]


def test_long_curves_are_thinned_and_end_at_the_last_epoch():
    model = LinearRegression()
    model.loss_curve_ = [1.0 / epoch for epoch in range(1, 2502)]
    (curve,) = training_curves(model)
    assert len(curve["epochs"]) == len(curve["series"][0]["values"]) <= 1000
    assert curve["epochs"][-1] == 2501
    assert curve["series"][0]["values"][-1] == 1 / 2501


def test_one_row_has_no_interval(regression, tmp_path):
    model, X = regression
    path = report(model, X[:1], [0.5], tmp_path / "p.html", background=X[:5], **QUICK)
    data = data_of(path)
    assert data["importance"][0]["half"] == [[None] * 5]
    assert data["scores"]["rows"][0]["model"] is None


def test_one_class_among_the_rows_has_no_area(binary, tmp_path):
    model, X = binary
    y = ["yes"] * len(X)
    path = report(model, X, y, tmp_path / "p.html", background=X[:5], **QUICK)
    assert data_of(path)["scores"]["rows"][-1]["model"] is None


@pytest.fixture(scope="module")
def wide_page(folder):
    """200 columns with long names, one of them constant, and 50 classes."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    names = [f"{j}_{'long_name_without_a_space_' * 4}" for j in range(200)]
    X = pd.DataFrame(rng.normal(size=(100, 200)), columns=names)
    X[names[3]] = 1.0
    y = np.arange(100) % 50
    X[names[0]] = y
    model = MLPClassifier((4,), solver="lbfgs", max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged
        model.fit(X, y)
    path = folder / "wide.html"
    report(model, X, y, path, background=X[:2], n_rows=3, methods=["permutation"])
    return path


def test_many_columns_and_classes_stay_small(wide_page):
    data = data_of(wide_page)
    assert np.shape(data["importance"][0]["mean"]) == (50, 200)
    assert np.shape(data["rows"]["contributions"][0]["values"]) == (3, 50, 12)
    assert "pairs" not in data["interactions"]
    assert wide_page.stat().st_size < 600_000


def test_of_several_outputs_one_is_reported_on(two_targets, numbers, tmp_path):
    model, X = two_targets
    y = np.column_stack([numbers[1], X[:, 4]])
    with pytest.raises(
        ValueError, match="y has 2 outputs: choose one by target=0 to 1"
    ):
        report(model, X, y, tmp_path / "p.html", background=X[:5], **QUICK)
    path = report(model, X, y, tmp_path / "p.html", background=X[:5], target=1, **QUICK)
    rows = data_of(path)["rows"]
    assert rows["truth"] == pytest.approx(X[rows["index"], 4], rel=1e-5)


def test_a_missing_folder_is_named_before_anything_is_computed(tmp_path):
    path = tmp_path / "nowhere" / "p.html"
    with pytest.raises(
        FileNotFoundError, match="path must lie in a folder that exists"
    ):
        report(None, None, None, path)
    with pytest.raises(IsADirectoryError, match="path must name a file"):
        report(None, None, None, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": [1.0]}, "X has 80 rows, but y has 1"),
        ({"y": np.full(80, np.nan)}, "y must be finite"),
        ({"y": ["a"] * 80}, "y must hold numbers"),
        ({"y": np.zeros((80, 2))}, "y has 2 outputs, the model 1"),
        ({"n_rows": 0}, "n_rows must be an integer of at least 1, got 0"),
        ({"n_rows": 2.5}, "n_rows must be an integer of at least 1, got 2.5"),
        ({"methods": ["shapp"]}, r"methods must be .*'permutation'.*got \['shapp'\]"),
        ({"methods": []}, "methods must be different names"),
        ({"output": "margin"}, "output='margin' cannot be had"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(
    regression, numbers, tmp_path, change, message
):
    model, X = regression
    settings = {"y": numbers[1], "background": X[:5], **QUICK, **change}
    with pytest.raises(ValueError, match=message):
        report(model, X, settings.pop("y"), tmp_path / "p.html", **settings)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_label_is_named(binary, tmp_path):
    model, X = binary
    y = ["yes", "perhaps"] * 40
    with pytest.raises(ValueError, match=r"y holds labels .* \['perhaps'\]"):
        report(model, X, y, tmp_path / "p.html", background=X[:5])


def test_an_unfitted_model_is_refused(numbers, tmp_path):
    with pytest.raises(NotFittedError):
        report(LinearRegression(), *numbers, tmp_path / "p.html")


def test_a_failure_leaves_the_earlier_page(regression, numbers, tmp_path, monkeypatch):
    model, X = regression
    path = tmp_path / "p.html"
    path.write_text("earlier")
    monkeypatch.setattr("os.replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report(model, X, numbers[1], path, background=X[:5], **QUICK)
    assert path.read_text() == "earlier"
    assert len(list(tmp_path.iterdir())) == 1


def test_without_background_rows_of_x_are_taken_with_a_warning(
    regression, numbers, tmp_path
):
    model, X = regression
    with pytest.warns(UserWarning, match="background=None") as caught:
        report(model, X, numbers[1], tmp_path / "p.html", **QUICK)
    assert [warning.filename for warning in caught] == [__file__]


# --- in a browser ---------------------------------------------------------------------

needs_browser = pytest.mark.skipif(
    driver.find_browser() is None, reason="no chromium is installed"
)


@pytest.fixture(scope="module")
def browser():
    with driver.Browser() as browser:
        yield browser


def texts(browser, selector):
    return browser.run(
        f"[...document.querySelectorAll({selector!r})].map(x => x.textContent)"
    )


def order(browser):
    return [int(text) for text in texts(browser, "#rows button.row")]


@needs_browser
@pytest.mark.parametrize("page", ["classes", "numbers", "evil", "wide"])
def test_the_page_opens_on_desk_and_phone_without_a_complaint(
    browser, page, request, classes_page, numbers_page, evil_page, wide_page
):
    found = {"classes": classes_page[0], "numbers": numbers_page[0]}
    path = {"evil": evil_page, "wide": wide_page, **found}[page]
    browser.open(path)
    assert browser.complaints() == []
    assert browser.requests() == [path.as_uri()]
    assert len(texts(browser, "section")) == 7
    assert browser.run("document.querySelectorAll('figure svg').length") >= 2
    unnamed = "document.querySelectorAll('svg:not([aria-label]):not([aria-hidden])')"
    assert browser.run(f"{unnamed}.length") == 0
    assert "NaN" not in browser.run("document.body.outerHTML")
    browser.open(path, driver.PHONE)
    assert browser.run("innerWidth") == 375
    assert browser.run("document.documentElement.scrollWidth") <= 375
    assert browser.complaints() == []


@needs_browser
def test_errors_and_requests_would_be_noticed(browser, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text('<script>missing()</script><img src="nowhere.png">')
    browser.open(path)
    assert any("missing is not defined" in text for text in browser.complaints())
    assert len(browser.requests()) == 2


@needs_browser
def test_rows_sort_by_the_headers(browser, classes_page):
    browser.open(classes_page[0])
    rows = data_of(classes_page[0])["rows"]
    assert order(browser) == rows["index"]
    header = "document.querySelectorAll('#rows thead button')[3]"
    for way, sign in (("descending", -1), ("ascending", 1)):
        browser.run(f"{header}.click()")
        assert browser.run(f"{header}.parentNode.getAttribute('aria-sort')") == way
        by = sign * np.array(rows["probability"])
        assert order(browser) == np.array(rows["index"])[by.argsort()].tolist()


@needs_browser
def test_a_row_is_chosen_by_click_and_by_key(browser, classes_page):
    browser.open(classes_page[0])
    index = data_of(classes_page[0])["rows"]["index"]
    browser.run("document.querySelectorAll('#rows button.row')[2].click()")
    assert texts(browser, "#chosen > h3")[0].startswith(f"Row {index[2]}: ")
    browser.run("document.querySelectorAll('#rows button.row')[2].focus()")
    browser.press("ArrowDown")
    assert texts(browser, "#chosen > h3")[0].startswith(f"Row {index[3]}: ")
    assert texts(browser, "tr[aria-current] button") == [str(index[3])]
    assert browser.run("document.activeElement.textContent") == str(index[3])
    browser.settle()
    assert texts(browser, "#chosen .contribution > h3") == ["SHAP", "LIME"]
    assert "Local R²" in texts(browser, "#chosen .note")[2]
    assert browser.run("document.querySelectorAll('#chosen figure svg').length") == 2
    assert browser.complaints() == []


@needs_browser
def test_wrong_rows_and_other_classes_can_be_asked_for(browser, classes_page):
    browser.open(classes_page[0])
    rows = data_of(classes_page[0])["rows"]
    browser.run("document.getElementById('wrong').click()")
    wrong = [
        i for i, is_wrong in zip(rows["index"], rows["wrong"], strict=True) if is_wrong
    ]
    assert order(browser) == wrong
    browser.run(
        "{const x = document.querySelector('#rows select'); x.value = 1;"
        "x.dispatchEvent(new Event('change'))}"
    )
    assert "for the class mid" in texts(browser, "#chosen > .note")[0]
    assert browser.complaints() == []


@needs_browser
def test_importance_of_another_class_can_be_chosen(browser, classes_page):
    browser.open(classes_page[0])
    means = np.array(data_of(classes_page[0])["importance"][0]["mean"])
    for k in (0, 2):
        browser.run(
            f"{{const x = document.querySelector('#importance select'); x.value = {k};"
            "x.dispatchEvent(new Event('change'))}"
        )
        names = texts(browser, "#importance tbody th")
        assert names == [f"x{j}" for j in np.argsort(-means[k])]
