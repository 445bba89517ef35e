"""Defects made by hand: slips that people make in programs of this kind.

Each is a list of replacements of text that occurs exactly once in its file, so that a
change of the code is noticed here and not by a defect that is none any more.
"""

from pathlib import Path

import defects_drawn


def make(root):
    """Return all of these defects; raise ValueError where a text is not there once."""
    return [_make(root, name, *patch) for name, patch in BY_HAND.items()]


def _make(root, name, file, *changes):
    text = source = (Path(root) / file).read_text()
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"{name}: {file} has {old!r} {text.count(old)} times")
        source = source.replace(old, new)
    line = text[: text.index(changes[0][0])].count("\n") + 1
    old, new = (" … ".join(" ".join(c[i].split()) for c in changes) for i in (0, 1))
    return defects_drawn.Defect(file, line, name, "by hand", old, new, source)


#: What it is: the file, and pairs of text as it is and as it becomes.
BY_HAND = {
    # Batches and epochs
    "the first batch of each epoch is left out": (
        "sknn/training/batches.py",
        (
            "for start in range(0, self.n_samples, self._chunk):",
            "for start in range(\n"
            "            self.batch_size * (self.n_batches > 1), self.n_samples,"
            " self._chunk\n        ):",
        ),
    ),
    "the last, smaller batch of each epoch is left out": (
        "sknn/training/batches.py",
        (
            "                batch = slice(first, first + self.batch_size)\n",
            "                batch = slice(first, first + self.batch_size)\n"
            "                if stop - start - first < self.batch_size < stop:\n"
            "                    continue\n",
        ),
    ),
    "a stack leaves out the last batch of each epoch": (
        "sknn/training/stack.py",
        (
            "rows, last, last + 1, self.n_samples - last * self._sizes",
            "rows, last, last, self.n_samples - last * self._sizes",
        ),
    ),
    "weights do not follow the shuffled samples": (
        "sknn/training/batches.py",
        (
            'else self._select("w", self.w, rows)',
            "else self.w[rows if isinstance(rows, slice) else np.sort(rows)]",
        ),
    ),
    "samples are shuffled before the first epoch only": (
        "sknn/training/batches.py",
        (
            "        state.rng.shuffle(state.permutation)\n",
            "        if not state.epoch:\n"
            "            state.rng.shuffle(state.permutation)\n",
        ),
    ),
    "the loss of an epoch is the mean over batches": (
        "sknn/training/trainer.py",
        (
            "summed += float(evaluate(X, y, w)) * y.shape[0]",
            "summed += float(evaluate(X, y, w)) * batches.n_samples"
            " / batches.n_batches",
        ),
    ),
    "gradients are clipped behind the step": (
        "sknn/training/trainer.py",
        (
            "            clip_by_norm(gradient, max_grad_norm, rows)\n"
            "        step(learning_rate, number)\n",
            "            step(learning_rate, number)\n"
            "            clip_by_norm(gradient, max_grad_norm, rows)\n"
            "        else:\n            step(learning_rate, number)\n",
        ),
    ),
    # Rates
    "schedules are not told that epochs pass": (
        "sknn/training/state.py",
        (
            "            self.samples,\n            self.epoch,\n",
            "            self.samples,\n            self.first_epoch,\n",
        ),
    ),
    "the rate stands still within an epoch": (
        "sknn/training/trainer.py",
        ("state.progress(fraction)) for", "state.progress(0.0 * fraction)) for"),
    ),
    "a stack's rate stands still within an epoch": (
        "sknn/training/stack.py",
        ("state.progress(fraction)) for", "state.progress(0.0 * fraction)) for"),
    ),
    "the reduced rate comes back after a rescue": (
        "sknn/training/trainer.py",
        (
            "        initial = learning_rate * state.backoff\n",
            "        initial = learning_rate\n",
        ),
    ),
    # Stopping, averages, state
    "the best weights are not restored": (
        "sknn/estimators/_run.py",
        (
            "source = self._average() if best is None else best",
            "source = self._average()",
        ),
    ),
    "the last of equal scores is the best": (
        "sknn/training/stopping.py",
        ("if score > state.best_score:", "if score >= state.best_score:"),
    ),
    "patience ends an epoch early": (
        "sknn/training/stopping.py",
        (
            "state.no_improvement_count > self.n_iter_no_change",
            "state.no_improvement_count >= self.n_iter_no_change",
        ),
    ),
    "tol is forgotten": (
        "sknn/training/stopping.py",
        (
            "worse = loss > state.best_loss - self.tol",
            "worse = loss > state.best_loss",
        ),
    ),
    "a lowered rate gets no patience of its own": (
        "sknn/estimators/_run.py",
        (
            "        state.stalled += 1\n        state.no_improvement_count = 0\n",
            "        state.stalled += 1\n",
        ),
    ),
    "weights are ignored in the validation loss": (
        "sknn/estimators/_scorer.py",
        (
            "own = None if w is None or part.w is None else part.w / w.mean()",
            "own = None",
        ),
    ),
    "held-out samples are not stratified": (
        "sknn/estimators/_validation.py",
        ("random_state=rng, stratify=strata", "random_state=rng"),
    ),
    "the moving average starts from zero": (
        "sknn/training/averaging.py",
        (
            "state.average = values.copy()",
            "state.average = np.zeros_like(values)",
        ),
    ),
    "the moving average does not warm up": (
        "sknn/training/averaging.py",
        ("1 - min(self.decay, (1 + t) / (10 + t))", "1 - self.decay"),
    ),
    "stochastic weight averaging begins an epoch early": (
        "sknn/training/averaging.py",
        ("state.epoch > self._first(state)", "state.epoch >= self._first(state)"),
    ),
    "a rescue leaves the momentum": (
        "sknn/training/state.py",
        (
            "np.copyto(array, self.optimizer.memory(trained)[name])",
            "self.optimizer.memory(trained)[name]",
        ),
    ),
    "another optimiser goes on with the old one's memory": (
        "sknn/training/state.py",
        ("if self.optimizer != optimizer or not fits", "if not fits"),
    ),
    "a new memory keeps the old number of steps": (
        "sknn/training/state.py",
        (
            "            self.memory = optimizer.memory(values)\n"
            "            self.steps = 0\n",
            "            self.memory = optimizer.memory(values)\n",
        ),
    ),
    "a copied state shares the optimiser's memory": (
        "sknn/training/state.py",
        ("{name: array.copy() for name", "{name: array for name"),
    ),
    "L-BFGS leaves the last values that it tried": (
        "sknn/training/lbfgs.py",
        (
            "    finally:\n        np.copyto(trained, last)\n",
            "    finally:\n        pass\n",
        ),
    ),
    # Optimisers and penalties
    "Adam does not correct the bias of the mean": (
        "sknn/optimizers/adam.py",
        (
            "correction = corrected / (1 - self.beta_1**step)",
            "correction = corrected",
        ),
    ),
    "Nesterov's momentum does not look ahead": (
        "sknn/optimizers/momentum.py",
        ("        if self.nesterov:\n", "        if not self.momentum:\n"),
    ),
    "weight decay shrinks intercepts": (
        "sknn/training/trainer.py",
        ("= objective.network.n_penalized", "= objective.network.n_trainable"),
    ),
    "weight decay shrinks intercepts of a stack": (
        "sknn/training/stack.py",
        (
            "            network.n_penalized,\n",
            "            network.n_trainable,\n",
        ),
    ),
    "alpha penalises intercepts": (
        "sknn/layers/dense.py",
        ("self.bias_init, fan, penalized=False)", "self.bias_init, fan)"),
    ),
    "the penalty is that of the whole set in each batch": (
        "sknn/objective.py",
        (
            "self._add_penalty(self.alpha / raw.shape[-2])",
            "self._add_penalty(self.alpha)",
        ),
    ),
    "the L1 share of the penalty is added to the L2 share": (
        "sknn/objective.py",
        ("self._set_factors(strength - l1, l1)", "self._set_factors(strength, l1)"),
    ),
    "clipping takes the largest entry for the norm": (
        "sknn/optimizers/clipping.py",
        ("norm = np.sqrt(squares)", "norm = np.abs(rest).max(axis=-1)"),
    ),
    # Layers
    "the gradient of intercepts is 1 % too large": (
        "sknn/layers/dense.py",
        (
            'dy, g["b"])\n        if not need_dx',
            'dy, g["b"])\n            g["b"] *= 1.01\n        if not need_dx',
        ),
    ),
    "dropout does not scale what is left": (
        "sknn/layers/dropout.py",
        (
            "return np.multiply(mask, levels / (levels - dropped), out=mask)",
            "return mask",
        ),
    ),
    "dropout draws what the next shuffle draws again": (
        "sknn/layers/dropout.py",
        (
            "tape.rng.bytes(length)",
            '__import__("copy").deepcopy(tape.rng).bytes(length)',
        ),
    ),
    "dropout drops wherever gradients are recorded": (
        "sknn/layers/dropout.py",
        ("        if not tape.training:\n", "        if not tape.recording:\n"),
    ),
    "the running variance is biased": (
        "sknn/layers/normalization.py",
        ("unbiased = variance / np.where(counts, rest, 1)", "unbiased = variance"),
    ),
    "batch statistics count as constants going backward": (
        "sknn/layers/normalization.py",
        (
            "if share is not None:  # mean and variance",
            "if share is None:  # mean and variance",
        ),
    ),
    "a monotonic constraint holds for the other direction": (
        "sknn/layers/monotonic.py",
        (
            "constraint = tuple(signs)\n",
            "constraint = tuple(-sign for sign in signs)\n",
        ),
    ),
    "what is unseen has the row of the last category": (
        "sknn/layers/embedding.py",
        (
            "np.copyto(known, slots, where=known < 0)",
            "np.copyto(known, slots - 1, where=known < 0)",
        ),
    ),
    # Losses
    "label smoothing has the wrong sign": (
        "sknn/losses/classification.py",
        (
            "smoothed += tape.number(share / n_classes, y)",
            "smoothed -= tape.number(share / n_classes, y)",
        ),
    ),
    "label smoothing of classes is that of two": (
        "sknn/losses/classification.py",
        (
            "_smoothed(y, self.label_smoothing, y.shape[-1], tape)",
            "_smoothed(y, self.label_smoothing, 2, tape)",
        ),
    ),
    "Huber's delta is ignored": (
        "sknn/losses/regression.py",
        ("tape.number(self.delta, raw)", "tape.number(1.0, raw)"),
        ("tape.number(-self.delta, raw)", "tape.number(-1.0, raw)"),
    ),
    "quantiles can cross": (
        "sknn/losses/distribution.py",
        (
            "        softplus(raw, out)\n    out[middle]",
            "        out[:] = raw\n    out[middle]",
        ),
    ),
    # Files
    "a file is not flushed to the disk": (
        "sknn/_files.py",
        ("os.fsync(file.fileno())", "file.fileno()"),
    ),
    "a new name is not flushed to the disk": (
        "sknn/_files.py",
        ("os.fsync(descriptor)", "os.fstat(descriptor)"),
    ),
    "a checksum is not compared": (
        "sknn/_tensors.py",
        (
            'if digest.hexdigest() != about["sha256"]:',
            'if len(digest.hexdigest()) != len(about["sha256"]):',
        ),
    ),
    "checkpoints come an epoch late": (
        "sknn/callbacks/checkpoint.py",
        ("epoch.number % self.every == 0", "(epoch.number - 1) % self.every == 0"),
    ),
    # The perceptron
    "the perceptron's average counts its start twice": (
        "sknn/training/perceptron/state.py",
        ("self.seen - self.start + 1, 0", "self.seen - self.start + 2, 0"),
    ),
    "the perceptron's pocket forgets its record": (
        "sknn/training/perceptron/pocket.py",
        ("if run > self._records[problem]", "if run > 0"),
    ),
}
