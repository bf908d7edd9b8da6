"""Train the image tower's trunk on drawings of known concepts.

usage: train_image.py WORK [--steps N] [--decay N] [--from CHECKPOINT] [--name NAME]

WORK holds what render.py and texts.py wrote. The rate is steady and falls to nothing over the last DECAY steps; the
averaged weights are what counts. WORK/NAME.pt is the run's state, written every few minutes: a run that was stopped
goes on from it. --from starts from another run's state, so one steady run can be ended more than once.
"""

import argparse
import json
import pathlib
import time

import numpy
import torch
from torch.nn import functional

import concepts
from augment import Augment
from network import MEAN, STD, Trunk, unit
from places import places
from places import targets as spots_of

BATCH, NOTHING = 64, 3
RATE, WARM, WEIGHT_DECAY = 2e-3, 200, 0.05
AVERAGE = 0.998
KIN, KIN_HEAT = 0.15, 0.07  # share of the target that goes to concepts whose texts are near, and how near
PLACE, SCALE = 0.7, 25.0  # weight of being nearest to the right text in the space, and what multiplies the cosines there
GROUP = 0.2  # weight of being nearest to the text of the right group
FAMILY = 0.4  # weight of naming the subgroup and the group right
DIRECTED = {"symbols", "flags"}  # groups in which a mirrored drawing means something else


class Data:
    """Training pictures by concept, and batches of them."""

    def __init__(self, work, generator):
        self.generator = generator
        rows = json.loads((work / "pictures.json").read_text())
        self.pixels = torch.from_numpy(numpy.load(work / "pictures.npy"))
        known = concepts.read(work)
        roles = {style.name: style for style in concepts.sources.STYLES}
        self.classes = [at for at, concept in enumerate(known) if not concept.held_out]
        number = {at: row for row, at in enumerate(self.classes)}
        used = [(at, row) for at, row in enumerate(rows) if roles[row["style"]].role == "train" and row["concept"] in number]
        self.row = torch.tensor([at for at, _ in used])
        self.label = torch.tensor([number[row["concept"]] for _, row in used])
        self.plain = torch.tensor([roles[row["style"]].plain for _, row in used])
        self.may_flip = torch.tensor([known[row["concept"]].group not in DIRECTED and "arrow" not in known[row["concept"]].name
                                      for _, row in used])
        count = torch.bincount(self.label, minlength=len(self.classes)).float()[self.label]
        self.weight = count.pow(-0.6) * torch.tensor([0.5 if row["toned"] else 1.0 for _, row in used])

    def batch(self, size):
        chosen = torch.multinomial(self.weight, size, generator=self.generator)
        return self.pixels[self.row[chosen]], self.label[chosen], self.plain[chosen], self.may_flip[chosen]


class Batches(torch.utils.data.IterableDataset):
    """Endless batches of pictures and labels, drawn in a process of their own."""

    def __init__(self, data, augment):
        self.data, self.augment = data, augment

    def __iter__(self):
        torch.set_num_threads(1)
        nothing = torch.full((NOTHING,), len(self.data.classes))
        while True:
            cutouts, labels, plain, may_flip = self.data.batch(BATCH - NOTHING)
            pictures = torch.cat([self.augment.pictures(cutouts, plain, may_flip), self.augment.nothing(NOTHING)])
            yield pictures, torch.cat([labels, nothing])


class Space:
    """The texts that pictures are to be near: of the classes and of the groups, and what the classes' shares weigh."""

    def __init__(self, work, classes):
        texts = numpy.load(work / "texts.npz")
        rows = [*classes, -1]
        self.spots = torch.from_numpy(spots_of(texts))[rows]
        self.places = torch.from_numpy(places(texts))[rows]
        nothing = torch.eye(self.spots.shape[1])[-1:]
        self.groups = torch.cat([functional.pad(torch.from_numpy(texts["groups"]), (0, 1)), nothing])
        self.group = torch.cat([torch.from_numpy(texts["group"])[classes], torch.tensor([len(texts["groups"])])])


def soft_targets(spots):
    """[classes + 1, classes + 1]: each concept's share of itself and of its kin, by the concepts' places."""
    near = torch.softmax(spots @ spots.T / KIN_HEAT, 1)
    near[-1] = torch.eye(len(near))[-1]
    return (1 - KIN) * torch.eye(len(near)) + KIN * near


