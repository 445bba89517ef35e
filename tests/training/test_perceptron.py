"""The perceptron rule against a plain replica that takes one sample after the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sknn.training.perceptron import (
    Average,
    Joint,
    OneVsRest,
    Pocket,
    Rule,
    Samples,
    State,
    Stopping,
    Training,
    Weights,
)
from sknn.training.perceptron.passes import Passes
from sknn.training.perceptron.trainer import Epoch, are_binary_fractions, scale_behind
from sknn.training.perceptron.windows import WindowLength

PENALTIES = [None, "l2", "l1", "elasticnet"]


def data(n_classes=2, n=150, n_features=7, is_sparse=False, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.randn(n, n_features)
    codes = (X @ rng.randn(n_features, n_classes) + rng.randn(n, n_classes)).argmax(1)
    if is_sparse:
        X = sparse.csr_matrix(X * (rng.rand(n, n_features) < 0.4))
    return Samples(X, codes, rng.uniform(0.2, 2.0, n))


def targets_of(kind, n_classes):
    weights = 0.5 + 0.4 * np.arange(n_classes)
    return Joint(weights) if kind == "joint" else OneVsRest.of(weights)


def zeros(samples, targets):
    is_joint = isinstance(targets, Joint)
    n = len(targets.class_weight) if is_joint else targets.n_problems
    coef = np.zeros((n, samples.X.shape[1]))
    if sparse.issparse(samples.X):
        coef = np.asfortranarray(coef)
    return Weights(coef, np.zeros(n))


def train(samples, targets, rule, max_iter=3, tol=None, average=None, **other):
    weights = zeros(samples, targets)
    if average is not None:
        average = Average.none(average, weights)
    state = State.at(weights, rule, tol is not None, average)
    stopping = Stopping(max_iter, tol)
    training = Training(samples, targets, rule, state, stopping, **other)
    epochs = list(training.epochs())
    return state, epochs


class Replica:
    """The rule as the definition reads: one sample after the other, one feature."""

    def __init__(self, samples, targets, rule, rows=None, average_from=None):
        self.samples, self.targets, self.rule = samples, targets, rule
        self.is_sparse = sparse.issparse(samples.X)
        self.X = samples.X.toarray() if self.is_sparse else samples.X
        start = zeros(samples, targets)
        self.w, self.b = start.coef.copy(), start.intercept.copy()
        self.paid, self.due = np.zeros_like(self.w), 0.0
        self.rows = np.arange(len(self.X)) if rows is None else rows
        self.average_from, self.t = average_from, 0
        self.sums, self.counted = [0.0 * self.w, 0.0 * self.b], 0
        self.seen_weights = []

    def epoch(self):
        """Return the mistakes of each problem and the sum of their losses."""
        n_problems = self.targets.n_problems
        mistakes, losses = np.zeros(n_problems, dtype=int), np.zeros(n_problems)
        for i in self.rows:
            for problem, (wrong, loss, updates) in enumerate(self.steps(i)):
                mistakes[problem] += wrong and any(u for _, u in updates)
                losses[problem] += loss
                for k in self.functions(problem):
                    self.move(k, self.X[i], dict(updates).get(k, 0.0))
            if self.rule.truncates:
                self.due += self.rule.truncation
                self.truncate(self.X[i])
            self.t += 1
            if self.average_from is not None and self.t >= self.average_from:
                self.sums[0] += self.w
                self.sums[1] += self.b
                self.counted += 1
            self.seen_weights.append((self.w.copy(), self.b.copy()))
        return mistakes, losses

    def functions(self, problem):
        if isinstance(self.targets, Joint):
            return range(len(self.w))
        return [problem]

    def steps(self, i):
        # One term after the other, so that ties are those of the definition.
        scores = np.add.accumulate(self.w * self.X[i], axis=1)[:, -1] + self.b
        code, weight = self.samples.codes[i], self.samples.weights[i]
        eta0, class_weight = self.rule.eta0, self.targets.class_weight
        if isinstance(self.targets, Joint):
            others = scores.copy()
            others[code] = -np.inf
            rival = others.argmax()
            margin = scores[code] - scores[rival]
            u = eta0 * (class_weight[code] * weight)
            yield (
                margin <= 0,
                max(0, -margin),
                ((code, u), (rival, -u)) * int(margin <= 0),
            )
            return
        for k in range(len(self.w)):
            side = self.targets.sides[code, k]
            wrong = side * scores[k] <= 0
            u = eta0 * (class_weight[code, k] * weight) * side
            yield wrong, max(0, -side * scores[k]), ((k, u),) * int(wrong)

    def move(self, k, x, u):
        self.w[k] = self.rule.shrink * self.w[k] + u * x
        self.b[k] += self.rule.intercept_rate * u

    def truncate(self, x):
        for k in range(len(self.w)):
            for f in range(len(x)):
                if self.is_sparse and x[f] == 0:
                    continue
                w, paid = self.w[k, f], self.paid[k, f]
                if w > 0:
                    self.w[k, f] = max(0.0, w - (self.due + paid))
                elif w < 0:
                    self.w[k, f] = min(0.0, w + (self.due - paid))
                self.paid[k, f] += self.w[k, f] - w


def assert_like(replica, state, same=1e-11):
    scale = np.abs(replica.w).max()
    assert np.abs(state.weights.coef - replica.w).max() <= same * scale
    assert np.abs(state.weights.intercept - replica.b).max() <= same * max(1, scale)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("kind", ["binary", "ovr", "joint"])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_weights_mistakes_and_losses_are_those_of_single_steps(
    is_sparse, kind, penalty
):
    n_classes = 2 if kind == "binary" else 4
    samples = data(n_classes, is_sparse=is_sparse)
    targets = targets_of(kind, n_classes)
    rule = Rule.with_penalty(penalty, 0.004, 0.3, 0.7, 0.01 if is_sparse else 1.0)
    replica = Replica(samples, targets, rule)
    counts = [replica.epoch() for _ in range(3)]
    state, epochs = train(samples, targets, rule)
    assert_like(replica, state)
    assert [e.mistakes for e in epochs] == [mistakes.sum() for mistakes, _ in counts]
    expected = [losses.sum() / len(samples.codes) for _, losses in counts]
    np.testing.assert_allclose([e.loss for e in epochs], expected, rtol=1e-9)


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 60),
    n_features=st.integers(1, 6),
    n_classes=st.integers(2, 5),
    shrink=st.sampled_from([1.0, 0.999, 0.9, 0.1, 0.0]),
    rate=st.sampled_from([0.0, 0.01, 1.0]),
    kind=st.sampled_from(["ovr", "joint"]),
    is_sparse=st.booleans(),
    integers=st.booleans(),
)
def test_property_windows_are_single_steps_for_any_data(
    seed, n, n_features, n_classes, shrink, rate, kind, is_sparse, integers
):
    samples = data(n_classes, n, n_features, is_sparse, seed)
    if integers:
        shrink = 1.0  # ties are decided alike without a penalty only
        X = samples.X.toarray() if is_sparse else samples.X
        X = np.rint(X)
        samples = Samples(
            sparse.csr_matrix(X) if is_sparse else X, samples.codes, np.ones(n)
        )
    if kind == "joint" and n_classes > 2:
        # Halves, whose sums are exact: equal rivals tie on both ways.
        targets, rate = Joint(0.5 + 0.5 * np.arange(n_classes)), round(rate)
    else:
        targets = targets_of("ovr", n_classes)
    rule = Rule(eta0=0.5, shrink=shrink, intercept_rate=rate)
    replica = Replica(samples, targets, rule)
    mistakes = [replica.epoch()[0].sum() for _ in range(2)]
    state, epochs = train(samples, targets, rule, max_iter=2)
    assert [e.mistakes for e in epochs] == mistakes
    assert_like(replica, state, 1e-9)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 150])
@pytest.mark.parametrize("rows_of_chunk", [1, 5, 64, 150])
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_sizes_of_chunks_and_windows_change_nothing(
    is_sparse, penalty, rows_of_chunk, length, monkeypatch
):
    samples, targets = data(3, n=90, is_sparse=is_sparse), targets_of("ovr", 3)
    rule = Rule.with_penalty(penalty, 0.01, 0.3)
    replica = Replica(samples, targets, rule)
    replica.epoch()
    monkeypatch.setattr(WindowLength, "rows", length)
    passes = Passes(samples.X, rule, 3)
    passes.source.largest = rows_of_chunk
    state = State.at(zeros(samples, targets), rule)
    passes.run(state, targets.rows(samples.codes, samples.weights, 1.0))
    assert_like(replica, state)


def test_windows_are_long_where_mistakes_are_rare_and_short_where_they_are_many():
    window = WindowLength(overhead=5_000.0, per_row=8.0)
    first = window.rows
    for _ in range(30):
        window.saw(mistakes=0, rows=1000)
    rare = window.rows
    for _ in range(30):
        window.saw(mistakes=1000, rows=1000)
    assert 1 <= window.rows < first < rare


@pytest.mark.parametrize("density", [0.001, 0.05, 0.5])
def test_the_length_of_windows_costs_least(density):
    window = WindowLength(overhead=5_000.0, per_row=8.0)
    window._density = density

    def cost(n):
        return (5_000 + 8 * n) / (1 - np.exp(-density * n))

    best = min(range(1, 5000), key=cost)
    assert cost(window.rows) < 1.001 * cost(best)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_python_step_is_made_per_mistake_and_not_per_sample(penalty, monkeypatch):
    rng = np.random.RandomState(0)
    X = rng.randn(3000, 5)
    codes = (X[:, 0] > 0).astype(int)
    X[:, 0] += np.sign(X[:, 0])
    samples, targets = Samples(X, codes, np.ones(3000)), OneVsRest.of(np.ones(2))
    passes = Passes(X, Rule.with_penalty(penalty, 1e-6, 0.5), 1)
    scored = []
    scores = passes.motion.scores
    monkeypatch.setattr(
        passes.motion,
        "scores",
        lambda *given: (scored.append(given), scores(*given))[1],
    )
    state = State.at(zeros(samples, targets), passes.rule)
    tally = passes.run(state, targets.rows(codes, samples.weights, 1.0))
    assert 0 < tally.mistakes[0] < 100
    assert len(scored) < 2 * tally.mistakes[0] + 60


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("start", [1, 40, 200, 10**6])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_average_is_the_mean_of_the_weights_behind_each_sample(
    is_sparse, start, penalty
):
    samples, targets = data(3, n=80, is_sparse=is_sparse), targets_of("ovr", 3)
    rule = Rule.with_penalty(penalty, 0.01, 0.4)
    replica = Replica(samples, targets, rule, average_from=start)
    for _ in range(3):
        replica.epoch()
    state, _ = train(samples, targets, rule, average=start)
    mean = state.average.of(state.weights)
    expected = (
        [s / replica.counted for s in replica.sums]
        if replica.counted
        else [replica.w, replica.b]
    )
    np.testing.assert_allclose(mean.coef, expected[0], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(mean.intercept, expected[1], rtol=1e-9, atol=1e-10)


def separable(n=200, margin=1.0):
    rng = np.random.RandomState(1)
    X = rng.randn(n, 3)
    codes = (X[:, 0] > 0).astype(int)
    X[:, 0] += margin * np.sign(X[:, 0])
    return Samples(X, codes, np.ones(n))


def test_epochs_after_one_without_mistakes_are_counted_but_not_made(monkeypatch):
    samples, targets = separable(), OneVsRest.of(np.ones(2))
    passes = []
    run = Passes.run
    monkeypatch.setattr(
        Passes, "run", lambda *given: (passes.append(1), run(*given))[1]
    )
    state, epochs = train(samples, targets, Rule(), max_iter=500, average=1)
    assert len(epochs) == 500
    assert len(passes) < 20
    assert epochs[-1].separates
    assert state.average.seen.tolist() == [500 * len(samples.codes)]
    # The mean goes on to follow the weights that rest.
    mean = state.average.of(state.weights)
    assert np.abs(mean.coef - state.weights.coef).max() < 0.05


@pytest.mark.parametrize("margin", [0.1, 0.5, 2.0])
def test_mistakes_on_separable_samples_obey_the_bound_of_novikoff(margin):
    samples, targets = separable(margin=margin), OneVsRest.of(np.ones(2))
    _, epochs = train(samples, targets, Rule(), max_iter=2000, tol=None)
    extended = np.hstack([samples.X, np.ones((len(samples.X), 1))])
    largest_norm = np.linalg.norm(extended, axis=1).max()
    gamma = np.abs(samples.X[:, 0]).min()  # of the separator along the first feature
    assert epochs[-1].separates
    assert 0 < sum(e.mistakes for e in epochs) <= (largest_norm / gamma) ** 2


def test_problems_stop_on_their_own_and_keep_their_weights():
    samples, targets = data(4, n=300), targets_of("ovr", 4)
    state, epochs = train(samples, targets, Rule(), max_iter=200, tol=1e-2)
    ends = []
    for k in range(4):
        one, alone = train(
            samples, targets.select(np.array([k])), Rule(), max_iter=200, tol=1e-2
        )
        np.testing.assert_array_equal(one.weights.coef[0], state.weights.coef[k])
        ends.append(len(alone))
    assert len(set(ends)) > 1
    assert len(epochs) == max(ends)
    assert [e.is_last for e in epochs] == [False] * (len(epochs) - 1) + [True]


def test_a_validation_score_is_watched_instead_of_the_loss():
    samples, targets = data(2), targets_of("ovr", 2)
    scores = iter([0.5, 0.6, 0.6, 0.55, 0.9])
    state = State.at(zeros(samples, targets), Rule())
    stopping = Stopping(
        50, tol=0.01, n_iter_no_change=2, score=lambda w, p: np.array([next(scores)])
    )
    epochs = list(Training(samples, targets, Rule(), state, stopping).epochs())
    assert [e.score for e in epochs] == [0.5, 0.6, 0.6, 0.55]


def test_an_order_visits_the_chosen_rows_once_in_each_epoch():
    samples, targets = data(2, n=50), targets_of("ovr", 2)
    rows = np.arange(0, 50, 2)
    before = rows.copy()
    rng = np.random.RandomState(3)
    state, _ = train(samples, targets, Rule(), max_iter=1, rows=rows, rng=rng)
    np.testing.assert_array_equal(rows, before)
    order = before.copy()
    np.random.RandomState(3).shuffle(order)
    replica = Replica(samples, targets, Rule(), rows=order)
    replica.epoch()
    assert_like(replica, state)


def test_weights_beyond_all_bounds_are_refused():
    samples = data(2)
    samples = Samples(samples.X * 1e200, samples.codes, samples.weights * 1e200)
    with pytest.raises(ValueError, match="under-/overflow occurred at epoch #1"):
        train(samples, targets_of("ovr", 2), Rule())


def errors_on(samples, targets):
    def errors(weights, problems):
        some = targets.select(problems)
        right = some.are_right(
            samples.X @ weights.coef.T + weights.intercept, samples.codes
        )
        costs = some.weights_of(samples.codes) * samples.weights[:, None]
        return (costs * ~right).sum(axis=0)

    return errors


@pytest.mark.parametrize("penalty", [None, "l2", "l1"])
@pytest.mark.parametrize("kind", ["ovr", "joint"])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_pocket_holds_the_best_of_long_runs_and_ends_of_epochs(
    is_sparse, kind, penalty
):
    samples, targets = data(3, n=120, is_sparse=is_sparse), targets_of(kind, 3)
    rule = Rule.with_penalty(penalty, 0.002, 0.5)
    errors = errors_on(samples, targets)
    pocket = Pocket(errors, zeros(samples, targets), targets.n_problems)
    train(samples, targets, rule, pocket=pocket)
    replica = ReplicaOfPocket(samples, targets, rule, errors)
    for _ in range(3):
        replica.epoch()
        replica.offer(range(targets.n_problems))
    np.testing.assert_allclose(pocket.mistakes, replica.best, rtol=1e-12)
    everyone = np.arange(targets.n_problems)
    np.testing.assert_allclose(errors(pocket.best, everyone), pocket.mistakes)


class ReplicaOfPocket(Replica):
    """Tries weights whose run ends with a record, as by Gallant."""

    def __init__(self, samples, targets, rule, errors):
        super().__init__(samples, targets, rule)
        self.errors = errors
        self.runs = np.zeros(targets.n_problems, dtype=int)
        self.records = self.runs.copy()
        self.best = np.full(targets.n_problems, np.inf)
        self.offer(range(targets.n_problems))

    def offer(self, problems):
        everyone = np.arange(self.targets.n_problems)
        mistakes = self.errors(Weights(self.w, self.b), everyone)
        for problem in problems:
            self.best[problem] = min(self.best[problem], mistakes[problem])

    def steps(self, i):
        steps = list(super().steps(i))
        for problem, (wrong, _, _) in enumerate(steps):
            if not wrong:
                self.runs[problem] += 1
                continue
            if self.runs[problem] > self.records[problem]:
                self.records[problem] = self.runs[problem]
                self.offer([problem])
            self.runs[problem] = 0
        return steps


@pytest.mark.parametrize(
    ("factor", "n"), [(1.0, 10), (0.5, 1000), (0.999, 50_000), (0.0, 10), (1e-12, 3)]
)
def test_the_scale_returns_to_one_whenever_it_is_tiny(factor, n):
    scale = 1.0
    for _ in range(n):
        scale *= factor
        if scale < 1e-9:
            scale = 1.0
    assert scale_behind(1.0, factor, n) == scale
    half = scale_behind(1.0, factor, n // 2)
    assert scale_behind(half, factor, n - n // 2) == scale


@pytest.mark.parametrize(
    ("record", "name"), [(Rule(), "eta0"), (Epoch(1, 0, 0.0, None, True, True), "loss")]
)
def test_rules_and_what_epochs_came_to_cannot_be_changed(record, name):
    with pytest.raises(AttributeError):
        setattr(record, name, 2.0)


@pytest.mark.parametrize("kind", [np.asarray, lambda x: sparse.csr_array(x[:, None])])
def test_one_number_that_is_no_binary_fraction_is_seen_wherever_it_stands(kind):
    values = np.ones(9000)
    assert are_binary_fractions(kind(values), kind(values / 4), bits=2)
    assert not are_binary_fractions(kind(values), kind(values / 4), bits=1)
    for i in (0, 1, 4095, 4096, 8191, 8192, 8999):
        values[i] = 0.1
        assert not are_binary_fractions(kind(values), bits=8)
        values[i] = 1.0


@pytest.mark.parametrize("kind", ["ovr", "joint"])
@pytest.mark.parametrize("start", [1, 50])
def test_the_average_counts_samples_that_only_rounding_tells_from_mistakes(kind, start):
    rng = np.random.RandomState(0)
    X = 0.1 * rng.randint(-3, 4, (400, 3))
    samples = Samples(X, rng.randint(0, 2, 400), np.ones(400))
    targets = Joint(np.ones(2)) if kind == "joint" else OneVsRest.of(np.ones(2))
    rule = Rule(eta0=0.1)
    replica = Replica(samples, targets, rule, average_from=start)
    replica.epoch()
    state, _ = train(samples, targets, rule, max_iter=1, average=start)
    mean = state.average.of(state.weights)
    assert (state.average.seen == 400).all()
    np.testing.assert_allclose(mean.coef, replica.sums[0] / replica.counted, atol=1e-12)


def test_l2_penalties_are_those_of_the_weights_before_each_sample():
    samples, targets = data(n=80), targets_of("ovr", 2)
    rule = Rule.with_penalty("l2", 0.01, 0.4)
    replica = Replica(samples, targets, rule)
    replica.epoch()
    passes = Passes(samples.X, rule, 1)
    state = State.at(zeros(samples, targets), rule, watched=True)
    tally = passes.run(state, targets.rows(samples.codes, samples.weights, 1.0))
    before = np.stack([w for w, _ in replica.seen_weights[:-1]])
    np.testing.assert_allclose(tally.penalties, [rule.l2 * (before**2).sum()])
