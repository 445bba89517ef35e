"""LIME over the segments of an image."""

import base64
import io
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge

from sknn.explain import explain_image
from sknn.explain.image import _grid

shap = pytest.importorskip("shap")

SEED = {"random_state": 0, "num_samples": 400}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return LogisticRegression(max_iter=5000).fit(X[:300], y[:300]), X[300:310]


@pytest.fixture(scope="module")
def linear():
    """A model of 12 by 10 images of 3 colours, linear in the pixels."""
    rng = np.random.default_rng(0)
    X = rng.random((200, 12 * 10 * 3))
    coef = rng.normal(size=X.shape[1])
    return Ridge(alpha=1e-8).fit(X, X @ coef), X[:3].reshape(3, 12, 10, 3)


def test_a_linear_model_gets_the_sums_of_its_segments(linear):
    model, images = linear
    segments = np.arange(12)[:, None] // 6 * 2 + np.arange(10) // 5
    (explanation,) = explain_image(
        model, images[:1], segmentation=segments, hide=0, **SEED
    )
    terms = (model.coef_ * images[0].ravel()).reshape(images[0].shape).sum(axis=2)
    expected = np.bincount(segments.ravel(), terms.ravel())
    np.testing.assert_allclose(explanation.values, expected, atol=0.1)
    np.testing.assert_allclose(explanation.score_, 1, atol=0.01)
    np.testing.assert_array_equal(
        explanation.heatmap, explanation.values[explanation.segments_]
    )


@pytest.mark.parametrize(
    ("shape", "blocks"), [((8, 8), 64), ((12, 10), 30), ((28, 28), 49), ((3, 70), 24)]
)
def test_grids_have_at_most_64_blocks(shape, blocks):
    labels = _grid(np.zeros(shape), 0)
    assert labels.shape == shape
    np.testing.assert_array_equal(np.unique(labels), np.arange(blocks))


def test_small_images_are_cut_into_pixels(digits):
    model, X = digits
    (explanation,) = explain_image(model, X[:1], shape=(8, 8), **SEED)
    assert explanation.values.shape == (64, 10)
    assert explanation.heatmap.shape == (8, 8, 10)
    assert explanation.feature_names[9] == "(1, 1)"
    np.testing.assert_array_equal(explanation.data, X[0])


def test_rows_and_images_are_the_same(digits):
    model, X = digits
    (flat,) = explain_image(model, X[:1], shape=(8, 8), **SEED)
    (square,) = explain_image(model, X[:1].reshape(1, 8, 8), **SEED)
    np.testing.assert_array_equal(flat.values, square.values)


def test_classes_are_chosen_as_for_tables(digits):
    model, X = digits
    options = {"shape": (8, 8), "hide": 0} | SEED
    (every,) = explain_image(model, X[:1], **options)
    predicted = int(model.predict(X[:1])[0])
    one = every[:, str(predicted)]
    assert one.heatmap.shape == (8, 8)
    assert one.score_ == every.score_[predicted]
    for target in (predicted, "predicted"):
        (own,) = explain_image(model, X[:1], target=target, **options)
        np.testing.assert_allclose(own.values, one.values, atol=1e-10)


@pytest.mark.parametrize(
    ("hide", "expected"),
    [(7.0, [[7, 1], [2, 3]]), ("mean", [[1.5, 1], [2, 3]]), ("segment", [[0, 1]] * 2)],
)
def test_hidden_pixels_show_what_was_asked_for(hide, expected):
    seen = []

    class Spy(Ridge):
        def predict(self, X):
            seen.append(np.array(X))
            return super().predict(X)

    model = Spy().fit(np.eye(4), np.arange(4))
    image = np.arange(4.0).reshape(1, 2, 2)
    segments = np.arange(4).reshape(2, 2)
    if hide == "segment":
        segments, expected = np.array([[0, 1], [0, 1]]), [[1, 1], [1, 3]]
    explain_image(model, image, segmentation=segments, hide=hide, **SEED)
    rows = np.concatenate(seen).tolist()
    assert list(np.ravel(expected)) in rows
    assert image.ravel().tolist() in rows


