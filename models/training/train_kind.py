"""Train the network that tells speech, nothing and the named sounds apart.

usage: train_kind.py WORK [--steps N]

Reads WORK/sounds-*.npz and WORK/spoken-*.npz; writes WORK/kind.pt. It runs on a GPU where there is one.
"""

import argparse
import pathlib

import numpy
import torch
from torch.nn import functional

from kind_network import Kind
from sounds import SOUNDS
from spoken import Sounds, Spoken, device

SEED = 26
BATCH = 96
SPEECH = 12_000  # sounds
CUT = 200  # frames of a sound, from somewhere, so that a batch is small


def read(work, part):
    """(sounds, their kinds)."""
    data, speech = numpy.load(work / f"sounds-{part}.npz"), Spoken(work, part, SPEECH)
    frames = torch.cat([torch.as_tensor(data["frames"], device=speech.place), speech.frames])
    lengths = numpy.concatenate([numpy.diff(data["ends"], prepend=0), speech.lengths])
    return Sounds(frames, lengths), numpy.concatenate([data["kind"], numpy.zeros(len(speech), dtype=int)])


def measure(net, sounds, kinds):
    net.eval()
    with torch.no_grad():
        made = torch.cat([net(sounds.batch(numpy.array([row]), change=False)[0]) for row in range(len(sounds))]).argmax(1).cpu().numpy()
    net.train()
    groups = {"speech": kinds == 0, "nothing": kinds == 1, "named": kinds > 1}
    return {name: round(float((made == kinds)[own].mean()), 3) for name, own in groups.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=2500)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    numpy.random.seed(SEED)
    chance = numpy.random.default_rng(SEED)
    (known, kinds), checks = read(given.work, "train"), read(given.work, "validation")
    odds = numpy.where(kinds == 0, 0.3 / (kinds == 0).sum(), numpy.where(kinds == 1, 0.15 / (kinds == 1).sum(), 0.55 / (kinds > 1).sum()))
    net = Kind(len(SOUNDS)).to(device())
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    total = 0.0
    for step in range(1, given.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, step / 100) * max(0.01, min(1, (given.steps - step) / (0.7 * given.steps)))
        rows = chance.choice(len(known), BATCH, p=odds)
        logits = net(known.batch(rows, most=CUT)[0])
        loss = functional.cross_entropy(logits, torch.as_tensor(kinds[rows], device=logits.device), label_smoothing=0.02)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        if step % 250 == 0 or step == given.steps:
            print(step, f"loss {total / 250:.3f}", measure(net, *checks) if step % 1250 == 0 or step == given.steps else "", flush=True)
            total = 0.0
    torch.save({name: values.cpu() for name, values in net.state_dict().items()}, given.work / "kind.pt")


if __name__ == "__main__":
    main()
