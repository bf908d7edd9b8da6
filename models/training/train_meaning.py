"""Train the back of the audio tower: phones to where MiniLM puts the phrase.

usage: train_meaning.py WORK [--seconds N] [--rate R] [--heard FILE] [--start NAME] [--name NAME]

Phones are espeak-ng's, with phones changed, lost and added as a front would; with --heard (of hear_again.py) half of the phrases are
as the front wrote them. Writes WORK/NAME.pt with its runs.
"""

import argparse
import collections
import json
import pathlib
import time

import numpy
import torch
from torch.nn import functional

from meaning_network import LONGEST, LONGEST_RUN, Meaning, tables
from voices import NUMBER, PHONES, Espeak

SEED = 24
BATCH = 512
KEPT = {1: 40, 2: 1500, 3: 6500, 4: 4500}  # how many runs of each length
WORDS = 4600
KIN = ["p b", "t d θ", "k ɡ", "f v θ", "ð d v z", "s z", "ʃ ʒ tʃ", "tʃ dʒ ʃ", "m n ŋ", "l w ɹ", "i ɪ", "ɪ ɛ ə", "ɛ æ", "æ ɑ", "ɑ ɔ ʌ",
       "ʊ u", "ʌ ə ʊ", "ə ɪ ɚ", "ɚ ɹ", "eɪ ɛ", "aɪ ɑ ɔɪ", "aʊ oʊ", "oʊ ɔ ʊ", "h"]


def kin():
    """[phones + 1, phones + 1]: how likely a phone is taken for another."""
    odds = numpy.full((len(PHONES) + 1, len(PHONES) + 1), 0.02)
    for group in KIN:
        own = [NUMBER[phone] for phone in group.split()]
        odds[numpy.ix_(own, own)] += 1.0
    odds[:, 0] = 0
    numpy.fill_diagonal(odds, 0)
    return numpy.cumsum(odds / odds.sum(1, keepdims=True), 1)


ODDS = kin()


def misheard(phones, chance, most=0.5):
    """Phones with some changed, lost or added: up to the greatest share, in most phrases much fewer."""
    share = chance.random() ** 1.5 * most
    draw = chance.random(len(phones))
    changed = numpy.array([numpy.searchsorted(ODDS[phone], chance.random()) if one < share * 0.6 else phone
                           for phone, one in zip(phones, draw)], dtype=numpy.uint8)
    keep = ~((draw > share * 0.6) & (draw < share * 0.85))
    changed = changed[keep]
    places = numpy.flatnonzero(chance.random(len(changed)) < share * 0.15)
    return numpy.insert(changed, places, chance.integers(1, len(PHONES) + 1, len(places))) if len(places) else changed


def spelled(work, part):
    """The phones of a part's phrases, once."""
    path = work / f"phones-{part}.npz"
    if not path.exists():
        espeak = Espeak()
        rows = [espeak.phones(text)[:LONGEST] for text in json.loads((work / "phrases.json").read_text())[part]]
        numpy.savez(path, phones=numpy.concatenate(rows).astype(numpy.uint8), ends=numpy.cumsum([len(row) for row in rows]))
    data = numpy.load(path)
    return numpy.split(data["phones"], data["ends"][:-1])


def worthy(work, rows):
    """The runs to know: words first, then the commonest runs, short ones before long ones."""
    counts = collections.Counter()
    for row in rows:
        plain = row.tobytes()
        for length in KEPT:
            counts.update((length, plain[at:at + length]) for at in range(len(plain) - length + 1))
    chosen = []
    for length, kept in KEPT.items():
        own = [(count, run) for (size, run), count in counts.items() if size == length]
        chosen += [run for _, run in sorted(own, reverse=True)[:kept]]
    words = collections.Counter(word.lower() for text in json.loads((work / "phrases.json").read_text())["train"] for word in text.split())
    espeak, known, added = Espeak(), set(chosen), 0
    for word, _ in words.most_common():
        run = bytes(espeak.phones(word))
        if 4 <= len(run) <= LONGEST_RUN and run not in known:
            known.add(run)
            chosen.append(run)
            added += 1
        if added == WORDS:
            break
    return chosen


def restored(path):
    """(runs, network) of a file that this program wrote."""
    saved = torch.load(path, weights_only=False)
    runs = saved["runs"][:sum(KEPT.values()) + WORDS]
    net = Meaning(*tables(runs))
    state = net.state_dict() | {name: values for name, values in saved["state"].items() if name not in ("numbers", "own")}
    net.load_state_dict(state | {"runs.weight": state["runs.weight"][:len(net.runs.weight)]})
    return runs, net


