"""The phones of phrases and of their words, by espeak-ng, in as many processes as there are processors.

usage: spell.py WORK

Writes WORK/phones-PART.npz of phrases.json's `train` and `validation`, and of `words`, the commonest words of `train`, those of names and
keywords first: `phones`, one phrase after another, and `lengths`, how many each has.
"""

import collections
import json
import multiprocessing
import pathlib
import sys

import numpy

from voices import LONGEST, Espeak

WORDS = 25_000
PIECE = 2000
speaker = None


def phones(texts):
    """(all phones one after another, how many each text has)."""
    global speaker
    speaker = speaker or Espeak()
    rows = [speaker.phones(text)[:LONGEST] for text in texts]
    return [phone for row in rows for phone in row], [len(row) for row in rows]


def words(phrases):
    """The words to know, the most worthy first."""
    counts = collections.Counter(word.lower() for text in phrases["train"] for word in text.split())
    named = {word.lower() for at in phrases["names"] for word in phrases["train"][at].split()}
    return sorted(counts, key=lambda word: (word not in named, -counts[word], word))[:WORDS]


def spelled(work, part):
    """What `main` wrote: (phones, how many each phrase has)."""
    data = numpy.load(work / f"phones-{part}.npz")
    return data["phones"], data["lengths"]


def main(work):
    work = pathlib.Path(work)
    phrases = json.loads((work / "phrases.json").read_text())
    with multiprocessing.Pool() as pool:
        for part, texts in (("validation", phrases["validation"]), ("words", words(phrases)), ("train", phrases["train"])):
            made = pool.map(phones, [texts[start:start + PIECE] for start in range(0, len(texts), PIECE)], chunksize=1)
            path = work / f"phones-{part}.npz"
            numpy.savez(path.with_suffix(".part.npz"), phones=numpy.array([phone for own, _ in made for phone in own], dtype=numpy.uint8),
                        lengths=numpy.array([length for _, own in made for length in own]))
            path.with_suffix(".part.npz").rename(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
