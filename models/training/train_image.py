"""Train the image tower's trunk on drawings of known concepts, on a GPU where there is one.

usage: train_image.py WORK [--steps N] [--decay N] [--batch N] [--rate R] [--seconds N] [--from CHECKPOINT] [--name NAME]

WORK holds what render.py and texts.py wrote. The rate is steady and falls to nothing over the last DECAY steps; the
averaged weights are what counts. WORK/NAME.pt is the run's state, written every few minutes: a run that was stopped
goes on from it. --from starts from another run's state, so one steady run can be ended more than once. With --seconds the steps
are as many as go into that time, and the falling begins at the same share of them.
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
from scenes import MOST, Scenes
from sources import EMOJI, STYLES

NOTHING = 0.03  # share of pictures of nothing
WARM, WEIGHT_DECAY = 200, 0.05
AVERAGE = 0.998
KIN, KIN_HEAT = 0.15, 0.07  # share of the target that goes to concepts whose texts are near, and how near
PLACE, SCALE = 0.7, 25.0  # weight of being nearest to the right text in the space, and what multiplies the cosines there
GROUP = 0.2  # weight of being nearest to the text of the right group
FAMILY = 0.4  # weight of naming the subgroup and the group right
GENERAL = 0.5  # how often drawings of general icon sets are shown, beside those of emoji
DIRECTED = {"symbols", "flags"}  # groups in which a mirrored drawing means something else
SAVED = 60  # seconds between states on disk


def classes(work):
    """Numbers of the concepts that are trained on: all but the held-out ones."""
    known = concepts.read(work)
    count = len(known) + len(json.loads((work / "pictures.json").read_text())["words"])
    return [at for at in range(count) if at >= len(known) or not known[at].held_out]


class Data:
    """Training pictures by concept, and batches of them."""

    FIELDS = ("pixels", "label", "plain", "may_flip", "tint")

    def __init__(self, work, generator):
        self.generator, device = generator, generator.device
        rows = json.loads((work / "pictures.json").read_text())["rows"]
        known, roles = concepts.read(work), {style.name: style for style in STYLES}
        number = {at: row for row, at in enumerate(classes(work))}
        used = [(at, row) for at, row in enumerate(rows) if roles[row["style"]].role == "train" and row["concept"] in number]
        pixels = numpy.load(work / "pictures.npy", mmap_mode="r")
        self.pixels = torch.from_numpy(pixels[[at for at, _ in used]]).to(device)
        label = torch.tensor([number[row["concept"]] for _, row in used])
        self.plain = torch.tensor([roles[row["style"]].plain for _, row in used], device=device)
        directed = {at for at, concept in enumerate(known) if concept.group in DIRECTED or "arrow" in concept.name}
        self.may_flip = torch.tensor([row["concept"] not in directed for _, row in used], device=device)
        tint = [known[row["concept"]].tint if row["concept"] < len(known) else None for _, row in used]
        self.tint = torch.tensor([own or (-1.0, -1.0, -1.0) for own in tint], device=device)
        count = torch.bincount(label).float()[label]
        often = [(0.5 if row["toned"] else 1.0) * (1.0 if roles[row["style"]].kind == EMOJI else GENERAL) for _, row in used]
        self.label, self.weight = label.to(device), (count.pow(-0.6) * torch.tensor(often)).to(device)

    def batch(self, size):
        """A dictionary of FIELDS; the pixels premultiplied, [size, 4, side, side] of 0 to 1."""
        chosen = torch.multinomial(self.weight, size, replacement=True, generator=self.generator)
        made = {name: getattr(self, name)[chosen] for name in self.FIELDS}
        value = made["pixels"].permute(0, 3, 1, 2).float() / 255
        return made | {"pixels": torch.cat([value[:, :3] * value[:, 3:], value[:, 3:]], 1)}


class Space:
    """The texts that pictures are to be near: of the classes and of the groups, and what the classes' shares weigh."""

    def __init__(self, work, own, device):
        texts = numpy.load(work / "texts.npz")
        rows = [*own, -1]
        self.spots = torch.from_numpy(spots_of(texts))[rows].to(device)
        self.places = torch.from_numpy(places(texts))[rows].to(device)
        nothing = torch.eye(self.spots.shape[1])[-1:]
        self.groups = torch.cat([functional.pad(torch.from_numpy(texts["groups"]), (0, 1)), nothing]).to(device)
        self.group = torch.cat([torch.from_numpy(texts["group"])[own], torch.tensor([len(texts["groups"])])]).to(device)
        near = torch.softmax(self.spots @ self.spots.T / KIN_HEAT, 1)
        near[-1] = torch.eye(len(near), device=device)[-1]
        # [classes + 1, classes + 1]: each concept's share of itself and of its kin, by the concepts' places.
        self.targets = (1 - KIN) * torch.eye(len(near), device=device) + KIN * near