def families(work, classes):
    """Which class belongs to which subgroup and group of CLDR, [classes + 1, families] of 0 and 1; nothing to its own."""
    known = concepts.read(work)
    own = [(known[at].subgroup, known[at].group + " at large") for at in classes] + [("nothing", "nothing at large")]
    names = sorted({name for pair in own for name in pair})
    return torch.tensor([[float(name in pair) for name in names] for pair in own])


def normalised(pictures):
    mean, std = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(STD).view(1, 3, 1, 1)
    return ((pictures - mean) / std).to(memory_format=torch.channels_last)


class Run:
    """A network in training, its averaged twin, and their state on disk."""

    def __init__(self, work, classes, families, space, name, origin):
        self.families, self.space = families, space
        self.path = work / f"{name}.pt"
        self.network = Trunk(classes + 1).to(memory_format=torch.channels_last)
        self.average = Trunk(classes + 1)
        self.average.load_state_dict(self.network.state_dict())
        decayed = [value for value in self.network.parameters() if value.dim() > 1]
        others = [value for value in self.network.parameters() if value.dim() <= 1]
        self.optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": WEIGHT_DECAY},
                                            {"params": others, "weight_decay": 0.0}], lr=RATE, betas=(0.9, 0.98))
        self.step = 0
        source = self.path if self.path.is_file() else origin and work / f"{origin}.pt"
        if source:
            state = torch.load(source)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = state["step"]

    def save(self):
        part = self.path.with_suffix(".part")
        torch.save({"network": self.network.state_dict(), "average": self.average.state_dict(),
                    "optimiser": self.optimiser.state_dict(), "step": self.step}, part)
        part.rename(self.path)

    @torch.no_grad()
    def follow(self):
        """Move the averaged weights a little towards the present ones."""
        share = min(AVERAGE, (self.step + 1) / (self.step + 20))
        for own, new in zip(self.average.state_dict().values(), self.network.state_dict().values()):
            if own.is_floating_point():
                own.lerp_(new, 1 - share)
            else:
                own.copy_(new)

    def learn(self, pictures, labels, targets, members, rate):
        """One step. `members` marks each picture's subgroup and group, whose probability is their classes' sum."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            logits, _ = self.network(normalised(pictures))
        logits = logits.float()
        shares = torch.softmax(logits, 1)
        right = shares @ self.families
        kinds = -(right.clamp_min(1e-8).log() * members).sum(1).mean()
        loss = functional.cross_entropy(logits, targets) + FAMILY * kinds
        meaning = SCALE * unit(shares @ self.space.places)
        loss = loss + PLACE * functional.cross_entropy(meaning @ self.space.spots.T, targets)
        loss = loss + GROUP * functional.cross_entropy(meaning @ self.space.groups.T, self.space.group[labels])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.follow()
        self.step += 1
        return loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=6300)
    parser.add_argument("--decay", type=int, default=2300)
    parser.add_argument("--from", dest="origin")
    parser.add_argument("--name", default="image")
    options = parser.parse_args()
    torch.manual_seed(1)
    generator = torch.Generator()
    data = Data(options.work, generator)
    space = Space(options.work, data.classes)
    run = Run(options.work, len(data.classes), families(options.work, data.classes), space, options.name, options.origin)
    generator.manual_seed(1000 + run.step)
    targets = soft_targets(space.spots)
    loader = torch.utils.data.DataLoader(Batches(data, Augment(generator)), batch_size=None, num_workers=1, prefetch_factor=4)
    start, total = time.time(), 0.0
    for pictures, labels in loader:
        left = min(1.0, (options.steps - run.step) / max(options.decay, 1))
        total += run.learn(pictures, labels, targets[labels], run.families[labels], RATE * min(1.0, (run.step + 1) / WARM) * left)
        if run.step % 100 == 0:
            print(f"step {run.step} loss {total / 100:.3f} {100 * BATCH / (time.time() - start):.0f} pictures/s", flush=True)
            start, total = time.time(), 0.0
        if run.step % 500 == 0 or run.step == options.steps:
            run.save()
        if run.step >= options.steps:
            break


if __name__ == "__main__":
    main()
