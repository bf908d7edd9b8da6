"""Retrieval measures over unit vectors of unlike width: the narrower has zeros where it ends."""

import numpy


def cosines(left, right):
    """[left, right]; dimensions that one side lacks count as zero there."""
    width = min(left.shape[1], right.shape[1])
    return left[:, :width] @ right[:, :width].T


def ranks(scores, right):
    """For each row the rank, from 0, of its right column; equal scores count against it."""
    own = scores[numpy.arange(len(scores)), right][:, None]
    return (scores >= own).sum(1) - 1


def recall(found, depth):
    """The share of ranks below the depth."""
    return float((found < depth).mean())
