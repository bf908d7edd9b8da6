"""The phones of phrases, by espeak-ng, in as many processes as there are processors."""

import json
import multiprocessing

import numpy

from meaning_network import LONGEST
from voices import Espeak

speaker = None


def phones(texts):
    """(all phones one after another, how many each text has)."""
    global speaker
    speaker = speaker or Espeak()
    rows = [speaker.phones(text)[:LONGEST] for text in texts]
    return [phone for row in rows for phone in row], [len(row) for row in rows]


def spell(texts):
    """The same as arrays, of many texts."""
    with multiprocessing.get_context("spawn").Pool() as pool:
        made = pool.map(phones, [texts[start:start + 2000] for start in range(0, len(texts), 2000)], chunksize=1)
    return [numpy.concatenate([numpy.array(one[part], dtype=kind) for one in made]) for part, kind in ((0, numpy.uint8), (1, numpy.int64))]


def spelled(work, part):
    """The phones of a part of phrases.json, made once: (phones, how many each phrase has)."""
    path = work / f"phones-{part}.npz"
    if not path.exists():
        own, lengths = spell(json.loads((work / "phrases.json").read_text())[part])
        numpy.savez(path.with_suffix(".part.npz"), phones=own, lengths=lengths)
        path.with_suffix(".part.npz").rename(path)
    data = numpy.load(path)
    return data["phones"], data["lengths"]