def padded(rows):
    longest = min(max(len(row) for row in rows), LONGEST)
    batch = numpy.zeros((len(rows), longest), dtype=numpy.int64)
    for at, row in enumerate(rows):
        batch[at, :len(row)] = row[:longest]
    return torch.from_numpy(batch)


def ranks(made, right):
    scores = functional.normalize(made) @ right.T
    return (scores >= scores.diagonal()[:, None]).sum(1) - 1, scores


def measure(net, rows, vectors):
    net.eval()
    with torch.no_grad():
        made = net(padded(rows))
        place, scores = ranks(made, vectors)
    net.train()
    one, ten = [(place < depth).float().mean().item() for depth in (1, 10)]
    return f"@1 {one:.3f} @10 {ten:.3f} cosine {scores.diagonal().mean().item():.3f} length {made.norm(dim=1).mean().item():.3f}"


def loss_of(made, right):
    """How far from the right place, and how well it is told from the batch's other places."""
    scores = functional.normalize(made) @ right.T / 0.05
    # Phrases that nearly coincide are no mistakes.
    same = right @ right.T > 0.9
    same.fill_diagonal_(False)
    scores = scores.masked_fill(same, -1e4)
    return (made - right).square().sum(1).mean() + 0.15 * functional.cross_entropy(scores, torch.arange(len(made)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=900)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--heard")
    parser.add_argument("--start")
    parser.add_argument("--name", default="meaning")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    chance, work = numpy.random.default_rng(SEED), given.work
    rows, checks = spelled(work, "train"), spelled(work, "validation")
    vectors = numpy.concatenate([numpy.load(path) for path in sorted(work.glob("vectors-train-0*.npy")) if "part" not in path.name])
    rows, vectors = rows[:len(vectors)], torch.from_numpy(vectors)
    right = torch.from_numpy(numpy.load(work / "vectors-validation.npy")).float()
    heard, heard_phrase, heard_checks = [], numpy.zeros(0, dtype=int), None
    if given.heard:
        data = numpy.load(work / given.heard)
        heard, heard_phrase = numpy.split(data["phones"], data["ends"][:-1]), data["phrase"]
        heard_checks = numpy.split(data["check_phones"], data["check_ends"][:-1]), right[data["check_phrase"]]
    if given.start:
        runs, net = restored(work / f"{given.start}.pt")
    else:
        runs = worthy(work, rows)
        net = Meaning(*tables(runs))
    print(len(rows), "phrases", len(runs), "runs", sum(value.numel() for value in net.parameters()), "weights", flush=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=given.rate, weight_decay=0.01, betas=(0.9, 0.98))
    began, step, total, used = time.process_time(), 0, 0.0, 0.0
    lengths = numpy.array([len(row) for row in rows])
    while used < 1:
        order = numpy.argsort(lengths * chance.uniform(0.7, 1.4, len(rows)))
        groups = [order[start:start + BATCH] for start in range(0, len(order) - BATCH + 1, BATCH)]
        for at in chance.permutation(len(groups)):
            used = (time.process_time() - began) / given.seconds
            for group in optimizer.param_groups:
                group["lr"] = given.rate * min(1, (step + 1) / 100) * max(0.005, min(1, (1 - used) / 0.8))
            own = groups[at]
            phones, targets = [misheard(rows[row], chance) for row in own], own
            if len(heard):
                more = chance.integers(0, len(heard), BATCH // 2)
                more = more[[heard_phrase[row] < len(vectors) for row in more]]
                phones = phones[:BATCH // 2] + [heard[row] for row in more]
                targets = numpy.concatenate([own[:BATCH // 2], heard_phrase[more]])
            phones = padded([row if len(row) else numpy.ones(1, dtype=numpy.uint8) for row in phones])
            summed = net.summed(net.look_up(phones))
            with torch.autocast("cpu", torch.bfloat16):
                made = net.mean(summed, phones > 0)
            loss = loss_of(made.float(), vectors[targets].float())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            step, total = step + 1, total + loss.item()
            if step % 50 == 0:
                wrong = [misheard(row, numpy.random.default_rng(at)) for at, row in enumerate(checks)]
                print(f"{step} {used:.2f} loss {total / 50:.3f}; right {measure(net, checks, right)}; misheard {measure(net, wrong, right)}"
                      + (f"; heard {measure(net, *heard_checks)}" if heard_checks else ""), flush=True)
                total = 0.0
                torch.save({"runs": runs, "state": net.state_dict()}, work / f"{given.name}.pt")
            if used >= 1:
                break
    torch.save({"runs": runs, "state": net.state_dict()}, work / f"{given.name}.pt")


if __name__ == "__main__":
    main()
