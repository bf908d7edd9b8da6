"""Train the back of the audio tower: phones to where MiniLM puts the phrase.

usage: train_meaning.py WORK [--seconds N] [--rate R] [--batch N] [--heard FILE] [--start NAME] [--name NAME]

Phones are espeak-ng's, changed, lost and added as a front would; with --heard (of hear_again.py) half of the phrases are as the front
wrote them. Writes WORK/NAME.pt with its runs every 30 seconds (float16). It runs on a GPU where there is one.
"""

import argparse
import json
import pathlib
import time

import numpy
import torch
from torch.nn import functional

from meaning_network import Meaning, tables
from mishearing import certain, kin, misheard
from runs import worthy
from spell import spelled
from spoken import device
from train_hearing import share_of_rate
from voices import LONGEST

SEED = 24
NAMES = 0.2  # of the phrases that a run over all texts sees are names and keywords
CONTRAST, WARMTH = 0.15, 0.05  # weight of being told from the batch's other places, and its temperature


class Rows:
    """Rows of phones, as `Meaning` takes them, on the device. `second` and `odds` may be missing."""

    def __init__(self, phones, lengths, place, second=None, odds=None):
        self.lengths = numpy.minimum(lengths, LONGEST)
        width, total = int(self.lengths.max()), numpy.cumsum(lengths)
        rows = numpy.repeat(numpy.arange(len(lengths)), lengths)
        at = numpy.arange(len(phones)) - numpy.repeat(total - lengths, lengths)
        keep = at < width

        def table(values):
            made = numpy.zeros((len(lengths), width, *values.shape[1:]), dtype=numpy.uint8)
            made[rows[keep], at[keep]] = values[keep]
            return torch.as_tensor(made, device=place)

        self.phones = table(phones)
        self.second, self.odds = (None, None) if second is None else (table(second), table(odds))

    def __len__(self):
        return len(self.lengths)

    def of(self, rows):
        """Phones, and second and odds where there are some, cut behind the longest."""
        there, longest = torch.as_tensor(rows, device=self.phones.device), max(int(self.lengths[rows].max()), 1)
        phones = self.phones[there, :longest].long()
        if self.second is None:
            return certain(phones)
        return phones, self.second[there, :longest].long(), self.odds[there, :longest].float() / 255


def heard_rows(path, place):
    """(what the front wrote of `train`, the phrases, the same of `validation`)."""
    data, made = numpy.load(path), []
    for kind in ("", "check_"):
        lengths = numpy.diff(data[f"{kind}ends"], prepend=0)
        made += [Rows(data[f"{kind}phones"], lengths, place, data[f"{kind}second"], data[f"{kind}odds"]), data[f"{kind}phrase"]]
    return made


def restored(path):
    """(runs, network) of a file that this program wrote."""
    saved = torch.load(path, weights_only=False, map_location="cpu")
    net = Meaning(*tables(saved["runs"]))
    net.load_state_dict({name: values.float() for name, values in saved["state"].items()})
    return saved["runs"], net