@pytest.mark.parametrize("name", ["slic", "quickshift", None])
@pytest.mark.parametrize("channels", [(), (3,), (2,)])
def test_superpixels_cut_larger_images(name, channels):
    pytest.importorskip("skimage")
    rng = np.random.default_rng(0)
    image = np.kron(
        rng.random((5, 5, *channels)), np.ones((8, 8, *[1] * len(channels)))
    )
    image += 0.01 * rng.random(image.shape)
    model = Ridge().fit(rng.random((5, image.size)), np.arange(5))
    before = repr(np.random.get_state())
    (explanation,) = explain_image(model, image[None], segmentation=name, **SEED)
    n = explanation.segments_.max() + 1
    assert explanation.values.shape == (n,)
    assert 5 < n < 200
    assert repr(np.random.get_state()) == before


def test_an_image_depends_on_its_seed_and_not_on_the_others(digits):
    model, X = digits
    options = {"shape": (8, 8), "hide": 0} | SEED
    together = explain_image(model, X[:4], **options)
    (alone,) = explain_image(model, X[2:3], **options)
    (other,) = explain_image(model, X[2:3], **options | {"random_state": 1})
    np.testing.assert_array_equal(together[2].values, alone.values)
    assert not np.array_equal(other.values, alone.values)


def test_segments_may_come_from_a_function(digits):
    model, X = digits

    def halves(image):
        return (np.arange(8) > 3) * 5 + np.zeros((8, 1), dtype=int)

    (explanation,) = explain_image(
        model, X[:1], shape=(8, 8), segmentation=halves, **SEED
    )
    assert explanation.values.shape == (2, 10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": None}, r"got \(2, 64\); give shape=\(h, w\).*image\[None\]"),
        ({"shape": (8, 9)}, r"shape must be \(height, width\).*got \(8, 9\)"),
        ({"segmentation": "felzenszwalb"}, "segmentation must be one of.*'felzens"),
        ({"segmentation": np.zeros((8, 8), int)}, "at least 2 segments, got 1"),
        ({"segmentation": np.zeros((4, 4), int)}, r"integers of shape \(8, 8\)"),
        ({"hide": "blur"}, "hide must be 'mean', 'segment' or a finite number"),
        ({"hide": "segment"}, r"leaves images\[0\] as it is"),
        ({"num_samples": 0}, "num_samples must be an integer of at least 2, got 0"),
        ({"kernel_width": -1}, "kernel_width must be greater than 0, got -1"),
    ],
)
def test_what_is_wrong_is_refused(digits, options, message):
    model, X = digits
    options = {"shape": (8, 8)} | SEED | options
    with pytest.raises(ValueError, match=message):
        explain_image(model, X[:2], **options)


def test_images_must_hold_numbers(digits):
    with pytest.raises(ValueError, match="images must hold numbers"):
        explain_image(digits[0], np.array([["a"]]), **SEED)


def test_html_shows_the_image_and_its_heatmap(digits):
    model, X = digits
    (explanation,) = explain_image(model, X[:1], shape=(8, 8), target=3, **SEED)
    page = explanation._repr_html_()
    pictures = re.findall(r"base64,([^\"]+)", page)
    assert len(pictures) == 2
    image = pytest.importorskip("PIL.Image")
    first = np.asarray(image.open(io.BytesIO(base64.b64decode(pictures[0]))))
    expected = (255 * X[0] / X[0].max()).round().reshape(8, 8)
    np.testing.assert_array_equal(first, np.repeat(expected[..., None], 3, axis=2))


def test_plots_of_shap_draw_segments(digits):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    model, X = digits
    (explanation,) = explain_image(model, X[:1], shape=(8, 8), target=3, **SEED)
    for plot in (shap.plots.bar, shap.plots.waterfall):
        plot(explanation, show=False)
        plt.close("all")
