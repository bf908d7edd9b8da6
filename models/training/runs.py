"""Which runs of phones the back of the audio tower knows: the words of names and keywords, the commonest short runs, the commonest words."""

import collections
import json

import numpy

from meaning_network import LONGEST_RUN
from spell import spell, spelled
from voices import PHONES

KEPT = {1: 40, 2: 1500, 3: 5500, 4: 4200}  # how many runs of each length
WORDS = 7800


def commonest(phones, lengths, length, kept):
    """The commonest runs of that length, as bytes, first phone first."""
    base, own = len(PHONES) + 1, phones.astype(numpy.int64)
    count = len(own) - length + 1
    codes = numpy.zeros(count, dtype=numpy.int64)
    for at in range(length):
        codes = codes * base + own[at:at + count]
    # A run does not reach from one phrase into the next.
    phrase = numpy.repeat(numpy.arange(len(lengths)), lengths)
    codes = codes[phrase[:count] == phrase[length - 1:]]
    found, times = numpy.unique(codes, return_counts=True)
    best = found[numpy.argsort(-times, kind="stable")[:kept]]
    return [bytes(int(code) // base ** (length - 1 - at) % base for at in range(length)) for code in best]


def worthy(work):
    """The runs to know, as bytes: short ones before long ones, words last."""
    texts = json.loads((work / "phrases.json").read_text())
    phones, lengths = spelled(work, "train")
    chosen = [run for length, kept in KEPT.items() for run in commonest(phones, lengths, length, kept)]
    words = collections.Counter(word.lower() for text in texts["train"] for word in text.split())
    named = {word.lower() for at in texts["names"] for word in texts["train"][at].split()}
    order = sorted(words, key=lambda word: (word not in named, -words[word], word))[:3 * WORDS]
    own, sizes = spell(order)
    known, added = set(chosen), 0
    for run in numpy.split(own, numpy.cumsum(sizes)[:-1]):
        run = run.tobytes()
        if 4 <= len(run) <= LONGEST_RUN and run not in known and added < WORDS:
            known.add(run)
            chosen.append(run)
            added += 1
    return chosen