def save(runs, net, path):
    halves = {name: values.half().cpu() for name, values in net.state_dict().items()}
    torch.save({"runs": runs, "state": halves}, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def told(made, right):
    """Measures of places made for phrases, against where they should be."""
    scores = functional.normalize(made) @ right.T
    own = scores.diagonal()
    place = (scores >= own[:, None]).sum(1) - 1
    one, ten = [(place < depth).float().mean().item() for depth in (1, 10)]
    return f"@1 {one:.3f} @10 {ten:.3f} cosine {own.mean().item():.3f} length {made.norm(dim=1).mean().item():.3f}"


def measure(net, checks):
    """One line of all checks: {what: (phones, second, odds, vectors)}."""
    net.eval()
    with torch.no_grad():
        line = "; ".join(f"{what} {told(net(*given), right)}" for what, (*given, right) in checks.items())
    net.train()
    return line


def loss_of(made, right):
    """How far from the right place, and how well it is told from the batch's other places."""
    scores = functional.normalize(made) @ right.T / WARMTH
    # Phrases that nearly coincide are no mistakes.
    same = right @ right.T > 0.9
    same.fill_diagonal_(False)
    scores = scores.masked_fill(same, -1e4)
    return (made - right).square().sum(1).mean() + CONTRAST * functional.cross_entropy(scores, torch.arange(len(made), device=made.device))


def longer(one, more):
    """Two batches as one, the shorter rows filled up."""
    length = max(one[0].shape[1], more[0].shape[1])
    fill = [functional.pad(values, (*(0, 0) * (values.dim() - 2), 0, length - values.shape[1])) for pair in zip(one, more) for values in pair]
    return [torch.cat(fill[at:at + 2]) for at in range(0, len(fill), 2)]


def batches(lengths, names, size, chance):
    """Rows in batches of like lengths, each with its place in the order of lengths from 0 to 1; names more often than others."""
    again = int(NAMES / (1 - NAMES) * len(lengths) / max(len(names), 1))
    rows = numpy.concatenate([numpy.arange(len(lengths)), numpy.tile(names, again)]) if len(names) else numpy.arange(len(lengths))
    rows = rows[numpy.argsort(lengths[rows] * chance.uniform(0.7, 1.4, len(rows)))]
    count = max(len(rows) // size, 1)
    for at in chance.permutation(count):
        yield rows[at * size:(at + 1) * size], at / count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, help="phrases; 512 on a CPU and 2,048 on a GPU where it is not given")
    parser.add_argument("--heard")
    parser.add_argument("--start")
    parser.add_argument("--name", default="meaning")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    chance, work, place = numpy.random.default_rng(SEED), given.work, device()
    size = given.batch or (2048 if place.type == "cuda" else 512)
    texts = json.loads((work / "phrases.json").read_text())
    rows, checked = Rows(*spelled(work, "train"), place), Rows(*spelled(work, "validation"), place)
    names = numpy.array(texts["names"])
    vectors, right = [torch.as_tensor(numpy.load(work / f"vectors-{part}.npy"), device=place) for part in ("train", "validation")]
    odds, right = kin().to(place), right.float()
    everything = checked.of(numpy.arange(len(checked)))
    checks = {"right": (*everything, right), "misheard": (*misheard(everything[0], odds), right)}
    if given.heard:
        heard, phrase, again, again_phrase = heard_rows(work / given.heard, place)
        checks["heard"] = (*again.of(numpy.arange(len(again))), right[torch.as_tensor(again_phrase, device=place)])
        by_length = numpy.argsort(heard.lengths * chance.uniform(0.7, 1.4, len(heard)))
    runs, net = restored(work / f"{given.start}.pt") if given.start else (worthy(work), None)
    net = (net or Meaning(*tables(runs))).to(place)
    print(len(rows), "phrases", len(runs), "runs", sum(value.numel() for value in net.parameters()), "weights", flush=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=given.rate, weight_decay=0.01, betas=(0.9, 0.98))
    began, said, step, total, since, used = time.time(), time.time(), 0, torch.zeros((), device=place), 0, 0.0
    while used < 1:
        for own, at in batches(rows.lengths, names, size // 2 if given.heard else size, chance):
            used = (time.time() - began) / given.seconds
            for group in optimizer.param_groups:
                group["lr"] = given.rate * share_of_rate(min(used, 1))
            batch = misheard(rows.of(own)[0], odds)
            if given.heard:
                start = min(int(at * len(heard)), max(len(heard) - size // 2, 0))
                more = by_length[start:start + size // 2]
                batch, own = longer(batch, heard.of(more)), numpy.concatenate([own, phrase[more]])
            weights = net.weights()
            state = net.read(*batch, lambda numbers: net.summed(numbers, weights))
            with torch.autocast(place.type, torch.bfloat16):
                made = net.mean(state, batch[0] > 0)
            loss = loss_of(made.float(), vectors[torch.as_tensor(own, device=place)].float())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            step, total, since = step + 1, total + loss.detach(), since + 1
            if time.time() - said > 30 or used >= 1:
                print(f"{step} steps, {time.time() - began:.0f} s, loss {total.item() / since:.3f}; {measure(net, checks)}", flush=True)
                save(runs, net, work / f"{given.name}.pt")
                said, total, since = time.time(), torch.zeros((), device=place), 0
            if used >= 1:
                break


if __name__ == "__main__":
    main()
