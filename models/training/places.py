"""Where each concept lies in the space: a mixture of the embeddings of its name, of phrases with it, of its keywords,
and of its group; and nothing, which has the 385th dimension for itself.

What all names have in common is made smaller (ridge whitening by the names' second moments), so that the mean of several
concepts is nearest to these concepts and not to what lies in the middle of all.
"""

import numpy

from texts import unit

NAME, PHRASE, KEYWORD, GROUP = 1.0, 0.2, 0.2, 0.3
TARGET_GROUP = 0.1  # what a picture is trained towards has less of its group than the places that make it up
RIDGE = 3.0  # in units of the mean second moment; whitening is whole at 0 and none at infinity


def mixed(texts, group):
    """The mixture, with this much of the group; [concepts, 384] float32, of no set length."""
    own = texts["groups"][texts["group"]] * (texts["group"] >= 0)[:, None]
    return NAME * texts["names"] + PHRASE * texts["phrases"].mean(1) + KEYWORD * texts["keywords"] + group * own


def targets(texts):
    """Where a concept's picture should be: [concepts + 1, 385] float32, each of length one."""
    return with_nothing(unit(mixed(texts, TARGET_GROUP)))


def apart(rows, like):
    """Rows with what `like` [any, width] has in common made smaller; of no set length."""
    moments = like.T @ like / len(like) * like.shape[1]
    return rows @ numpy.linalg.inv(moments + RIDGE * numpy.eye(len(moments)))


def places(texts):
    """What the shares of the concepts weigh: [concepts + 1, 385] float32, each of length one."""
    return with_nothing(unit(apart(mixed(texts, GROUP), texts["names"][texts["group"] >= 0])))


def with_nothing(rows):
    made = numpy.zeros((len(rows) + 1, rows.shape[1] + 1), dtype=numpy.float32)
    made[:-1, :-1] = rows
    made[-1, -1] = 1.0
    return made
