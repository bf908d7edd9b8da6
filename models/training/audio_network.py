"""The audio tower as one graph: what kind of sound it is, what phones are heard, what they mean, and where that is in the space.

Output: [batch, SPACE + 1]. The first SPACE dimensions are MiniLM's; the last one is nothing's, as the image tower has it. Named sounds have
the places of their texts (ConSE, Norouzi et al., 2014). Speech is as near to nothing as the back is unsure.
"""

import torch
from torch import nn

from meaning_network import LONGEST

DOUBT = 1.0  # how much of the length that speech lacks goes to nothing
QUIET = 1.0  # added to nothing's logit


class Tower(nn.Module):
    def __init__(self, kind, front, meaning, spots):
        super().__init__()
        self.kind, self.front, self.meaning = kind, front, meaning
        self.register_buffer("spots", spots)  # [sounds, SPACE]

    def phones(self, heard):
        """[batch, LONGEST] int64: the likeliest path without its repetitions and blanks, 0 after the last phone."""
        state, near = self.front(heard)
        best = self.front.logits(state).argmax(2)
        before = torch.cat([torch.zeros_like(best[:, :1]), best[:, :-1]], 1)
        keep = (best != 0) & (best != before) & (near > 0)
        place = keep.to(torch.int64).cumsum(1) - 1
        place = torch.where(keep & (place < LONGEST), place, LONGEST)
        return torch.zeros(best.shape[0], LONGEST + 1, dtype=torch.int64).scatter(1, place, best)[:, :LONGEST]

    def read(self, phones):
        """The back without its embedding bag, which ONNX does not have."""
        meaning, numbers = self.meaning, self.meaning.look_up(phones)
        known = (numbers > 0).to(torch.float32)[..., None]
        return meaning.mean((meaning.runs(numbers) * known).sum(2), phones > 0)

    def forward(self, heard):
        logits = self.kind(heard)
        logits = torch.cat([logits[:, :1], logits[:, 1:2] + QUIET, logits[:, 2:]], 1)
        shares = logits.softmax(1)
        speech = self.read(self.phones(heard))
        length = speech.square().sum(1, keepdim=True)
        doubt = (1.0 - length).clamp(min=0.0).sqrt() * DOUBT
        meant = shares[:, :1] * speech + shares[:, 2:] @ self.spots
        return torch.cat([meant, shares[:, 1:2] + shares[:, :1] * doubt + 1e-4], 1)
