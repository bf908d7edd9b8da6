"""The image tower: a small residual network that says which concepts a picture may show, and their place in the space.

The space is reached as in ConSE (Norouzi et al., 2014, "Zero-shot learning by convex combination of semantic
embeddings"): the probabilities of the concepts weigh the text embeddings of the concepts. A last "concept", nothing,
has a dimension of its own beside the 384 of the text tower, so a picture of nothing is at right angles to every text.

The mean of unit vectors is shorter than one where the network is in doubt. It is stretched to a set length; the rest
goes to what the picture looks like, in dimensions that no text uses, so that among pictures of equal meaning those that
look alike are nearer.
"""

import math

import torch
from torch import nn
from torch.nn import functional

SIDE = 96
MARGIN = 6  # what the second look at a picture leaves out on each side
SPACE = 385  # the text tower's 384 and nothing's own
LOOKS = 320
MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)
WIDTHS = (40, 96, 192, 320)
EARLY = 2 * sum(WIDTHS[:3])


def block(inside, outside, stride=1):
    return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside))


def unit(value):
    """Each row over its length."""
    return value / (value * value).sum(1, keepdim=True).clamp_min(1e-6).sqrt()


class Excite(nn.Module):
    """Weighs the channels by what the whole picture has of them (Hu et al., 2018, "Squeeze-and-excitation networks")."""

    def __init__(self, width):
        super().__init__()
        self.squeeze, self.excite = nn.Linear(width, width // 4), nn.Linear(width // 4, width)

    def forward(self, value):
        share = torch.sigmoid(self.excite(torch.relu(self.squeeze(value.mean((2, 3))))))
        return value * share[:, :, None, None]


class Residual(nn.Module):
    """Two 3x3 convolutions, weighed by channel, with the input added."""

    def __init__(self, width):
        super().__init__()
        self.first, self.second, self.excite = block(width, width), block(width, width), Excite(width)

    def forward(self, value):
        return torch.relu(value + self.excite(self.second(torch.relu(self.first(value)))))


class Stage(nn.Module):
    """Half the side, then residual blocks."""

    def __init__(self, inside, outside, count):
        super().__init__()
        self.down = block(inside, outside, stride=2)
        self.blocks = nn.Sequential(*[Residual(outside) for _ in range(count)])

    def forward(self, value):
        return self.blocks(torch.relu(self.down(value)))


class Trunk(nn.Module):
    """pixel_values [batch, 3, SIDE, SIDE] -> logits [batch, classes], of which the last is nothing, and looks [batch, LOOKS]."""

    def __init__(self, classes, widths=WIDTHS, blocks=(0, 1, 3, 2)):
        super().__init__()
        stages = [Stage(inside, outside, count) for inside, outside, count in zip((3, *widths), widths, blocks)]
        self.stages = nn.Sequential(*stages)
        self.looks = nn.Sequential(nn.Linear(2 * widths[-1], LOOKS, bias=False), nn.BatchNorm1d(LOOKS))
        self.drop = nn.Dropout(0.2)
        self.concepts = nn.Linear(LOOKS, classes)

    def everything(self, pixels):
        """(logits, looks, early [batch, EARLY]: mean and greatest of what the first three stages see, where colours and textures still are)."""
        early = []
        for stage in self.stages[:3]:
            pixels = stage(pixels)
            early += [pixels.mean((2, 3)), pixels.amax((2, 3))]
        maps = self.stages[3](pixels)
        looks = self.looks(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1))
        return self.concepts(self.drop(torch.relu(looks))), looks, torch.cat(early, 1)

    def forward(self, pixels):
        return self.everything(pixels)[:2]


class Attributes(nn.Module):
    """What the first stages see -> logits of the colours and materials, of which the last is none."""

    def __init__(self, count):
        super().__init__()
        self.norm, self.hidden, self.out = nn.BatchNorm1d(EARLY), nn.Linear(EARLY, 128), nn.Linear(128, count)
        self.drop = nn.Dropout(0.3)

    def forward(self, seen):
        return self.out(self.drop(torch.relu(self.hidden(self.drop(self.norm(seen))))))


class Tower(nn.Module):
    """The trunk and the concepts' places: pixel_values -> image_embeds [batch, SPACE + LOOKS] of length one.

    The trunk sees the picture and, since drawings have margins of unlike width, its middle made larger. `share`, below
    one, is the length of the part that texts see. A colour or material moves the place the way its word moves a text,
    `ways` [attributes, SPACE].
    """

    def __init__(self, trunk, places, share, attributes, ways):
        super().__init__()
        self.trunk, self.share, self.attributes = trunk, share, attributes
        self.register_buffer("places", places)
        self.register_buffer("ways", ways)

    def forward(self, pixel_values):
        middle = pixel_values[:, :, MARGIN:SIDE - MARGIN, MARGIN:SIDE - MARGIN]
        middle = functional.interpolate(middle, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        logits, looks, early = self.trunk.everything(torch.cat([pixel_values, middle]))
        shares = torch.softmax(logits.view(2, -1, logits.shape[1]).mean(0), 1)
        looks = looks.view(2, -1, LOOKS).mean(0)
        dressed = torch.softmax(self.attributes(early.view(2, -1, EARLY)[0]), 1)[:, :-1] @ self.ways
        meaning = unit(unit(shares @ self.places) + (1 - shares[:, -1:]) * dressed)
        return torch.cat([self.share * meaning, math.sqrt(1 - self.share**2) * unit(looks)], 1)
