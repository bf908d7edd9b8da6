"""Where each concept lies in the space: a mixture of the embeddings of its name, of phrases with it, of its keywords,
and of its group, of length one; and nothing, which has the 385th dimension for itself.
"""

import numpy

from texts import unit

NAME, PHRASE, KEYWORD, GROUP = 1.0, 0.4, 0.35, 0.25


def places(texts, name=NAME, phrase=PHRASE, keyword=KEYWORD, group=GROUP):
    """[concepts + 1, 385] float32 from what texts.npz holds."""
    own = texts["groups"][texts["group"]]
    mixed = name * texts["names"] + phrase * texts["phrases"].mean(1) + keyword * texts["keywords"] + group * own
    made = numpy.zeros((len(mixed) + 1, mixed.shape[1] + 1), dtype=numpy.float32)
    made[:-1, :-1] = unit(mixed)
    made[-1, -1] = 1.0
    return made
