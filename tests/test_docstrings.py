"""Public docstrings are complete by numpydoc's rules."""

import ast
import contextlib
import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import sknn

numpydoc_validate = pytest.importorskip("numpydoc.validate")
docscrape = pytest.importorskip("numpydoc.docscrape")

SUMMARY = {
    "GL08",  # no docstring
    "SS01",  # no summary
    "SS02",  # the summary starts with a small letter
    "SS03",  # the summary ends without a period
    "SS06",  # the summary takes several lines
}
SECTIONS = {
    "GL06",  # an unknown section
    "GL07",  # sections out of order
    "PR02",  # a parameter that the signature does not have
    "PR03",  # parameters out of order
    "PR04",  # a parameter without a type
    "PR07",  # a parameter without a description
    "PR10",  # no space before a parameter's colon
    "RT03",  # a return value without a description
}
COMPLETE = {
    "PR01",  # parameters that are not documented
    "RT01",  # no Returns section
    "YD01",  # no Yields section
}
EXAMPLES = {"EX01"}  # no Examples section


def modules(listing):
    """`sknn` and those of its modules whose names do not start with an underscore."""
    yield sknn
    for info in listing(sknn.__path__, "sknn."):
        if not any(part.startswith("_") for part in info.name.split(".")):
            yield importlib.import_module(info.name)


def public_objects(module):
    """Classes and functions that a room lists or, if it has no list, defines."""
    listed = getattr(module, "__all__", None)
    for name in dir(module) if listed is None else listed:
        value = getattr(module, name)
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        if listed is not None or (
            value.__module__ == module.__name__ and not name.startswith("_")
        ):
            yield value


def public_methods(cls):
    """Names of the methods and properties that come from sknn's own classes."""
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] == "sknn":
            for name, member in vars(base).items():
                if not name.startswith("_") and (
                    inspect.isfunction(member) or isinstance(member, property)
                ):
                    yield name


def checks_by_name():
    """Dotted names mapped to the checks that they must pass.

    Whatever a user constructs or calls is documented in full. Methods of the rooms
    below the estimators need a summary only: sections, where they stand, must be right.
    """
    checks = {}
    for module in modules(pkgutil.iter_modules):
        for value in public_objects(module):
            face = value.__name__ in sknn.__all__ or module is sknn.displays
            name = f"{value.__module__}.{value.__qualname__}"
            checks[name] = SUMMARY | SECTIONS | COMPLETE
            if not inspect.isclass(value):
                continue
            if face:
                checks[name] |= EXAMPLES
            for method in public_methods(value):
                full = COMPLETE if face else set()
                checks.setdefault(f"{name}.{method}", SUMMARY | SECTIONS | full)
    return checks


CHECKS = checks_by_name()


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_docstring_is_complete(name):
    found = numpydoc_validate.validate(name)["errors"]
    assert [error for error in found if error[0] in CHECKS[name]] == []


@pytest.mark.parametrize(
    "module", list(modules(pkgutil.walk_packages)), ids=lambda module: module.__name__
)
def test_room_says_what_it_holds(module):
    assert module.__doc__
    assert module.__doc__.split("\n")[0].endswith((".", ":"))


def documented_defaults(value):
    """Yield each parameter whose documented default is a literal, with this default."""
    documentation = docscrape.NumpyDocString(inspect.getdoc(value) or "")
    for parameter in documentation["Parameters"]:
        told = re.search(r"default=(.+)$", parameter.type)
        with contextlib.suppress(ValueError, SyntaxError):  # an object
            for name in parameter.name.split(", ") if told else ():
                yield name, ast.literal_eval(told[1])


@pytest.mark.parametrize(
    "value",
    sorted(
        {v for m in modules(pkgutil.walk_packages) for v in public_objects(m)},
        key=lambda v: (v.__module__, v.__qualname__),
    ),
    ids=lambda value: f"{value.__module__}.{value.__qualname__}",
)
def test_documented_defaults_are_those_of_the_code(value):
    for name, default in documented_defaults(value):
        parameter = inspect.signature(value).parameters[name]
        assert parameter.default == default, name


def docstrings_with_examples():
    """Yield the examples of each docstring of the package, as one doctest."""
    finder = doctest.DocTestFinder()
    names = [info.name for info in pkgutil.walk_packages(sknn.__path__, "sknn.")]
    for name in ["sknn", *names]:
        for test in finder.find(importlib.import_module(name)):
            if test.examples:
                yield test


@pytest.mark.parametrize(
    "test", list(docstrings_with_examples()), ids=lambda test: test.name
)
def test_examples_of_the_docstring_run(test, run_examples):
    run_examples(test)
