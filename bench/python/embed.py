"""Embed the lines of standard input with ONNX Runtime and tokenizers, in batches of several sizes; print a JSON object.

usage: embed.py TOWER SIZE...

TOWER is a pack's folder of one text tower. Batches are formed as texts come, each padded to its longest: what a service
does that waits for so many. "rates" are texts per second by size, "run_millis" is the median of session.run alone for one text,
"one_millis" that of a text with all that belongs to it.
"""

import json
import pathlib
import statistics
import sys
import time

import numpy
import onnxruntime
import tokenizers


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    folder, sizes = pathlib.Path(sys.argv[1]), [int(word) for word in sys.argv[2:]]
    texts = sys.stdin.read().splitlines()
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"])
    tokenizer.enable_padding()
    session = onnxruntime.InferenceSession(str(folder / "onnx/model.onnx"), providers=["CPUExecutionProvider"])
    embed(session, tokenizer, texts[:8], [])
    rates, runs, ones = {}, [], []
    for size in sizes:
        begun = time.perf_counter()
        for at in range(0, len(texts), size):
            started = time.perf_counter()
            embed(session, tokenizer, texts[at : at + size], runs if size == 1 else [])
            if size == 1:
                ones.append(time.perf_counter() - started)
        rates[size] = len(texts) / (time.perf_counter() - begun)
    middle = lambda times: 1000 * statistics.median(times) if times else None
    print(json.dumps({"rates": rates, "run_millis": middle(runs), "one_millis": middle(ones)}))


def embed(session, tokenizer, texts, runs):
    """Give the unit vectors of some texts: mean of the tokens' vectors, normalised. The run's time is appended to `runs`."""
    encoded = tokenizer.encode_batch(texts)
    feeds = {
        "input_ids": numpy.array([one.ids for one in encoded], dtype=numpy.int64),
        "attention_mask": numpy.array([one.attention_mask for one in encoded], dtype=numpy.int64),
        "token_type_ids": numpy.array([one.type_ids for one in encoded], dtype=numpy.int64),
    }
    feeds = {node.name: feeds[node.name] for node in session.get_inputs()}
    begun = time.perf_counter()
    states = session.run(None, feeds)[0]
    runs.append(time.perf_counter() - begun)
    mask = feeds["attention_mask"][:, :, None].astype(numpy.float32)
    means = (states * mask).sum(axis=1) / mask.sum(axis=1)
    return means / numpy.linalg.norm(means, axis=1, keepdims=True)


main()
