"""Train the front of the audio tower to write down phones (connectionist temporal classification, Graves et al., 2006).

usage: train_hearing.py WORK [--seconds N] [--frames N] [--rate R] [--name NAME] [--start NAME]

Reads all of WORK/spoken-train-*.npz, those that come while it runs too, and writes WORK/NAME.pt (float16) every 30 seconds. It runs on a GPU
where there is one; the rate rises for 2 % of the seconds and falls to nothing over the last 70 %.
"""

import argparse
import pathlib
import time

import numpy
import torch
from torch.nn import functional

from hearing_network import Front, written
from spoken import Spoken, device
from voices import LONGEST, PHONES

SEED = 23
CHECKS = 250  # validation sounds


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
    """Share of wrong phones, and that by voice."""
    front.eval()
    wrong = {}
    with torch.no_grad():
        for start in range(0, len(sounds), 50):
            rows = numpy.arange(start, min(start + 50, len(sounds)))
            state, near = front(sounds.batch(rows, change=False)[0])
            for made, row in zip(written(front.logits(state), near, LONGEST)[0].cpu().numpy(), rows):
                entry = wrong.setdefault(sounds.voices[row], [0, 0])
                entry[0] += distance(made[made > 0], sounds.phones[row])
                entry[1] += len(sounds.phones[row])
    front.train()
    total = sum(entry[0] for entry in wrong.values()) / sum(entry[1] for entry in wrong.values())
    return f"phones wrong {total:.3f}", {voice: round(float(entry[0] / entry[1]), 3) for voice, entry in sorted(wrong.items())}


def save(net, path):
    """Weights as float16, whole or not at all."""
    halves = {name: values.half() if values.is_floating_point() else values for name, values in net.state_dict().items()}
    torch.save(halves, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def restored(path, place="cpu"):
    """The front of a file that this program wrote."""
    front = Front(len(PHONES))
    front.load_state_dict({name: values.float() if values.is_floating_point() else values
                           for name, values in torch.load(path, map_location="cpu").items()})
    return front.to(place)


def share_of_rate(used):
    """What the rate is multiplied by when that share of the time is used."""
    return min(1.0, used / 0.02 + 0.02) * max(0.005, min(1.0, (1 - used) / 0.7))


def step_of(front, sounds, rows, optimizer):
    batch, counts = sounds.batch(rows)
    with torch.autocast(batch.device.type, torch.bfloat16):
        logits = front.logits(front(batch)[0])
    steps = logits.shape[1]
    phones = torch.from_numpy(numpy.concatenate([sounds.phones[row] for row in rows])).to(batch.device)
    lengths = torch.tensor([len(sounds.phones[row]) for row in rows])
    loss = functional.ctc_loss(logits.float().log_softmax(2).transpose(0, 1), phones, ((counts + 1) // 2).clamp(max=steps), lengths, zero_infinity=True)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(front.parameters(), 2.0)
    optimizer.step()
    return loss.detach()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=1500)
    parser.add_argument("--frames", type=int, help="of a batch; 5,000 on a CPU and 36,000 on a GPU where it is not given")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--name", default="hearing")
    parser.add_argument("--start")
    given = parser.parse_args()
    place = device()
    budget = given.frames or (36_000 if place.type == "cuda" else 5_000)
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    numpy.random.seed(SEED)
    chance = numpy.random.default_rng(SEED)
    front = restored(given.work / f"{given.start}.pt") if given.start else Front(len(PHONES))
    front.to(place)
    optimizer = torch.optim.AdamW(front.parameters(), lr=given.rate, weight_decay=0.02, betas=(0.9, 0.98))
    speech, checks = Spoken(given.work, "train"), Spoken(given.work, "validation", CHECKS)
    if not len(speech):
        raise SystemExit(f"{given.work} has no spoken-train-*.npz: make some with record.py")
    step, since, total, began, told, used = 0, 0, torch.zeros((), device=place), time.time(), time.time(), 0.0
    while used < 1:
        for rows in speech.look().groups(chance, budget):
            used = (time.time() - began) / given.seconds
            for group in optimizer.param_groups:
                group["lr"] = given.rate * share_of_rate(min(used, 1))
            total += step_of(front, speech, rows, optimizer)
            step, since = step + 1, since + 1
            if time.time() - told > 30 or used >= 1:
                print(f"{step} steps, {time.time() - began:.0f} s, {len(speech)} sounds, loss {total.item() / since:.3f}", *measure(front, checks), flush=True)
                save(front, given.work / f"{given.name}.pt")
                total, since, told = torch.zeros((), device=place), 0, time.time()
            if used >= 1:
                break


if __name__ == "__main__":
    main()
