"""Make the golden files of this version of the format; see `tests/test_persistence.py`.

    python -m tests.golden.make_golden

Run it once for each new version of the format: the files of older versions stay.
"""

import json
from pathlib import Path

import sknn
from tests.stored_models import FRAME, MODELS, answers, fit

VERSION = 1


def main():
    for name in MODELS:
        model, inputs, _ = fit(name)
        stem = f"{VERSION}-{name.replace(' ', '-').replace(',', '')}"
        file = Path(__file__).with_name(f"{stem}.sknn")
        sknn.save(model, file)
        numbers = {k: v.tolist() for k, v in answers(model, inputs[:5]).items()}
        content = {"frame": inputs is FRAME, "answers": numbers}
        file.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
