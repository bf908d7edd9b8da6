"""What the trained front writes down of the spoken phrases, for the back to learn from.

usage: hear_again.py WORK

Each sound of `train` is heard TIMES times, bent each time. Writes WORK/heard.npz: `phones`, `ends`, `phrase`, and the same of `validation`
as `check_...`, heard once and not bent.
"""

import pathlib
import sys

import numpy
import torch

from hearing_network import Front
from train_hearing import Spoken, together, written
from voices import PHONES

SEED = 27
TIMES = 1


def heard(front, sounds, chance):
    order = sorted(range(len(sounds)), key=lambda at: len(sounds[at][0]))
    made = [None] * len(sounds)
    with torch.no_grad():
        for start in range(0, len(order), 64):
            rows = order[start:start + 64]
            batch, steps = together([sounds[row] for row in rows], chance)
            with torch.autocast("cpu", torch.bfloat16, enabled=chance is not None):
                state, near = front(batch)
                logits = front.logits(state)
            for row, phones in zip(rows, written(logits.float(), steps, near)):
                made[row] = phones
    return made


def main(work):
    torch.set_num_threads(1)
    work = pathlib.Path(work)
    front = Front(len(PHONES))
    front.load_state_dict(torch.load(work / "hearing.pt"))
    front.eval()
    chance, speech, checks = numpy.random.default_rng(SEED), Spoken(work, "train").look(), Spoken(work, "validation").look()
    rows = [row for _ in range(TIMES) for row in heard(front, speech, chance)]
    again = heard(front, checks, None)
    numpy.savez(work / "heard.npz", phones=numpy.concatenate(rows), ends=numpy.cumsum([len(row) for row in rows]),
                phrase=numpy.array([sound[2] for sound in speech] * TIMES), check_phones=numpy.concatenate(again),
                check_ends=numpy.cumsum([len(row) for row in again]), check_phrase=numpy.array([sound[2] for sound in checks]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
