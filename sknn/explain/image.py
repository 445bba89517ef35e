"""LIME for images: which regions move the output of a model that reads pixels.

Holds how an image is cut into segments and how they are hidden; the fit lies in
`_lime_masks`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.explain._lime_masks import (
    check_masking,
    draw_halves,
    fit_masks,
    part_explanation,
)
from sknn.explain._optional import require
from sknn.explain._outputs import ModelOutput, raw_output, select_outputs
from sknn.explain._seeds import seed_of

if TYPE_CHECKING:
    import shap

__all__ = ["explain_image"]

MAX_BLOCKS = 64  # of a grid
SMALL = 32  # pixels: images up to here are cut by a grid
MAX_NUMBERS = 2**22  # of the copies that are predicted at once

Segmentation = str | np.ndarray | Callable[[np.ndarray], np.ndarray] | None


def explain_image(
    estimator: Any,
    images: Any,
    *,
    shape: tuple[int, ...] | None = None,
    segmentation: Segmentation = None,
    hide: str | float = "mean",
    output: str = "auto",
    target: Any = None,
    num_samples: int = 1000,
    kernel_width: float = 0.25,
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
) -> list[shap.Explanation]:
    r"""Explain predictions on images by their regions.

    LIME: copies of an image in which segments, chosen by the toss of a coin, are hidden
    are predicted. A ridge regression of the outputs f on which segments z are shown
    gives each segment its contribution b, where copies count by their cosine distance
    to the whole image:

    .. math:: \sum_k w_k (f(z_k) - a - b^T z_k)^2 + \|b\|^2, \qquad
              w_k = e^{-(1 - \sqrt{\bar z_k})^2 / (2 s^2)}

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted model that takes images as flat rows of h * w or h * w * c numbers.
    images : array of shape (n, h, w), (n, h, w, c) or, with `shape`, (n, h * w * c)
        The images to explain; one image is ``image[None]``.
    shape : tuple of int, optional
        Height and width, and channels if there are any, of images in flat rows.
    segmentation : {"grid", "slic", "quickshift"}, array or callable, optional
        How an image is cut: by a grid of at most 64 blocks, by scikit-image's
        superpixels, by an integer array (h, w) with the segment of each pixel, or by a
        function from an image to such an array. None is "grid" up to 32 pixels a side,
        which are single pixels at 8 by 8; above, it is "slic" if scikit-image is
        installed.
    hide : {"mean", "segment"} or float, default="mean"
        What hidden pixels show: the image's mean in each channel, that of their
        segment, or a number such as the background's.
    output : {"auto", "margin", "probability", "prediction"}, default="auto"
        The number that is explained, as in `sknn.explain.explain`.
    target : label, int, list or "predicted", optional
        The classes or outputs to explain, as in `sknn.explain.explain`.
    num_samples : int, default=1000
        Copies of each image, itself included.
    kernel_width : float, default=0.25
        Reach s of the neighbourhood, in cosine distance.
    random_state : int, Generator or RandomState, optional
        Seed of the copies. An image's explanation does not depend on the others.

    Returns
    -------
    explanations : list of shap.Explanation
        For each image `values` of shape (segments,) or (segments, outputs),
        `base_values` and, in `data`, the mean of each segment; `heatmap` spreads the
        values over the pixels, (h, w) or (h, w, outputs). `score_` (weighted R² of the
        local fit), `intercept_`, `local_pred_`, `error_std`, and `image_` with
        `segments_` (h, w). Notebooks show the image and its heatmap for one output,
        such as ``explanation[:, "label"]``.

    Raises
    ------
    ValueError
        If a parameter does not fit, an image has one segment only, or hiding would
        change nothing.
    ImportError
        If superpixels are asked for and scikit-image is not installed.

    References
    ----------
    .. [1] Ribeiro, Singh and Guestrin, "Why Should I Trust You? Explaining the
           Predictions of Any Classifier", KDD 2016, equation 1.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sknn.explain import explain_image
    >>> X, y = load_digits(return_X_y=True)
    >>> model = LogisticRegression(max_iter=5000).fit(X[:500], y[:500])
    >>> explanation, = explain_image(
    ...     model, X[600:601], shape=(8, 8), target=[3, 8], hide=0, random_state=0
    ... )
    >>> explanation.heatmap.shape
    (8, 8, 2)
    >>> explanation[:, "8"].heatmap.shape
    (8, 8)
    """
    check_masking(num_samples, kernel_width)
    _check_hide(hide)
    raw = raw_output(estimator, output)
    images = _as_images(images, shape)
    seed = seed_of(random_state)
    cut = [_segments(image, segmentation, seed) for image in images]
    rows = images.reshape(len(images), -1)
    model = select_outputs(raw, raw(rows), target)
    chosen = model.per_row(rows)
    explanations = []
    for i, (image, segments) in enumerate(zip(images, cut, strict=True)):
        copies = _Copies(image, segments, _hidden(image, segments, hide))
        copies.check(i, hide)
        # the same draws for every image of as many segments: none depends on the others
        rng = np.random.default_rng(seed)
        masks = draw_halves(rng, num_samples, int(segments.max()) + 1)
        pick = None if chosen is None else int(chosen[i])
        explanations.append(_explain_one(copies, masks, model, pick, kernel_width))
    return explanations


def _check_hide(hide: Any) -> None:
    is_number = isinstance(hide, int | float | np.number) and np.isfinite(hide)
    if not is_number and hide not in ("mean", "segment"):
        raise ValueError(
            f"hide must be 'mean', 'segment' or a finite number, got {hide!r}"
        )


def _as_images(images: Any, shape: tuple[int, ...] | None) -> np.ndarray:
    """Return images (n, h, w) or (n, h, w, c)."""
    images = np.asarray(images)
    if images.dtype.kind not in "fiub" or images.size == 0:
        raise ValueError(
            f"images must hold numbers, got dtype {images.dtype}, shape {images.shape}"
        )
    if shape is not None:
        if len(shape) not in (2, 3) or math.prod(shape) * len(images) != images.size:
            raise ValueError(
                "shape must be (height, width) or (height, width, channels) of each of "
                f"the images of shape {images.shape}, got {shape!r}"
            )
        return images.reshape(len(images), *shape)
    if images.ndim not in (3, 4):
        raise ValueError(
            "images must have the shape (n, h, w) or (n, h, w, c), got "
            f"{images.shape}; give shape=(h, w) for flat rows, and image[None] for one "
            "image"
        )
    return images


def _segments(image: np.ndarray, segmentation: Any, seed: int) -> np.ndarray:
    """Return the segment of each pixel (h, w), counted from 0 without gaps."""
    if segmentation is None:
        segmentation = _default(image)
    if isinstance(segmentation, str):
        if segmentation not in SEGMENTATIONS:
            raise ValueError(
                f"segmentation must be one of {[*SEGMENTATIONS]}, an array or a "
                f"function, got {segmentation!r}"
            )
        labels = SEGMENTATIONS[segmentation](image, seed)
    else:
        labels = segmentation(image) if callable(segmentation) else segmentation
    labels = np.asarray(labels)
    if labels.shape != image.shape[:2] or labels.dtype.kind not in "iub":
        raise ValueError(
            f"segmentation must give integers of shape {image.shape[:2]}, got "
            f"{labels.dtype} of shape {labels.shape}"
        )
    names, place = np.unique(labels, return_inverse=True)
    if len(names) < 2:
        raise ValueError(
            f"segmentation={segmentation!r} must give at least 2 segments, got 1; "
            "segmentation='grid' cuts any image"
        )
    return place.reshape(labels.shape)


def _default(image: np.ndarray) -> str:
    if max(image.shape[:2]) <= SMALL:
        return "grid"
    try:
        require("skimage.segmentation")
    except ImportError:
        return "grid"
    return "slic"


def _grid(image: np.ndarray, seed: int) -> np.ndarray:
    """Cut into squares, as small as they can be for at most `MAX_BLOCKS` of them."""
    height, width = image.shape[:2]
    side = 1
    while -(-height // side) * -(-width // side) > MAX_BLOCKS:
        side += 1
    across = -(-width // side)
    return np.arange(height)[:, None] // side * across + np.arange(width) // side


def _slic(image: np.ndarray, seed: int) -> np.ndarray:
    slic = require("skimage.segmentation").slic
    channel_axis = 2 if image.ndim == 3 else None
    unit = _unit(image)
    # its compactness is meant for colours in Lab space, whose lightness goes up to 100
    compactness = 10 if image.ndim == 3 and image.shape[2] == 3 else 0.1
    return slic(
        unit, n_segments=MAX_BLOCKS, compactness=compactness, channel_axis=channel_axis
    )


def _quickshift(image: np.ndarray, seed: int) -> np.ndarray:
    unit = _unit(image)
    if unit.ndim == 2 or unit.shape[2] != 3:
        unit = np.repeat(unit.reshape(*unit.shape[:2], -1).mean(2)[..., None], 3, 2)
    return require("skimage.segmentation").quickshift(unit, rng=seed)


def _unit(image: np.ndarray) -> np.ndarray:
    """Stretch the values over 0..1."""
    image = image.astype(np.float64)
    low, high = image.min(), image.max()
    return (image - low) / (high - low if high > low else 1.0)


SEGMENTATIONS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "grid": _grid,
    "slic": _slic,
    "quickshift": _quickshift,
}


def _means(image: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Return the mean of each segment by channel, (segments, c)."""
    flat = image.reshape(segments.size, -1).astype(np.float64)
    counts = np.bincount(segments.ravel())
    sums = [np.bincount(segments.ravel(), channel) for channel in flat.T]
    return np.column_stack(sums) / counts[:, None]


