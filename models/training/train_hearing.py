"""Train the front of the audio tower to write down phones (connectionist temporal classification, Graves et al., 2006).

usage: train_hearing.py WORK [--steps N] [--batch N] [--rate R] [--name NAME] [--from NAME]

Reads all of WORK/spoken-train-*.npz, those that come while it runs too, and writes WORK/NAME.pt every 500 steps.
"""

import argparse
import json
import pathlib
import time

import numpy
import torch
from torch.nn import functional

from hearing import BINS, EDGES, RANGE, mel
from hearing_network import STRIDE, Front
from voices import PHONES

SEED = 23


class Spoken:
    """Sounds of one part, with their phones, as they are there."""

    def __init__(self, work, part):
        self.work, self.part, self.read, self.sounds = work, part, set(), []

    def look(self):
        for path in sorted(self.work.glob(f"spoken-{self.part}-[0-9][0-9][0-9].npz")):
            if path not in self.read:
                self.read.add(path)
                data = {name: values for name, values in numpy.load(path).items()}
                begins, starts = [numpy.concatenate([[0], data[name][:-1]]) for name in ("ends", "phone_ends")]
                for at in range(len(data["ends"])):
                    self.sounds.append((data["frames"][begins[at]:data["ends"][at]], data["phones"][starts[at]:data["phone_ends"][at]],
                                        int(data["phrase"][at]), str(data["voice"][at])))
        return self.sounds


def together(sounds, chance=None):
    """One tensor of sounds, filled up with the floor, after some more of it; and how many steps each has."""
    own = [sound[0].astype(numpy.float32) for sound in sounds]
    if chance is not None:
        own = [bent(values, chance) if chance.random() < 0.8 else values for values in own]
    more = [int(chance.integers(2, 24)) if chance else 16 for _ in own]
    longest = max(len(values) + extra for values, extra in zip(own, more))
    batch = numpy.empty((len(own), longest, BINS), dtype=numpy.float32)
    for at, values in enumerate(own):
        batch[at] = max(values.max() - RANGE, -1.5)
        batch[at, :len(values)] = values
        if chance is not None:
            masked(batch[at, :len(values)], chance)
    steps = [-(-(len(values) + extra) // STRIDE) for values, extra in zip(own, more)]
    return torch.from_numpy(batch.transpose(0, 2, 1).copy()), torch.tensor(steps)


def bent(values, chance):
    """Another speaker: frequencies stretched (Jaitly and Hinton, 2013), another pace, another colour."""
    values = values[numpy.arange(0, len(values) - 1, chance.uniform(0.85, 1.25)).astype(int)]
    places = (mel(EDGES[1:-1] * chance.uniform(0.84, 1.2)) / mel(8000.0) * (BINS + 1) - 1).clip(0, BINS - 1.001)
    low = places.astype(int)
    values = values[:, low] * (1 - (places - low)) + values[:, low + 1] * (places - low)
    knots = chance.normal(0, 0.07, 6)
    values = values + numpy.interp(numpy.linspace(0, 5, BINS), numpy.arange(6), knots)
    return numpy.maximum(values, values.max() - RANGE).astype(numpy.float32)


def masked(values, chance):
    """A few frames, or a few bins, of the sound's mean (SpecAugment, Park et al., 2019)."""
    mean = values.mean()
    if chance.random() < 0.5 and len(values) > 40:
        width = chance.integers(1, 9)
        start = chance.integers(0, len(values) - width)
        values[start:start + width] = mean
    if chance.random() < 0.5:
        width = chance.integers(1, 11)
        start = chance.integers(0, BINS - width)
        values[:, start:start + width] = mean


def batches(sounds, size, chance):
    """Batches of like lengths, in random order."""
    lengths = numpy.array([len(sound[0]) for sound in sounds]) * chance.uniform(0.85, 1.15, len(sounds))
    order = numpy.argsort(lengths)
    groups = [order[start:start + size] for start in range(0, len(order) - size + 1, size)]
    for at in chance.permutation(len(groups)):
        yield [sounds[row] for row in groups[at]]


def written(logits, steps, near=None):
    """The phones of the likeliest path, for each sound."""
    best = logits.argmax(2).numpy()
    made = []
    for at, path in enumerate(best):
        path = path[:steps[at]]
        keep = (path != 0) & (numpy.concatenate([[0], path[:-1]]) != path)
        if near is not None:
            keep &= near[at, :len(path)].numpy() > 0
        made.append(path[keep].astype(numpy.uint8))
    return made


def distance(left, right):
    """How many phones to change, add and drop (Levenshtein)."""
    row = numpy.arange(len(right) + 1)
    for at, phone in enumerate(left):
        before, row = row, row.copy()
        row[0] = at + 1
        change = before[:-1] + (right != phone)
        for place in range(1, len(row)):
            row[place] = min(change[place - 1], before[place] + 1, row[place - 1] + 1)
    return row[-1]


def measure(front, sounds):
    """Share of wrong phones, by voice."""
    front.eval()
    wrong = {}
    with torch.no_grad():
        for start in range(0, len(sounds), 50):
            own = sounds[start:start + 50]
            batch, steps = together(own)
            state, near = front(batch)
            for made, (_, phones, _, voice) in zip(written(front.logits(state), steps, near), own):
                entry = wrong.setdefault(voice, [0, 0])
                entry[0] += distance(made, phones)
                entry[1] += len(phones)
    front.train()
    total = sum(entry[0] for entry in wrong.values()) / sum(entry[1] for entry in wrong.values())
    return total, {voice: round(entry[0] / entry[1], 3) for voice, entry in sorted(wrong.items())}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--name", default="hearing")
    parser.add_argument("--start")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    chance = numpy.random.default_rng(SEED)
    front = Front(len(PHONES))
    if given.start:
        front.load_state_dict(torch.load(given.work / f"{given.start}.pt"))
    optimizer = torch.optim.AdamW(front.parameters(), lr=given.rate, weight_decay=0.02, betas=(0.9, 0.98))
    speech, validation = Spoken(given.work, "train"), Spoken(given.work, "validation").look()[:250]
    step, sum_loss, began = 0, 0.0, time.time()
    while step < given.steps:
        for sounds in batches(speech.look(), given.batch, chance):
            rate = given.rate * min(1, (step + 1) / 150) * max(0.01, min(1, (given.steps - step) / (0.7 * given.steps)))
            for group in optimizer.param_groups:
                group["lr"] = rate
            batch, steps = together(sounds, chance)
            with torch.autocast("cpu", torch.bfloat16):
                logits = front.logits(front(batch)[0])
            logits = logits.float().log_softmax(2).transpose(0, 1)
            phones = torch.from_numpy(numpy.concatenate([sound[1] for sound in sounds]).astype(numpy.int64))
            lengths = torch.tensor([len(sound[1]) for sound in sounds])
            loss = functional.ctc_loss(logits, phones, steps, lengths, zero_infinity=True)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(front.parameters(), 2.0)
            optimizer.step()
            step, sum_loss = step + 1, sum_loss + loss.item()
            if step % 50 == 0:
                print(f"{step} loss {sum_loss / 50:.3f} {time.process_time():.0f} s cpu {time.time() - began:.0f} s, {len(speech.sounds)} sounds", flush=True)
                sum_loss = 0.0
            if step % 500 == 0 or step == given.steps:
                torch.save(front.state_dict(), given.work / f"{given.name}.pt")
                print(step, *measure(front, validation), flush=True)
            if step >= given.steps:
                break


if __name__ == "__main__":
    main()