def families(work, own, device):
    """Which class belongs to which subgroup and group of CLDR, [classes + 1, families] of 0 and 1; nothing, and all that no emoji
    shows, to their own."""
    known = concepts.read(work)
    pairs = [(known[at].subgroup, known[at].group + " at large") if at < len(known) else ("beyond",) for at in own] + [("nothing",)]
    names = sorted({name for pair in pairs for name in pair})
    return torch.tensor([[float(name in pair) for name in names] for pair in pairs], device=device)


def normalised(pictures):
    mean, std = [torch.tensor(values, device=pictures.device).view(1, 3, 1, 1) for values in (MEAN, STD)]
    return ((pictures - mean) / std).to(memory_format=torch.channels_last)


class Run:
    """A network in training, its averaged twin, and their state on disk."""

    def __init__(self, path, families, space, origin, device):
        self.path, self.families, self.space, self.device = path, families, space, device
        self.network = Trunk(len(families)).to(device, memory_format=torch.channels_last)
        self.average = Trunk(len(families)).to(device)
        self.average.load_state_dict(self.network.state_dict())
        decayed = [value for value in self.network.parameters() if value.dim() > 1]
        others = [value for value in self.network.parameters() if value.dim() <= 1]
        self.optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": WEIGHT_DECAY},
                                            {"params": others, "weight_decay": 0.0}], lr=1e-3, betas=(0.9, 0.98))
        self.step = 0
        source = self.path if self.path.is_file() else origin
        if source:
            state = torch.load(source, map_location=device)
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
        pairs = [pair for pair in zip(self.average.state_dict().values(), self.network.state_dict().values()) if pair[0].is_floating_point()]
        torch._foreach_lerp_([own for own, _ in pairs], [new for _, new in pairs], 1 - share)

    def wanted(self, labels, shares):
        """What a picture of these concepts [batch, most], each with its share, is to give: concepts, families, and the group if one."""
        def mean(table):
            return (table[labels] * shares.unsqueeze(2)).sum(1)

        return mean(self.space.targets), mean(self.families), torch.where(shares[:, 0] > 0.99, self.space.group[labels[:, 0]], -1)

    def learn(self, pictures, labels, shares, rate):
        """One step; the loss, as a tensor."""
        targets, members, group = self.wanted(labels, shares)
        for parameters in self.optimiser.param_groups:
            parameters["lr"] = rate
        with torch.autocast(self.device.type, torch.bfloat16):
            logits, _ = self.network(normalised(pictures))
        logits = logits.float()
        odds = torch.softmax(logits, 1)
        right = odds @ self.families
        kinds = -(right.clamp_min(1e-8).log() * members).sum(1).mean()
        meaning = SCALE * unit(odds @ self.space.places)
        loss = functional.cross_entropy(logits, targets) + FAMILY * kinds
        loss = loss + PLACE * functional.cross_entropy(meaning @ self.space.spots.T, targets)
        loss = loss + GROUP * functional.cross_entropy(meaning @ self.space.groups.T, group, ignore_index=-1)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.follow()
        self.step += 1
        return loss.detach()


class Progress:
    """How far the run is, 0 to 1, by steps or by time, and the rate that goes with it."""

    def __init__(self, options):
        self.options, self.start = options, time.time()

    def done(self, step):
        if self.options.seconds:
            return (time.time() - self.start) / self.options.seconds
        return step / self.options.steps

    def rate(self, step):
        falling = max(self.options.decay / self.options.steps, 1e-6)
        return self.options.rate * min(1.0, (step + 1) / WARM) * min(1.0, max(0.0, 1 - self.done(step)) / falling)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--decay", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--from", dest="origin", type=pathlib.Path)
    parser.add_argument("--name", default="image")
    return parser.parse_args()


def main():
    options = parsed()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(1)
    generator = torch.Generator(device)
    own, data = classes(options.work), Data(options.work, generator)
    run = Run(options.work / f"{options.name}.pt", families(options.work, own, device), Space(options.work, own, device), options.origin, device)
    generator.manual_seed(1000 + run.step)
    augment, scenes, progress = Augment(generator), Scenes(generator), Progress(options)
    empty = max(1, int(NOTHING * options.batch))
    nothing = torch.full((empty, MOST), len(own), device=device)
    start, saved, total, begun = time.time(), time.time(), 0.0, run.step
    while progress.done(run.step) < 1:
        drawn = scenes.arranged(data.batch(options.batch - empty))
        pictures = augment.pictures(drawn["pixels"], drawn["plain"], drawn["may_flip"], drawn["tint"])
        labels, shares = torch.cat([drawn["labels"], nothing]), torch.cat([drawn["shares"], torch.full_like(nothing, 1, dtype=torch.float32) / MOST])
        total = total + run.learn(torch.cat([pictures, augment.nothing(empty)]), labels, shares, progress.rate(run.step))
        if run.step % 100 == 0:
            print(f"step {run.step} loss {float(total) / (run.step - begun):.3f} "
                  f"{(run.step - begun) * options.batch / (time.time() - start):.0f} pictures/s", flush=True)
            start, total, begun = time.time(), 0.0, run.step
        if time.time() - saved > SAVED:
            run.save()
            saved = time.time()
    run.save()


if __name__ == "__main__":
    main()
