"""The audio tower as one graph: what kind of sound it is, what phones are heard, what they mean, and where that is in the space.

Output: [batch, SPACE + 1 + GAP + 2 * BINS + FOLD]. The first SPACE dimensions are MiniLM's; the next is nothing's, as the image tower has it; GAP
are that tower's alone; then comes what the sound sounds like, which no text has; the last FOLD are for doubt. Named sounds have the places of
their texts (ConSE, Norouzi et al., 2014). The surer the back is of speech, the less of it is doubt. Doubt is not nothing: pictures of which
the image tower is unsure would lie near it. And it is no one direction, or all speech would be near all other: it lies where the meaning
folded to FOLD dimensions lies, so that doubtful phrases are near each other as far as they mean the same.
"""

import torch
from torch import nn
from torch.nn import functional

from hearing_network import written
from kind_network import timbre
from voices import LONGEST

DOUBT = 0.35  # how much of the length that speech lacks is doubt
SHARP = 2.0  # what multiplies the logits of kinds, so that what is mostly one thing lies there and not between two
QUIET = 2.5  # added to nothing's logit after that, so that noises are nothing sooner than rain
SHARE = 0.97  # of the length is meaning, the rest is timbre
GAP = 320  # what pictures look like
FOLD = 128  # a third of SPACE


def folded(meant, signs):
    """[batch, SPACE] to [batch, FOLD], of length one; signs [SPACE / FOLD, FOLD] of 1 and -1. Dot products are kept, more or less (count
    sketch, Charikar et al., 2002)."""
    return functional.normalize((meant.reshape(-1, *signs.shape) * signs).sum(1))


def sounds_like(heard):
    """[batch, 2 * bins]: the mean and spread of each bin."""
    return torch.cat(timbre(heard)[2:], 1)


class Tower(nn.Module):
    def __init__(self, kind, front, meaning, spots, usual):
        super().__init__()
        self.kind, self.front, self.meaning = kind, front, meaning
        self.register_buffer("spots", spots)  # [sounds, SPACE]
        for name in ("numbers", "own"):  # so that they are stored beside the weights
            meaning.register_buffer(name, getattr(meaning, name))
        self.register_buffer("runs", meaning.weights().detach())  # as they are stored
        self.register_buffer("usual", usual)  # [2, 2 * BINS], the timbre of speech and of other sounds in the mean
        chance = torch.Generator().manual_seed(FOLD)
        self.register_buffer("signs", torch.randint(2, (spots.shape[1] // FOLD, FOLD), generator=chance).float() * 2 - 1)

    def read(self, phones, second, odds):
        """The back without its embedding bag, which ONNX does not have."""
        meaning = self.meaning

        def summed(numbers):
            known = (numbers > 0).to(torch.float32)[..., None]
            return (self.runs[numbers] * known).sum(2)

        return meaning.mean(meaning.read(phones, second, odds, summed), phones > 0)

    def forward(self, heard):
        logits = self.kind(heard) * SHARP
        logits = torch.cat([logits[:, :1], logits[:, 1:2] + QUIET, logits[:, 2:]], 1)
        shares = logits.softmax(1)
        state, near = self.front(heard)
        speech = self.read(*written(self.front.logits(state), near, LONGEST))
        length = speech.square().sum(1, keepdim=True)
        doubt = (1.0 - length).clamp(min=0.0).sqrt() * DOUBT
        meant = shares[:, :1] * speech + shares[:, 2:] @ self.spots
        unsure = shares[:, :1] * doubt * folded(speech, self.signs)
        meaning = functional.normalize(torch.cat([meant, shares[:, 1:2] + 1e-4, unsure], 1)) * SHARE
        usual = shares[:, :1] * self.usual[:1] + (1 - shares[:, :1]) * self.usual[1:]
        sound = functional.normalize(sounds_like(heard) - usual) * (1 - SHARE ** 2) ** 0.5
        return torch.cat([meaning[:, :-FOLD], torch.zeros_like(meant[:, :GAP]), sound, meaning[:, -FOLD:]], 1)