def _hidden(image: np.ndarray, segments: np.ndarray, hide: Any) -> np.ndarray:
    """Return the image with every segment hidden."""
    if hide == "segment":
        return _means(image, segments)[segments].reshape(image.shape)
    if hide == "mean":
        return np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
    return np.full(image.shape, float(hide))


@dataclass(frozen=True)
class _Copies:
    """An image whose segments can be hidden."""

    image: np.ndarray
    segments: np.ndarray
    hidden: np.ndarray

    def check(self, i: int, hide: Any) -> None:
        """Refuse to hide what looks the same hidden."""
        if np.array_equal(self.image, self.hidden):
            raise ValueError(
                f"hide={hide!r} leaves images[{i}] as it is, so that no segment can "
                "matter; choose a number that differs from the image"
            )

    def __call__(self, masks: np.ndarray) -> Iterator[np.ndarray]:
        """Yield flat rows, in blocks, with the segments that each mask shows."""
        n_blocks = -(-len(masks) * self.image.size // MAX_NUMBERS)
        for block in np.array_split(masks, min(n_blocks, len(masks))):
            shown = block[:, self.segments]
            shown = shown.reshape(*shown.shape, *[1] * (self.image.ndim - 2))
            yield np.where(shown, self.image, self.hidden).reshape(len(block), -1)


def _explain_one(
    copies: _Copies,
    masks: np.ndarray,
    model: ModelOutput,
    chosen: int | None,
    kernel_width: float,
) -> Any:
    start = time.perf_counter()
    Y = np.concatenate([model(rows) for rows in copies(masks)])
    image, segments = copies.image, copies.segments
    explanation = part_explanation(
        fit_masks(masks, Y, kernel_width),
        model,
        chosen,
        _means(image, segments).mean(axis=1),
        _names(segments),
        start,
    )
    explanation.image_, explanation.segments_ = image.copy(), segments
    return explanation


def _names(segments: np.ndarray) -> list[str]:
    """Name each segment by its middle."""
    rows, columns = np.indices(segments.shape)
    counts = np.bincount(segments.ravel())
    row = np.bincount(segments.ravel(), rows.ravel()) / counts
    column = np.bincount(segments.ravel(), columns.ravel()) / counts
    return [
        f"({r:g}, {c:g})" for r, c in zip(row.round(1), column.round(1), strict=True)
    ]
