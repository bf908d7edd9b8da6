"""Where phrases lie in the space: MiniLM's vectors of WORK/phrases.json.

usage: speech_vectors.py WORK TEXT_TOWER

Writes WORK/vectors-PART.npy (float16 [phrases, 384]) of `validation` and `train`. It runs on a GPU where there is one; on a CPU the vectors of
`train` take a quarter of an hour, and are kept in pieces, so that it can go on.
"""

import json
import pathlib
import sys

import numpy

from spoken import device
from text_network import Network

PIECE = 8192


def main(work, folder):
    work, network = pathlib.Path(work), Network(folder, device())
    phrases = json.loads((work / "phrases.json").read_text())
    for part in ("validation", "train"):
        pieces = []
        for start in range(0, len(phrases[part]), PIECE):
            piece = work / f"vectors-{part}-{start:07}.npy"
            if not piece.exists():
                numpy.save(piece.with_suffix(".part.npy"), network.embed(phrases[part][start:start + PIECE]).astype(numpy.float16))
                piece.with_suffix(".part.npy").rename(piece)
            pieces.append(numpy.load(piece))
        numpy.save(work / f"vectors-{part}.part.npy", numpy.concatenate(pieces))
        (work / f"vectors-{part}.part.npy").rename(work / f"vectors-{part}.npy")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
