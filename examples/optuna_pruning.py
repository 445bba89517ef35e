"""Search a network for the digits with Optuna, which ends hopeless fits early.

After each epoch a function among the network's callbacks reports the validation score,
and asks whether to go on:

    python -m pip install optuna
    python examples/optuna_pruning.py [trials]
"""

import sys
import time
import warnings

from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPClassifier

try:
    import optuna
except ImportError:
    sys.exit("This example needs Optuna: python -m pip install optuna")

MAX_ITER = 60


class Objective:
    """Fits a network with the values that a trial suggests."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __call__(self, trial):
        def report(epoch):
            trial.report(epoch.validation_score, epoch.number)
            if trial.should_prune():
                raise optuna.TrialPruned  # leaves `fit`, and no model

        network = MLPClassifier(
            (trial.suggest_int("hidden units", 16, 128, log=True),),
            learning_rate_init=trial.suggest_float("rate", 1e-4, 3e-2, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.5),
            early_stopping=True,
            max_iter=MAX_ITER,
            callbacks=report,
            random_state=0,
        )
        return network.fit(self.X, self.y).best_validation_score_


def epochs_of(trials):
    """Epochs that these trials have made, each of which reported one value."""
    return sum(len(trial.intermediate_values) for trial in trials)


def main(n_trials):
    X, y = load_digits(return_X_y=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are few on purpose
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=3),
    )
    started = time.perf_counter()
    study.optimize(Objective(X / 16, y), n_trials=n_trials)
    seconds = time.perf_counter() - started

    best = ", ".join(f"{name} {value:.3g}" for name, value in study.best_params.items())
    pruned = study.get_trials(states=[optuna.trial.TrialState.PRUNED])
    saved = MAX_ITER * len(pruned) - epochs_of(pruned)
    print(f"best validation accuracy {study.best_value:.4f} with {best}")
    print(f"pruned {len(pruned)} of {n_trials} trials, saving up to {saved} epochs")
    print(f"trained {epochs_of(study.trials)} epochs in {seconds:.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
