"""Which runs of phones the back of the audio tower knows: the words of names and keywords, the commonest short runs, the commonest words."""

import numpy

from meaning_network import LONGEST_RUN
from spell import spelled
from voices import PHONES

KEPT = {1: 40, 2: 1500, 3: 5500, 4: 4000}  # how many runs of each length
WORDS = 7600


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
    """The runs to know, as bytes: what comes later has less chance of a slot. Short runs first, then words, then the longest runs."""
    phones, lengths = spelled(work, "train")
    short = [run for length in (1, 2, 3) for run in commonest(phones, lengths, length, KEPT[length])]
    own, sizes = spelled(work, "words")
    words = dict.fromkeys(run.tobytes() for run in numpy.split(own, numpy.cumsum(sizes)[:-1]))
    words = [run for run in words if 4 <= len(run) <= LONGEST_RUN][:WORDS]
    known = set(words)
    return short + words + [run for run in commonest(phones, lengths, 4, KEPT[4]) if run not in known]
