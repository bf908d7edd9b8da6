"""Where each concept lies in the space: a mixture of the embeddings of its name, of phrases with it, of its keywords,
and of its group; and nothing, which has the 385th dimension for itself.

What all names have in common is made smaller (ridge whitening by the names' second moments), so that the mean of several
concepts is nearest to these concepts and not to what lies in the middle of all.
"""

import numpy

from texts import unit

NAME, PHRASE, KEYWORD, GROUP = 1.0, 0.2, 0.2, 0.3
RIDGE = 3.0  # in units of the mean second moment; whitening is whole at 0 and none at infinity


def targets(texts):
    """Where a concept's picture should be: [concepts + 1, 385] float32, each of length one."""
    own = texts["groups"][texts["group"]]
    mixed = NAME * texts["names"] + PHRASE * texts["phrases"].mean(1) + KEYWORD * texts["keywords"]
    return with_nothing(unit(mixed + 0.1 * own))


def places(texts):
    """What the shares of the concepts weigh: [concepts + 1, 385] float32, each of length one."""
    own = texts["groups"][texts["group"]]
    mixed = NAME * texts["names"] + PHRASE * texts["phrases"].mean(1) + KEYWORD * texts["keywords"] + GROUP * own
    moments = texts["names"].T @ texts["names"] / len(mixed) * mixed.shape[1]
    return with_nothing(unit(mixed @ numpy.linalg.inv(moments + RIDGE * numpy.eye(len(moments)))))


def with_nothing(rows):
    made = numpy.zeros((len(rows) + 1, rows.shape[1] + 1), dtype=numpy.float32)
    made[:-1, :-1] = rows
    made[-1, -1] = 1.0
    return made
