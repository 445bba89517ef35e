"""Damage stored models at random: each must be refused, or be the one that was stored.

    python tests/proofs/mutated_models.py [number of mutations]

Half of the mutations change bytes. The others change what is told about the model and
come with a checksum that fits: these must be refused or give a model that predicts and
learns, or refuses to in words; never another exception, and never any code that runs.
"""

import copy
import json
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import sknn
from sknn.persistence import FileFormatError
from tests.proofs.mutated_files import KINDS, VALUES, join, seal, split
from tests.stored_models import MODELS, answers, fit

RUNS_CODE = {"compile", "exec", "os.system", "subprocess.Popen", "pickle.find_class"}
MORE = [1e308, -1e-5, 10**30, "MLPClassifier", "mean", "same", [[1, 2]], -3]
MORE += [{"is": "same", "number": 0}, {"is": "float", "value": "nan"}, {"is": "path"}]
MORE += [{"is": "type", "value": "float"}, {"is": "tuple", "items": []}]
watched = []


def watch(event, args):
    """Note what would run code, while a file is loaded."""
    if watched and event in RUNS_CODE:
        watched.append(event)


def places(tree):
    """Yield every list and dict within a tree of JSON."""
    if isinstance(tree, (list, dict)) and tree:
        yield tree
        for item in tree if isinstance(tree, list) else tree.values():
            yield from places(item)


def change_content(file, draw):
    """Change, take away, repeat or move something that is told about the model."""
    header, data = split(file)
    fields = json.loads(header)
    about = json.loads(fields["__metadata__"]["content"])
    everywhere = list(places(about))
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        place, other = draw.choice(everywhere), draw.choice(everywhere)
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            continue
        key, action = draw.choice(keys), draw.randrange(5)
        values = list(other) if isinstance(other, list) else list(other.values())
        if action == 0:
            del place[key]
        elif action == 1:
            place[key] = draw.choice(VALUES + MORE)
        elif action == 2 and values:
            place[key] = copy.deepcopy(draw.choice(values))
        elif action == 3 and isinstance(place[key], (int, float)):
            place[key] = place[key] * draw.choice([-1, 0, 2, 1000]) + draw.choice(
                [0, 1]
            )
        elif isinstance(place, dict):
            place[draw.choice(["predict", "__class__", "x", "is"])] = place[key]
        else:
            place.append(place[key])
    fields["__metadata__"]["content"] = json.dumps(about)
    return join(json.dumps(fields, separators=(",", ":")).encode(), data)


def same(one, other):
    """Tell whether two sets of answers are the same to the bit."""
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


def outcome(path, file, sealed, case):
    """Load a mutation and say what came of it; raise AssertionError if it is bad."""
    (_, inputs, y), truth = case
    path.write_bytes(file)
    watched[:] = ["loading"]
    try:
        model = sknn.load(path)
    except FileFormatError as error:
        assert str(error).startswith(f"cannot read {str(path)!r}: "), error
        return "refused"
    finally:
        ran, watched[:] = watched[1:], []
        assert not ran, ran
    try:
        found = answers(model, inputs)
        if sealed and hasattr(model, "partial_fit"):
            copy.deepcopy(model).partial_fit(inputs, y)
    except (ValueError, TypeError, AttributeError) as error:
        assert sealed, error
        return f"loaded, answers with a {type(error).__name__}"
    if found and same(found, truth):
        return "same answers"
    assert sealed, "other answers than those of the stored model"
    return "loaded, other answers, under a checksum that fits them"


def mutations(n, seed=0, names=tuple(MODELS)):
    """Yield `n` times: what was changed, and what came of it."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path, originals = Path(folder) / "model", []
        for name in names:
            case = fit(name)
            sknn.save(case[0], path)
            originals.append((path.read_bytes(), (case, answers(*case[:2]))))
        for i in range(n):
            file, case = draw.choice(originals)
            sealed = i % 2 == 1
            mutate = change_content if sealed else draw.choice(KINDS)
            damaged = mutate(file, draw)
            damaged = seal(damaged) if sealed else damaged
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                yield sealed, outcome(path, damaged, sealed, case)


def main(n="10000"):
    sys.addaudithook(watch)
    begin = time.perf_counter()
    found = Counter(mutations(int(n)))
    for (sealed, what), count in sorted(found.items()):
        print(f"{'new checksum' if sealed else 'bytes':14} {what:55} {count:6}")
    print(f"{n} mutations, no bad outcome, {time.perf_counter() - begin:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
