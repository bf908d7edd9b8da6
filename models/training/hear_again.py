"""What the trained front writes down of the spoken phrases, for the back to learn from.

usage: hear_again.py WORK [--times N] [--seconds N]

Each sound of `train` is heard that many times, bent each time, or as often as the seconds allow. Writes WORK/heard.npz: `phones`, `second`
(the other reading of each), `odds` (of both, [phones, 2], in 255ths), `ends`, `phrase`, and the same of `validation` as `check_...`, heard
once and not bent.
"""

import argparse
import pathlib
import time

import numpy
import torch

from hearing_network import written
from spoken import Spoken, device
from train_hearing import restored
from voices import LONGEST

SEED = 27
FRAMES = {"cuda": 120_000, "cpu": 10_000}  # of a batch


def heard(front, sounds, chance, change, until=None):
    """{name: array} of all sounds; None where the time was over before."""
    parts = {"phones": [], "second": [], "odds": [], "ends": [], "phrase": []}
    for rows in sounds.groups(chance, FRAMES[sounds.place.type], 2048):
        if until and time.time() > until:
            return None
        with torch.no_grad(), torch.autocast(sounds.place.type, torch.bfloat16, enabled=change):
            state, near = front(sounds.batch(rows, change)[0])
            logits = front.logits(state).float()
        phones, second, odds = written(logits, near.float(), LONGEST)
        there = phones > 0
        parts["phones"].append(phones[there].to(torch.uint8).cpu().numpy())
        parts["second"].append(second[there].to(torch.uint8).cpu().numpy())
        parts["odds"].append((odds[there] * 255).round().to(torch.uint8).cpu().numpy())
        parts["ends"].append(there.sum(1).cpu().numpy())
        parts["phrase"].append(sounds.phrase[rows])
    return {name: numpy.concatenate(values) for name, values in parts.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--times", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=600)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    numpy.random.seed(SEED)
    until, place = time.time() + given.seconds, device()
    front = restored(given.work / "hearing.pt", place).eval()
    chance, speech = numpy.random.default_rng(SEED), Spoken(given.work, "train")
    made = [heard(front, speech, chance, True)]
    while len(made) < given.times and made[-1] is not None:
        made.append(heard(front, speech, chance, True, until))
    made = [one for one in made if one is not None]
    again = heard(front, Spoken(given.work, "validation"), chance, False)
    result = {name: numpy.concatenate([one[name] for one in made]) for name in made[0]} | {f"check_{name}": values for name, values in again.items()}
    for name in ("ends", "check_ends"):
        result[name] = numpy.cumsum(result[name])
    numpy.savez(given.work / "heard.npz", **result)
    print(f"{len(speech)} sounds heard {len(made)} times", flush=True)


if __name__ == "__main__":
    main()
