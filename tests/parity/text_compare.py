"""Hold `vw-engine embed` to the reference that text_reference.py wrote.

usage: text_compare.py ENGINE ONNXRUNTIME MODELS REFERENCE

Token ids must be equal for every text, and the cosine of the embeddings at least 0.99999, both one text at a time
and in batches. Needs nothing but Python.
"""

import json
import math
import subprocess
import sys

LEAST_COSINE = 0.99999


def run(engine, library, models, texts, batch):
    """Embed the texts with the engine; give its JSON objects in order."""
    words = [engine, "embed", "--json", "--batch", str(batch), "--onnxruntime", library, "--models", models]
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    output = subprocess.run(words, input=lines, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def cosine(a, b):
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(math.fsum(x * x for x in a) * math.fsum(y * y for y in b))


def judge(reference, found, batch):
    """Print how far the engine is from the reference; count the texts that are too far."""
    if len(reference) != len(found):
        sys.exit(f"{len(found)} results for {len(reference)} texts")
    bad, least, greatest = 0, 1.0, 0.0
    for at, (wanted, got) in enumerate(zip(reference, found)):
        width = len(wanted["embedding"])
        own, beyond = got["embedding"][:width], got["embedding"][width:]
        near = cosine(wanted["embedding"], own)
        least = min(least, near)
        greatest = max(greatest, max(abs(x - y) for x, y in zip(wanted["embedding"], own)))
        if wanted["ids"] != got["tokens"]:
            bad += 1
            print(f"text {at} {wanted['text'][:60]!r}: ids {got['tokens'][:20]}, not {wanted['ids'][:20]}")
        elif near < LEAST_COSINE or any(beyond):
            bad += 1
            print(f"text {at} {wanted['text'][:60]!r}: cosine {near}")
    print(f"batches of {batch}: {len(found)} texts, {bad} bad; least cosine 1 - {1 - least:.1e}, "
          f"greatest difference of a component {greatest:.2e}")
    return bad


def main(engine, library, models, path):
    with open(path, encoding="ascii") as file:
        reference = [json.loads(line) for line in file]
    texts = [row["text"] for row in reference]
    bad = sum(judge(reference, run(engine, library, models, texts, batch), batch) for batch in (1, 100))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
