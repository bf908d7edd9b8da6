"""Where phrases lie in the space: MiniLM's vectors of WORK/phrases.json, in pieces, so that it can go on.

usage: speech_vectors.py WORK TEXT_TOWER

Writes WORK/vectors-PART.npy (float16 [phrases, 384]) for every part.
"""

import json
import pathlib
import sys

import numpy

from texts import Tower

PIECE = 4096


def main(work, folder):
    work, tower = pathlib.Path(work), Tower(folder)
    phrases = json.loads((work / "phrases.json").read_text())
    for part, texts in sorted(phrases.items(), key=lambda entry: len(entry[1])):
        target = work / f"vectors-{part}.npy"
        pieces = []
        for start in range(0, len(texts), PIECE):
            piece = work / f"vectors-{part}-{start:07}.npy"
            if not piece.exists():
                made = tower.embed(texts[start:start + PIECE]).astype(numpy.float16)
                numpy.save(piece.with_suffix(".part.npy"), made)
                piece.with_suffix(".part.npy").rename(piece)
            pieces.append(numpy.load(piece))
        numpy.save(target, numpy.concatenate(pieces))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
