"""Labels go to codes and come back; numbers keep their shape."""

import numpy as np
import pytest

from sknn.estimators._targets import ClassTargets, InputTargets, RealTargets
from sknn.losses import LOSSES, SquaredError

LABELS = np.array(["b", "a", "c", "a", "b"])


def _loss(targets):
    return LOSSES[targets.loss]()


def test_codes_are_places_among_sorted_classes():
    targets = ClassTargets.learn(LABELS)
    assert targets.classes.tolist() == ["a", "b", "c"]
    assert targets.encode(LABELS, float).tolist() == [1, 0, 2, 0, 1]
    np.testing.assert_array_equal(targets.table(np.float32), np.eye(3))
    assert targets.table(np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("y", "n_outputs", "loss"),
    [
        ([0, 1, 1], 1, "binary_log_loss"),
        ([7, 7], 1, "binary_log_loss"),
        ([0, 1, 2], 3, "multinomial_log_loss"),
        ([[0, 1], [1, 1]], 2, "binary_log_loss"),
    ],
)
def test_outputs_and_loss_follow_the_labels(y, n_outputs, loss):
    targets = ClassTargets.learn(np.array(y))
    assert (targets.n_outputs, targets.loss) == (n_outputs, loss)


def test_raw_predictions_choose_the_label_with_the_largest_probability():
    rng = np.random.RandomState(0)
    for labels in (LABELS, LABELS[:2], np.array([[0, 1, 1], [1, 0, 0]])):
        targets = ClassTargets.learn(labels)
        raw = rng.normal(size=(20, targets.n_outputs))
        p = targets.probabilities(raw.copy(), _loss(targets))
        chosen = targets.predict(raw, _loss(targets))
        if targets.multilabel:
            np.testing.assert_array_equal(chosen, p > 0.5)
        else:
            np.testing.assert_array_equal(chosen, targets.classes[p.argmax(axis=1)])
            np.testing.assert_allclose(p.sum(axis=1), 1)


def test_balanced_weights_give_every_class_the_same_total():
    targets = ClassTargets.learn(LABELS)
    codes = targets.encode(LABELS, float)
    for w in (None, np.array([1.0, 2.0, 3.0, 4.0, 5.0])):
        weights = targets.weigh("balanced", codes, w)
        totals = np.bincount(codes, weights)
        np.testing.assert_allclose(totals, totals.mean())
        mean = 1.0 if w is None else w.mean()
        assert weights.mean() == pytest.approx(mean)


def test_other_labels_are_refused_where_a_fit_goes_on():
    targets = ClassTargets.learn(LABELS)
    targets.check_same(LABELS[:2])
    with pytest.raises(ValueError, match="classes not in"):
        targets.check_same(np.array(["z"]))
    with pytest.raises(ValueError, match="warm_start can only be used"):
        targets.check_same(LABELS[:2], exactly=True)
    with pytest.raises(ValueError, match="is not the same as on last call"):
        targets.check_same(LABELS, classes=["a", "b"])
    with pytest.raises(ValueError, match="y must be one label per sample"):
        targets.check_same(np.array([[0, 1], [1, 0]]))
    with pytest.raises(ValueError, match="classes not in"):
        ClassTargets.learn(LABELS, classes=["a", "b"])


def test_numbers_keep_their_shape():
    for shape in ((6,), (6, 3)):
        y = RealTargets.check(np.random.RandomState(0).normal(size=shape))
        targets = RealTargets.learn(y)
        encoded = targets.encode(y, np.float32)
        assert encoded.shape == (6, targets.n_outputs)
        assert encoded.dtype == np.float32
        assert targets.predict(encoded, SquaredError()).shape == shape
        assert targets.score(y, y, None) == 1.0
    with pytest.raises(ValueError, match="y has 1 outputs, but the previous"):
        targets.check_same(np.zeros(6))


@pytest.mark.parametrize("seed", range(12))
def test_quick_scores_are_those_of_scikit_learn(seed):
    rng = np.random.RandomState(seed)
    w = None if seed % 2 else rng.rand(20)
    y = rng.normal(size=(20, 3))
    predicted = y + rng.normal(size=y.shape) * rng.choice([0.0, 1.0], size=3)
    if seed % 3 == 0 and w is None:  # weights would round scikit-learn's mean
        y[:, 0] = 2.0
    for targets in (RealTargets(3), InputTargets(3)):
        found = targets.quick_score(y, predicted, w)
        assert found == pytest.approx(targets.score(y, predicted, w), rel=1e-12)
    codes, guess = rng.randint(0, 3, (2, 20))
    targets = ClassTargets(np.arange(3))
    assert targets.quick_score(codes, guess, w) == targets.score(codes, guess, w)
    many, other = rng.randint(0, 2, (2, 20, 3))
    targets = ClassTargets(np.arange(3), multilabel=True)
    assert targets.quick_score(many, other, w) == targets.score(many, other, w)


def test_one_sample_has_no_r2():
    assert np.isnan(RealTargets(1).quick_score(np.ones(1), np.ones(1), None))
