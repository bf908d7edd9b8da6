"""The back of the audio tower: a row of phones to a place in the space of texts. It is trained on texts alone, then on what the front hears.

Phones are read as runs (fastText's n-grams, Bojanowski et al., 2017): the commonest runs of one to four phones, and whole words. Each
known run that ends at a phone adds its vector there. Runs are found by their hashes in a table, so a graph can do it. Where the front
wavers between two phones, the runs of the second count as much as it is likely.
"""

import numpy
import torch
from torch import nn
from torch.nn import functional

from voices import LONGEST

LONGEST_RUN = 9
SLOTS = 1 << 17
FACTOR = 1_000_003
PRIME = (1 << 31) - 1
WIDTH, HEADS, INNER, POOLS, SPACE = 256, 4, 512, 4, 384
DOUBTS = 3  # phones of a row whose second reading is looked up, too
LEVELS = 7  # weights of runs are whole numbers from -LEVELS to LEVELS times a scale for each run: four bits


def hashes(phones):
    """[batch, length] int64 of phones to [batch, length, LONGEST_RUN]: the hash of each run that ends there, -1 where there is none."""
    made, rolling = [], torch.zeros_like(phones)
    for back in range(LONGEST_RUN):
        # The phone `back` places before; a run does not reach beyond the beginning.
        before = functional.pad(phones, (back, 0))[:, :phones.shape[1]] if back else phones
        rolling = (rolling * 64 + before) * FACTOR % PRIME
        alive = (before > 0) & (phones > 0) if back == 0 else alive & (before > 0)
        made.append(torch.where(alive, rolling, -1))
    return torch.stack(made, 2)


def run_hash(run):
    """The hash of one run, last phone first, as `hashes` has it."""
    value = 0
    for phone in run[::-1]:
        value = (value * 64 + int(phone)) * FACTOR % PRIME
    return value


def tables(runs):
    """Runs in the order of their worth to (SLOTS numbers of runs, from 1; what their hashes have beside the slot; how many). Of two in one
    slot the first stays."""
    numbers, own = numpy.zeros(SLOTS, dtype=numpy.int64), numpy.full(SLOTS, -2, dtype=numpy.int64)
    kept = 0
    for run in runs:
        value = run_hash(run)
        if numbers[value % SLOTS] == 0:
            kept += 1
            numbers[value % SLOTS], own[value % SLOTS] = kept, value // SLOTS
    return numbers, own, kept


def coarse(weights):
    """(whole numbers from -LEVELS to LEVELS, the scale of each row)."""
    scale = weights.abs().amax(1, keepdim=True).clamp(min=1e-6) * 0.8 / LEVELS
    return (weights / scale).round().clamp(-LEVELS, LEVELS), scale


class Meaning(nn.Module):
    """`forward`: what the front writes, [batch, SPACE]; its length says how sure it is.

    Phones, and which are second, are [batch, length] int64, 0 after the last; their odds are [batch, length, 2].
    """

    def __init__(self, numbers, own, rows):
        super().__init__()
        self.register_buffer("numbers", torch.as_tensor(numbers), persistent=False)
        self.register_buffer("own", torch.as_tensor(own), persistent=False)
        self.runs = nn.Embedding(rows + 1, WIDTH)
        nn.init.normal_(self.runs.weight, std=0.3)
        self.single = nn.Embedding(64, WIDTH)
        nn.init.normal_(self.single.weight, std=0.3)
        self.places = nn.Parameter(torch.randn(LONGEST, WIDTH) * 0.02)
        self.before, self.after = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mixed, self.joined = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.wide, self.narrow = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.last = nn.LayerNorm(WIDTH)
        self.scores = nn.Linear(WIDTH, POOLS)
        self.hidden, self.out = nn.Linear(POOLS * WIDTH, 768), nn.Linear(768, SPACE)
        self.dropout = nn.Dropout(0.1)

    def look_up(self, phones):
        found = hashes(phones)
        slots, beside = found.clamp(min=0) % SLOTS, torch.div(found.clamp(min=0), SLOTS, rounding_mode="floor")
        return torch.where((self.own[slots] == beside) & (found >= 0), self.numbers[slots], 0)

    def weights(self):
        """The vectors of the runs as they are stored; gradients go through as if they were not rounded."""
        whole, scale = coarse(self.runs.weight)
        return self.runs.weight + (whole * scale - self.runs.weight).detach()

    def summed(self, numbers, weights):
        """The sum of the vectors of each phone's runs, without making a tensor of all of them."""
        flat = functional.embedding_bag(numbers.reshape(-1, LONGEST_RUN), weights, mode="sum", padding_idx=0)
        return flat.reshape(*numbers.shape[:2], WIDTH)

    def read(self, phones, second, odds, summed):
        """[batch, length, WIDTH]. `summed` makes vectors of runs out of `look_up`."""
        total = summed(self.look_up(phones))
        state = total
        share = odds[:, :, 1] / (odds.sum(2) + 1e-6) * (second > 0).to(odds.dtype)
        most, where = share.topk(min(DOUBTS, phones.shape[1]), 1)
        for doubt in range(most.shape[1]):
            place = where[:, doubt:doubt + 1]
            other = phones.scatter(1, place, torch.where(most[:, doubt:doubt + 1] > 0, second.gather(1, place), phones.gather(1, place)))
            state = state + most[:, doubt, None, None] * (summed(self.look_up(other)) - total)
        return state + self.single(phones) * odds[:, :, :1] + self.single(second) * odds[:, :, 1:]

    def forward(self, phones, second, odds):
        weights = self.weights()
        return self.mean(self.read(phones, second, odds, lambda numbers: self.summed(numbers, weights)), phones > 0)

    def mean(self, state, there):
        batch, length = there.shape
        shut = (1.0 - there.to(torch.float32)) * -1e4
        state = state + self.places[:length]
        query, key, value = self.mixed(self.before(state)).reshape(batch, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query @ key.transpose(2, 3) * (WIDTH // HEADS) ** -0.5 + shut[:, None, None]).softmax(3)
        state = state + self.joined((weights @ value).transpose(1, 2).reshape(batch, length, WIDTH))
        state = state + self.narrow(functional.gelu(self.wide(self.after(state))))
        state = self.dropout(self.last(state))
        shares = (self.scores(state) + shut[:, :, None]).softmax(1)  # [batch, length, POOLS]
        pooled = (shares.transpose(1, 2) @ state).reshape(batch, POOLS * WIDTH)
        return self.out(self.dropout(functional.gelu(self.hidden(pooled))))
