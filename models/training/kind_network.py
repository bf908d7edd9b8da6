"""What a sound is: speech, nothing, or one of the named sounds. A small network of its own, beside the front that reads speech."""

import torch
from torch import nn
from torch.nn import functional

from hearing import BINS, RANGE


def timbre(heard):
    """The level of [batch, bins, frames] below its peak, [batch, 1, frames] whether there is sound above the floor, and
    the mean and spread of each bin over the frames that have some, [batch, bins] each."""
    peak = heard.amax((1, 2), keepdim=True)
    level = heard - peak + RANGE / 2
    there = (heard.amax(1, keepdim=True) > peak - RANGE + 0.01).to(heard.dtype)
    count = there.sum(2) + 1e-3
    mean = (level * there).sum(2) / count
    spread = (((level - mean[:, :, None]) * there).square().sum(2) / count + 1e-4).sqrt()
    return level, there, mean, spread


class Kind(nn.Module):
    """[batch, bins, frames] as the extractor gives them to logits [batch, 2 + sounds]: speech, nothing, the sounds."""

    def __init__(self, sounds):
        super().__init__()
        self.one = nn.Conv1d(BINS, 96, 5, stride=2, padding=2)
        self.two = nn.Conv1d(96, 96, 5, stride=2, padding=2)
        self.three = nn.Conv1d(96, 128, 5, stride=2, padding=2)
        self.hidden = nn.Linear(3 * 128 + 2 * BINS, 192)
        self.out = nn.Linear(192, 2 + sounds)
        self.dropout = nn.Dropout(0.2)

    def forward(self, heard):
        level, there, mean, spread = timbre(heard)
        state = functional.relu(self.one(level))
        state = functional.relu(self.two(state))
        state = functional.relu(self.three(state))
        own = functional.max_pool1d(there, 8, 8, ceil_mode=True)[:, :, :state.shape[2]]
        total = own.sum(2) + 1e-3
        middle = (state * own).sum(2) / total
        change = (((state - middle[:, :, None]) * own).square().sum(2) / total + 1e-4).sqrt()
        pooled = torch.cat([middle, change, (state * own).amax(2), mean, spread], 1)
        return self.out(self.dropout(functional.relu(self.hidden(self.dropout(pooled)))))
