"""Make tiny packs of every family that the engine runs, and embed some inputs with `transformers`.

usage: towers_reference.py OUT_DIR

Writes OUT_DIR/packs (folders in the hub's layout, with random weights from fixed seeds), OUT_DIR/inputs (files) and
OUT_DIR/cases.json with the expected vectors beside it as raw little-endian float32. The test
crates/embed/tests/towers_reference.rs holds the engine to them. Models of our own stand in for the two whose code is in
no package: jina-clip-v2 and ImageBind have the inputs and outputs of theirs.
"""

import os
import pathlib
import shutil
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

from towers import pictures, sounds_only, texts_only
from towers.packs import Output


def main(folder):
    torch.set_num_threads(1)  # the models are tiny
    for old in ("packs", "inputs"):
        shutil.rmtree(pathlib.Path(folder) / old, ignore_errors=True)
    out = Output(folder)
    for room in (texts_only, pictures, sounds_only):
        room.every(out)
    out.finish()
    print(f"{len(out.cases)} cases of {len(list(out.packs.iterdir()))} packs written to {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
