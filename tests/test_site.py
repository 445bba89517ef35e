"""The site's reference has every public name."""

import importlib
import inspect
import pathlib
import re

import pytest

import sknn

API = pathlib.Path(__file__).parents[1] / "docs" / "api"
ROOMS = ["sknn", "sknn.activations"] + [
    f"sknn.{name}" for name in sknn.__all__ if inspect.ismodule(getattr(sknn, name))
]
ALIASES = {"sknn.optimizers.Memory", "sknn.optimizers.Rates"}  # of types


def names_in_reference():
    """Return the dotted names that the tables of the reference list."""
    names = set()
    for page in API.glob("*.rst"):
        module = None
        for line in page.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"\.\. (?:current)?module:: (\S+)", line):
                module = found[1]
            elif found := re.match(r"   ([A-Za-z_.\d]+)$", line):
                names.add(f"{module}.{found[1]}")
    return names


def public_objects(room):
    """Return the classes and functions that a room offers."""
    module = importlib.import_module(room)
    listed = getattr(module, "__all__", None)
    for name in listed if listed is not None else vars(module):
        value = getattr(module, name)
        if name.startswith("_") or not (inspect.isclass(value) or callable(value)):
            continue
        if listed is not None or getattr(value, "__module__", None) == room:
            yield name


@pytest.mark.parametrize("room", ROOMS)
def test_each_public_name_stands_in_the_reference(room):
    offered = {f"{room}.{name}" for name in public_objects(room)}
    assert offered - names_in_reference() - ALIASES == set()
