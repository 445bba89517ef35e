"""What could go wrong in the applications of the gallery without anybody noticing."""

import ast
import io
import zipfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parents[1] / "examples" / "applications"
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef)


@pytest.fixture(scope="module")
def functions():
    """Return the functions of a script, which is otherwise not run."""

    def load(name, needs=()):
        for package in ("matplotlib", *needs):
            pytest.importorskip(package)
        body = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8")).body
        kept = [n for n in body if isinstance(n, DEFINITIONS) or is_simple(n)]
        space = {}
        exec(compile(ast.Module(kept, []), name, "exec"), space)
        return space

    return load


def is_simple(node):
    """Tell whether a node gives a name in capitals a literal."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return node.targets[0].id.isupper()


def offline(*arguments, **keywords):
    raise URLError("no network")


def test_variants_keep_the_images_first_and_the_order_of_rows(functions):
    images = load_digits().images[:5] / 16
    variants = functions("image_recognition")["with_variants"](images)
    assert variants.shape == (35, 8, 8)
    np.testing.assert_array_equal(variants[:5], images)
    for row in range(35):
        nearest = np.abs(images - variants[row]).sum(axis=(1, 2)).argmin()
        assert nearest == row % 5


def test_offline_the_digits_stand_in_for_mnist_and_say_so(
    functions, monkeypatch, capsys
):
    space = functions("image_recognition")
    monkeypatch.setitem(space, "fetch_openml", offline)
    monkeypatch.setattr("sys.argv", ["image_recognition.py", "--mnist"])
    images, _, splits = space["load"]()
    assert images.shape == (1797, 8, 8)
    assert len(splits) == 5
    assert "scikit-learn's digits instead" in capsys.readouterr().out


def test_texts_are_unique_and_without_giveaways(functions):
    space = functions("text_classification")
    texts = space["collect"]({"fft": ["fft"], "ndimage": ["ndimage"]})
    assert set(texts.values()) == {"fft", "ndimage"}
    words = {word for text in texts for word in text.split()}
    assert not words & {"scipy", "fft", "ndimage", "rfft", "gaussian_filter"}
    assert "transform" in words


def test_a_text_of_two_subjects_is_left_out(functions):
    space = functions("text_classification")
    both = space["collect"]({"one": ["fft"], "two": ["fft"]})
    assert both == {}


def test_signature_and_sections_are_no_part_of_a_description(functions):
    docstring = (
        "f(x, /,\n  out=None)\n\nThe value.\n\nMore.\n\nParameters\n----------\nx"
    )
    description = functions("text_classification")["description"](docstring)
    assert description == "\nThe value.\n\nMore.\n"


def test_offline_docstrings_stand_in_for_newsgroups_and_say_so(
    functions, monkeypatch, capsys
):
    space = functions("text_classification")
    monkeypatch.setitem(space, "fetch_20newsgroups", offline)
    monkeypatch.setitem(space, "MODULES", {"fft": ["fft"]})
    monkeypatch.setattr("sys.argv", ["text_classification.py", "--newsgroups"])
    assert set(space["load"]().values()) == {"fft"}
    assert "docstrings instead" in capsys.readouterr().out


def test_an_alignment_is_the_cheapest_of_all(functions):
    align = functions("transliteration", ["babel"])["align"]
    rng = np.random.default_rng(0)
    chunks = ["", "a", "b", "ab", "ba", "aa", "bb"]
    costs = {s: dict(zip(chunks, rng.exponential(size=7), strict=True)) for s in "xyz"}

    def cost(source, parts):
        return sum(costs[s][part] for s, part in zip(source, parts, strict=True))

    def all_alignments(n, target):
        if n == 0:
            return [[]] if not target else []
        return [
            [target[:k], *rest]
            for k in range(min(2, len(target)) + 1)
            for rest in all_alignments(n - 1, target[k:])
        ]

    for target in ("", "a", "ab", "abba", "babab", "aaabbb"):
        found = align("xyzx", target, costs)
        assert "".join(found) == target
        least = min(cost("xyzx", parts) for parts in all_alignments(4, target))
        assert cost("xyzx", found) == pytest.approx(least)
    assert align("x", "aba", costs) is None


def test_no_word_of_the_test_set_is_in_training(functions):
    space = functions("transliteration", ["babel"])
    pairs = space["word_pairs"]("ru", "uk")
    assert len(pairs) > 500
    train, test = space["split"](pairs)
    assert sorted(train + test) == pairs
    assert not {s[:4] for s, _ in train} & {s[:4] for s, _ in test}
    assert 0.1 < len(test) / len(pairs) < 0.3


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("abc", "abc", 0)],
)
def test_edit_distance(functions, a, b, distance):
    space = functions("transliteration", ["babel"])
    assert space["distance"](a, b) == space["distance"](b, a) == distance


def archive(path, header="userId,movieId,rating,timestamp"):
    content = f"{header}\n1,10,4.0,964982703\n1,31,0.5,964981247\n7,10,5.0,964982224\n"
    with zipfile.ZipFile(path, "w") as files:
        files.writestr("ml-latest-small/ratings.csv", content)
        files.writestr("ml-latest-small/movies.csv", "movieId,title\n10,A film\n")
    return path


def test_movielens_is_read(functions, tmp_path):
    read = functions("recommendation")["read_movielens"]
    X, y = read(archive(tmp_path / "some.zip"))
    np.testing.assert_array_equal(X, [[1, 10], [1, 31], [7, 10]])
    np.testing.assert_array_equal(y, [4.0, 0.5, 5.0])
    with pytest.raises(ValueError, match="other columns"):
        read(archive(tmp_path / "other.zip", "user,item,stars,when"))


def test_movielens_is_downloaded_once_and_whole(functions, tmp_path, monkeypatch):
    space = functions("recommendation")
    content = archive(tmp_path / "source.zip").read_bytes()
    monkeypatch.setitem(space, "get_data_home", lambda: tmp_path)
    monkeypatch.setitem(space, "urlopen", lambda *_, **__: io.BytesIO(content[:-50]))
    with pytest.raises(OSError, match="no archive"):
        space["fetch_movielens"]()
    monkeypatch.setitem(space, "urlopen", lambda *_, **__: io.BytesIO(content))
    path = space["fetch_movielens"]()
    assert path.read_bytes() == content
    monkeypatch.setitem(space, "urlopen", offline)
    assert space["fetch_movielens"]() == path


def test_offline_made_ratings_stand_in_for_movielens_and_say_so(
    functions, tmp_path, monkeypatch, capsys
):
    space = functions("recommendation")
    monkeypatch.setitem(space, "get_data_home", lambda: tmp_path)
    monkeypatch.setitem(space, "urlopen", offline)
    monkeypatch.setattr("sys.argv", ["recommendation.py", "--movielens"])
    X, y = space["load"]()
    assert len(np.unique(X, axis=0)) == len(X) == len(y) == 60_000
    assert set(y) == {1, 2, 3, 4, 5}
    said = capsys.readouterr().out
    assert "cannot be had" in said
    assert "made, not given by people" in said


def test_factors_find_a_product_of_traits(functions):
    space = functions("recommendation")
    rng = np.random.default_rng(0)
    space["SIZES"] = np.array([30, 40])
    X = np.argwhere(np.ones((30, 40)))
    user, item = rng.normal(size=30), rng.normal(size=40)
    rest = user[X[:, 0]] * item[X[:, 1]]
    factors = space["fit_factors"](X, rest, 1, 1e-6)
    np.testing.assert_allclose(space["predict_factors"](factors, X), rest, atol=1e-4)


def test_biases_are_found(functions):
    space = functions("recommendation")
    rng = np.random.default_rng(0)
    space["SIZES"] = np.array([30, 40])
    X = np.argwhere(np.ones((30, 40)))
    y = 3 + rng.normal(size=30)[X[:, 0]] + rng.normal(size=40)[X[:, 1]]
    model = space["fit_biases"](X, y, (1e-9, 1e-9))
    np.testing.assert_allclose(space["predict_biases"](model, X), y, atol=1e-6)
