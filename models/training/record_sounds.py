"""Make the named sounds, and sounds of nothing, spoiled, as frames.

usage: record_sounds.py WORK [PROCESSES]

Writes WORK/sounds-train.npz and WORK/sounds-validation.npz: `frames` (float16, one after another), `ends`, and `kind`: the
place in SOUNDS and 2; 1 is nothing; 0 would be speech. Pitches, paces and colours are drawn anew for every sound.
"""

import multiprocessing
import pathlib
import sys

import numpy

from distort import spoiled
from hearing import RATE, frames
from sounds import SOUNDS, nothing

SEED = 25
COUNTS = {"train": (140, 2500), "validation": (8, 120)}  # of each name, of nothing


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


def numbered(given):
    part, at, kind = given
    return one(kind, numpy.random.default_rng([SEED, len(part), at])).astype(numpy.float16)


def main(work, processes="1"):
    with multiprocessing.Pool(int(processes)) as pool:
        for part, (each, empty) in COUNTS.items():
            target = pathlib.Path(work) / f"sounds-{part}.npz"
            if target.exists():
                continue
            kinds = [1] * empty + [kind + 2 for kind in range(len(SOUNDS)) for _ in range(each)]
            made = pool.map(numbered, [(part, at, kind) for at, kind in enumerate(kinds)], chunksize=20)
            numpy.savez(target.with_suffix(".part.npz"), frames=numpy.concatenate(made), ends=numpy.cumsum([len(own) for own in made]), kind=numpy.array(kinds))
            target.with_suffix(".part.npz").rename(target)
            print(part, len(made), flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
