"""The front of the audio tower: frames to phones, by convolutions over time, with nothing looped. What phones mean is not its business."""

import torch
from torch import nn
from torch.nn import functional

from hearing import BINS, RANGE

WIDTH = 224
DILATIONS = [1, 2, 1, 4, 1, 4, 1, 8]
STRIDE = 2


class Block(nn.Module):
    def __init__(self, width, dilation):
        super().__init__()
        self.convolution = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, state):
        return state + functional.relu(self.norm(self.convolution(state)))


class Front(nn.Module):
    """`forward`: [batch, bins, frames] as the extractor gives them to ([batch, WIDTH, steps], which steps hear something)."""

    def __init__(self, phones):
        super().__init__()
        self.first = nn.Conv1d(BINS, WIDTH, 5, stride=STRIDE, padding=2, bias=False)
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
        state = self.first(level) + self.context(torch.cat([mean, spread], 1))[:, :, None]
        state = functional.relu(self.norm(state))
        for block in self.blocks:
            state = block(state)
        # A step counts where a frame within 8 steps of it is above the floor.
        near = functional.max_pool1d(there, 17 * STRIDE - 1, STRIDE, 8 * STRIDE)[:, 0]
        return state, near[:, :state.shape[2]]

    def logits(self, state):
        """[batch, steps, phones + 1]."""
        return self.phones(state).transpose(1, 2)
