"""The front of the audio tower: frames to phones, by convolutions over time, with nothing looped. What phones mean is not its business."""

import torch
from torch import nn
from torch.nn import functional

from hearing import BINS, RANGE

WIDTH = 320
DILATIONS = [1, 2, 1, 4, 1, 4, 1, 8]
PLANES = 32  # of the convolutions over time and frequency
STRIDE = 2


class Block(nn.Module):
    """A convolution over time, each of its outputs opened or shut by what the whole sound is like (squeeze and excitation, Hu et al., 2018)."""

    def __init__(self, width, dilation):
        super().__init__()
        self.convolution = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.squeezed, self.opened = nn.Linear(width, width // 8), nn.Linear(width // 8, width)
        self.dropout = nn.Dropout(0.05)

    def forward(self, state, near):
        new = functional.relu(self.norm(self.convolution(state)))
        middle = (new * near).sum(2) / (near.sum(2) + 1e-3)
        gate = torch.sigmoid(self.opened(functional.relu(self.squeezed(middle))))
        return state + self.dropout(new * gate[:, :, None])


class Front(nn.Module):
    """`forward`: [batch, bins, frames] as the extractor gives them to ([batch, WIDTH, steps], which steps hear something)."""

    def __init__(self, phones):
        super().__init__()
        # Over time and frequency first: a voice of another size has the same shapes elsewhere.
        self.shapes = nn.Conv2d(1, PLANES, (5, 5), stride=(2, STRIDE), padding=2, bias=False)
        self.shapes_norm = nn.BatchNorm2d(PLANES)
        self.larger = nn.Conv2d(PLANES, PLANES, (3, 3), stride=(2, 1), padding=1, bias=False)
        self.larger_norm = nn.BatchNorm2d(PLANES)
        self.third = nn.Conv2d(PLANES, PLANES, (3, 3), padding=1, bias=False)
        self.third_norm = nn.BatchNorm2d(PLANES)
        self.first = nn.Conv1d(PLANES * BINS // 4, WIDTH, 1, bias=False)
        self.context = nn.Linear(2 * BINS, WIDTH, bias=False)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.blocks = nn.ModuleList(Block(WIDTH, dilation) for dilation in DILATIONS)
        self.phones = nn.Conv1d(WIDTH, phones + 1, 1)

    def forward(self, heard):
        peak = heard.amax((1, 2), keepdim=True)
        level = heard - peak + RANGE / 2  # from -1 to 1, whatever the loudness
        there = (heard.amax(1, keepdim=True) > peak - RANGE + 0.01).to(heard.dtype)
        count = there.sum(2) + 1e-3
        mean = (level * there).sum(2) / count
        spread = (((level - mean[:, :, None]) * there).square().sum(2) / count + 1e-4).sqrt()
        state = functional.relu(self.shapes_norm(self.shapes(level[:, None])))
        state = functional.relu(self.larger_norm(self.larger(state)))
        state = state + functional.relu(self.third_norm(self.third(state)))
        state = self.first(state.flatten(1, 2)) + self.context(torch.cat([mean, spread], 1))[:, :, None]
        state = functional.relu(self.norm(state))
        # A step counts where a frame within 8 steps of it is above the floor.
        near = functional.max_pool1d(there, 17 * STRIDE - 1, STRIDE, 8 * STRIDE)[:, :, :state.shape[2]]
        for block in self.blocks:
            state = block(state, near)
        return state, near[:, 0]

    def logits(self, state):
        """[batch, steps, phones + 1]."""
        return self.phones(state).transpose(1, 2)


def written(logits, near, longest):
    """What is written down of [batch, steps, phones + 1]: the phones of the likeliest path [batch, longest] int64, 0 after the last;
    for each the phone that is second, 0 where none is; and how likely the two are, [batch, longest, 2]."""
    odds = logits.softmax(2)
    best = odds.argmax(2)
    before = torch.cat([torch.zeros_like(best[:, :1]), best[:, :-1]], 1)
    heard = (best != 0) & (near > 0)
    begins = heard & (best != before)
    place = begins.to(torch.int64).cumsum(1) - 1
    # Which steps each phone is made of, [batch, longest, steps]; a phone's odds are the mean of its steps'.
    own = ((place[:, None] == torch.arange(longest, device=best.device)[:, None]) & heard[:, None]).to(odds.dtype)
    mean = (own @ odds) / (own.sum(2, keepdim=True) + 1e-6)
    mean = torch.cat([torch.zeros_like(mean[:, :, :1]), mean[:, :, 1:]], 2)
    value, phone = mean.topk(2, 2)
    there = own.amax(2, keepdim=True).to(torch.int64)
    phone = phone * there
    return phone[:, :, 0], phone[:, :, 1], value * there
