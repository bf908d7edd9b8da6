"""Embed the lines of standard input with ONNX Runtime and tokenizers; print texts per second.

usage: embed.py TOWER BATCH

TOWER is a pack's folder of one text tower. Batches are sorted by length first, as a careful user would do.
"""

import json
import pathlib
import sys
import time

import numpy
import onnxruntime
import tokenizers


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, size = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    texts = sys.stdin.read().splitlines()
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"])
    tokenizer.enable_padding()
    session = onnxruntime.InferenceSession(str(folder / "onnx/model.onnx"), providers=["CPUExecutionProvider"])
    names = {node.name for node in session.get_inputs()}
    embed(session, names, tokenizer, texts[:size])
    begun = time.perf_counter()
    ordered = sorted(texts, key=len) if size > 1 else texts
    for at in range(0, len(ordered), size):
        embed(session, names, tokenizer, ordered[at : at + size])
    print(len(texts) / (time.perf_counter() - begun))


def embed(session, names, tokenizer, texts):
    """Give the unit vectors of some texts: mean of the tokens' vectors, normalised."""
    encoded = tokenizer.encode_batch(texts)
    feeds = {
        "input_ids": numpy.array([one.ids for one in encoded], dtype=numpy.int64),
        "attention_mask": numpy.array([one.attention_mask for one in encoded], dtype=numpy.int64),
        "token_type_ids": numpy.array([one.type_ids for one in encoded], dtype=numpy.int64),
    }
    states = session.run(None, {name: feeds[name] for name in names})[0]
    mask = feeds["attention_mask"][:, :, None].astype(numpy.float32)
    means = (states * mask).sum(axis=1) / mask.sum(axis=1)
    return means / numpy.linalg.norm(means, axis=1, keepdims=True)


main()
