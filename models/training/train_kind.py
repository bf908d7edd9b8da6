"""Train the network that tells speech, nothing and the named sounds apart.

usage: train_kind.py WORK [--steps N]

Reads WORK/sounds-*.npz and WORK/spoken-*.npz; writes WORK/kind.pt.
"""

import argparse
import pathlib

import numpy
import torch
from torch.nn import functional

from kind_network import Kind
from sounds import SOUNDS
from train_hearing import Spoken, together

SEED = 26
BATCH = 96
SPEECH = 6000  # sounds


def read(work, part):
    """[(frames, kind)]."""
    data = numpy.load(work / f"sounds-{part}.npz")
    named = list(zip(numpy.split(data["frames"], data["ends"][:-1]), data["kind"]))
    speech = Spoken(work, part).look()[:SPEECH]
    return named + [(sound[0], 0) for sound in speech]


def measure(net, sounds):
    net.eval()
    with torch.no_grad():
        made = torch.cat([net(together([sound])[0]) for sound in sounds]).softmax(1)
    net.train()
    kinds = torch.tensor([int(kind) for _, kind in sounds])
    right = (made.argmax(1) == kinds).float()
    groups = {"speech": kinds == 0, "nothing": kinds == 1, "named": kinds > 1}
    return {name: round(right[own].mean().item(), 3) for name, own in groups.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=1500)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    chance = numpy.random.default_rng(SEED)
    known, checks = read(given.work, "train"), read(given.work, "validation")
    kinds = numpy.array([int(kind) for _, kind in known])
    odds = numpy.where(kinds == 0, 0.3 / (kinds == 0).sum(), numpy.where(kinds == 1, 0.15 / (kinds == 1).sum(), 0.55 / (kinds > 1).sum()))
    net = Kind(len(SOUNDS))
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    total = 0.0
    for step in range(1, given.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, step / 100) * max(0.01, min(1, (given.steps - step) / (0.7 * given.steps)))
        rows = chance.choice(len(known), BATCH, p=odds)
        # Sounds are cut to three seconds somewhere, so that a batch is small.
        own = []
        for row in rows:
            values = known[row][0]
            start = int(chance.integers(0, max(len(values) - 200, 0) + 1))
            own.append((values[start:start + 200],))
        logits = net(together(own, chance)[0])
        loss = functional.cross_entropy(logits, torch.from_numpy(kinds[rows]), label_smoothing=0.02)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        if step % 100 == 0:
            print(step, f"loss {total / 100:.3f}", measure(net, checks) if step % 300 == 0 or step == given.steps else "", flush=True)
            total = 0.0
    torch.save(net.state_dict(), given.work / "kind.pt")


if __name__ == "__main__":
    main()
