"""Make the named sounds, and sounds of nothing, spoiled, as frames.

usage: record_sounds.py WORK

Writes WORK/sounds-train.npz and WORK/sounds-validation.npz: `frames` (float16, one after another), `ends`, and `kind`: the
place in SOUNDS and 2; 1 is nothing; 0 would be speech. Pitches, paces and colours are drawn anew for every sound.
"""

import pathlib
import sys

import numpy

from distort import spoiled
from hearing import RATE, frames
from sounds import SOUNDS, nothing

SEED = 25
COUNTS = {"train": (70, 1000), "validation": (8, 120)}  # of each name, of nothing


def one(kind, chance, cut=True):
    """The frames of a sound of that kind."""
    makers = [maker for _, maker in SOUNDS.values()]
    samples = nothing(chance) if kind == 1 else makers[kind - 2](chance)
    if cut and kind > 1 and chance.random() < 0.5:
        start = int(chance.uniform(0, 0.5) * len(samples)) if chance.random() < 0.5 else 0
        samples = samples[start:start + int(chance.uniform(0.5, 1.0) * len(samples)) + RATE // 3]
    if kind == 1 and chance.random() < 0.1:
        samples = samples * 0
    return frames(spoiled(chance, samples, RATE))


def main(work):
    for part, (each, empty) in COUNTS.items():
        target = pathlib.Path(work) / f"sounds-{part}.npz"
        if target.exists():
            continue
        kinds = [1] * empty + [kind + 2 for kind in range(len(SOUNDS)) for _ in range(each)]
        made = [one(kind, numpy.random.default_rng([SEED, len(part), at])).astype(numpy.float16) for at, kind in enumerate(kinds)]
        numpy.savez(target, frames=numpy.concatenate(made), ends=numpy.cumsum([len(own) for own in made]), kind=numpy.array(kinds))
        print(part, len(made), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
