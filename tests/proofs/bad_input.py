"""Give every estimator every spelling of its input, right and wrong.

    python tests/proofs/bad_input.py [word that names must contain]

Each case either works and is right, or is refused by one error that names what is wrong
and changes nothing. The tables are those of the tests, which take each row with a few
estimators: here all of them take all rows.
"""

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.estimators import (
    test_bad_arguments,
    test_bad_parameters,
    test_inputs_of_every_kind,
    test_inputs_that_are_refused,
    test_targets_of_every_kind,
    test_weights_of_every_kind,
)

TABLES = (
    test_inputs_of_every_kind,
    test_inputs_that_are_refused,
    test_targets_of_every_kind,
    test_weights_of_every_kind,
    test_bad_arguments,
    test_bad_parameters,
)


def main(word=""):
    begin, found, rows = time.perf_counter(), Counter(), set()
    for table in TABLES:
        for name, run in table.cases():
            if word not in name:
                continue
            try:
                outcome = run()
                assert outcome in ("worked", "refused"), outcome
            except BaseException as error:
                if isinstance(error, (KeyboardInterrupt, SystemExit)):
                    raise
                outcome = "otherwise"
                print(f"{name}: {type(error).__name__}: {error}")
            found[outcome] += 1
            rows.add(name.rpartition(", ")[0] or name)
    print(
        f"{found.total()} cases of {len(rows)} kinds: {found['worked']} worked and "
        f"were right, {found['refused']} were refused, {found['otherwise']} "
        f"otherwise, {time.perf_counter() - begin:.0f} s"
    )
    return found["otherwise"]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) > 0)
