"""The constructor parameters of PerceptronClassifier, one row each."""

from __future__ import annotations

import numbers

from sknn.estimators._parameters import (
    BOOLEAN,
    NONE,
    RANDOM_STATE,
    VERBOSE,
    Parameter,
    instance_of,
    integer,
    one_of,
    real,
)

PARAMETERS: dict[str, Parameter] = {
    "penalty": Parameter(
        "{'l2', 'l1', 'elasticnet'} or None, default=None",
        """
        Penalty on the weights, not on the intercept.
        """,
        one_of("l2", "l1", "elasticnet") | NONE,
    ),
    "alpha": Parameter(
        "float, default=0.0001",
        """
        Strength of the penalty.
        """,
        real(0.0),
    ),
    "l1_ratio": Parameter(
        "float, default=0.15",
        """
        Share of l1 in ``penalty='elasticnet'``, from 0 to 1.
        """,
        real(0.0, 1.0),
    ),
    "fit_intercept": Parameter(
        "bool, default=True",
        """
        Whether the intercept is learned.
        """,
        BOOLEAN,
    ),
    "max_iter": Parameter(
        "int, default=1000",
        """
        Largest number of epochs of `fit`.
        """,
        integer(1),
    ),
    "tol": Parameter(
        "float or None, default=1e-3",
        """
        Smallest improvement that counts, of the mean loss plus penalty of an epoch or,
        with early stopping, of the validation score. A problem stops after
        `n_iter_no_change` epochs without one; None makes all `max_iter` epochs.
        """,
        real(0.0) | NONE,
    ),
    "shuffle": Parameter(
        "bool, default=True",
        """
        Whether each epoch visits the samples in a new order, which all problems share.
        The orders are NumPy's: those of scikit-learn come from a generator of its own.
        """,
        BOOLEAN,
    ),
    "verbose": Parameter(
        "bool or int, default=0",
        """
        Whether to print a line for each epoch.
        """,
        VERBOSE,
    ),
    "eta0": Parameter(
        "float, default=1",
        """
        Size of the update of a mistake.
        """,
        real(0.0, closed="right"),
    ),
    "n_jobs": Parameter(
        "int or None, default=None",
        """
        Has no effect and is there for scikit-learn's sake: the problems of all classes
        are trained together and share the products with the data.
        """,
        instance_of(numbers.Integral, "an instance of 'int'") | NONE,
    ),
    "random_state": Parameter(
        "int, RandomState instance or None, default=0",
        """
        Determines the order of samples and the split of early stopping.
        """,
        RANDOM_STATE,
    ),
    "early_stopping": Parameter(
        "bool, default=False",
        """
        Whether to hold out a stratified part of the training data and stop when the
        score on it no longer improves. The last weights are kept, not the best.
        """,
        BOOLEAN,
    ),
    "validation_fraction": Parameter(
        "float, default=0.1",
        """
        Share of the training data that early stopping holds out, between 0 and 1.
        """,
        real(0.0, 1.0, "neither"),
    ),
    "n_iter_no_change": Parameter(
        "int, default=5",
        """
        Epochs without an improvement of `tol` after which a problem stops.
        """,
        integer(1),
    ),
    "class_weight": Parameter(
        "dict, 'balanced' or None, default=None",
        """
        Weights of classes, multiplied with `sample_weight`. 'balanced' makes the
        classes weigh the same in total. With more than two classes and one-vs-rest, the
        weight of a class counts in its own problem only.
        """,
        instance_of(dict, "an instance of 'dict'") | one_of("balanced") | NONE,
    ),
    "warm_start": Parameter(
        "bool, default=False",
        """
        Whether `fit` starts from the weights of the last fit.
        """,
        BOOLEAN,
    ),
    "average": Parameter(
        "bool or int, default=False",
        """
        Whether ``coef_`` and ``intercept_`` are means of the weights behind each
        sample; an int is the sample from which on they count.
        """,
        BOOLEAN | integer(1),
    ),
    "pocket": Parameter(
        "bool, default=False",
        """
        Whether to keep the weights with the fewest weighted mistakes on the training
        data instead of the last ones, for each problem. Tried are the weights at the
        end of each epoch and those that got through a longer run of samples without a
        mistake than any before; each try costs a product with the data.
        """,
        BOOLEAN,
    ),
    "multi_class": Parameter(
        "{'ovr', 'joint'}, default='ovr'",
        """
        For more than two classes, 'ovr' trains one problem per class against the rest.
        'joint' trains them as one: a mistake adds the sample to the weights of the true
        class and takes it from those of the class with the highest score.
        """,
        one_of("ovr", "joint"),
    ),
}
