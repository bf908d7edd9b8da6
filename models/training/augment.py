"""What is done to the drawings before the network sees them: a batch of cut-outs becomes a batch of pictures.

Everything is drawn from one torch.Generator, so a run can be repeated. Colours are 0 to 1, pictures [batch, 3, SIDE, SIDE].
"""

import io
import math

import numpy
import torch
from PIL import Image
from torch.nn import functional

from network import SIDE


class Augment:
    """Places, colours, backgrounds, and damage; `hard` marks the pictures that get more than a little of it."""

    def __init__(self, generator, hard_share=0.5):
        self.generator, self.hard_share, self.hard = generator, hard_share, None

    def uniform(self, *shape, low=0.0, high=1.0):
        return torch.rand(*shape, generator=self.generator) * (high - low) + low

    def often(self, count, chance):
        """A mask [count, 1, 1, 1] that is 1 with this chance, among the hard ones."""
        return ((self.uniform(count) < chance) & self.hard).float().view(-1, 1, 1, 1)

    def placed(self, cutouts, may_flip):
        """Turn, scale, shear and move: premultiplied RGBA [batch, 4, SIDE, SIDE]."""
        count = len(cutouts)
        calm = ~self.hard
        angle = torch.where(calm, 0.1, 1.0) * torch.randn(count, generator=self.generator).clamp(-2, 2) * math.radians(14)
        scale = torch.where(calm, self.uniform(count, low=0.92, high=1.25), self.uniform(count, low=0.88, high=1.9))
        stretch = 1 + torch.where(calm, 0.0, 1.0) * self.uniform(count, low=-0.15, high=0.15)
        shear = torch.where(calm, 0.0, 1.0) * self.uniform(count, low=-0.15, high=0.15)
        flip = 1 - 2 * ((self.uniform(count) < 0.3) & may_flip).float()
        cosine, sine = torch.cos(angle), torch.sin(angle)
        room = (scale - 0.85).clamp_min(0.05)
        matrix = torch.stack([
            torch.stack([flip * scale * stretch * cosine, flip * scale * (shear * cosine - sine), flip * room * self.uniform(count, low=-1, high=1)], 1),
            torch.stack([scale * sine, scale / stretch * (cosine + shear * sine), room * self.uniform(count, low=-1, high=1)], 1),
        ], 1)
        grid = functional.affine_grid(matrix, (count, 4, SIDE, SIDE), align_corners=False)
        return functional.grid_sample(cutouts, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    def colour(self, paint, alpha):
        """Move hue, saturation, contrast and brightness, each picture by its own 3x3 matrix; sometimes to grey."""
        count = len(paint)
        hard = self.hard.view(-1, 1, 1)
        strength = self.uniform(count, 1, 1) ** 2 * torch.where(hard, 0.35, 0.12)
        matrix = torch.eye(3) + strength * torch.randn(count, 3, 3, generator=self.generator)
        grey = torch.tensor([0.299, 0.587, 0.114]).expand(3, 3)
        towards = torch.where((self.uniform(count, 1, 1) < 0.12) & hard, 1.0, self.uniform(count, 1, 1, low=-0.4, high=0.5))
        matrix = (1 - towards) * matrix + towards * grey
        contrast = self.uniform(count, 1, 1, 1, low=0.65, high=1.3)
        bright = self.uniform(count, 1, 1, 1, low=-0.12, high=0.12)
        moved = torch.einsum("bij,bjhw->bihw", matrix, paint)
        return ((moved - 0.5 * alpha) * contrast + (0.5 + bright) * alpha).clamp_min(0).minimum(alpha)

    def outlined(self, paint, alpha):
        """Sometimes draw the edges as lines, as outline styles do, with or without the colours between them."""
        count = len(paint)
        grey = paint.mean(1, keepdim=True) + (1 - alpha)
        edges = (functional.max_pool2d(grey, 3, 1, 1) + functional.max_pool2d(-grey, 3, 1, 1)).mul(3).clamp(0, 1)
        rim = functional.max_pool2d(alpha, 3, 1, 1)
        line = self.often(count, 0.3) * edges * rim
        paint = paint * (1 - line)
        alpha = torch.maximum(alpha, line)
        empty = self.often(count, 0.12) * (1 - line)
        return paint * (1 - empty) + empty * (alpha * self.uniform(count, 1, 1, 1, low=0.7)), alpha

    def background(self, count):
        """White, black, one colour, a slope between two, clouds."""
        first, second = self.uniform(count, 3, 1, 1), self.uniform(count, 3, 1, 1)
        angle = self.uniform(count, 1, 1, 1, high=2 * math.pi)
        line = torch.linspace(-1, 1, SIDE)
        slope = (torch.cos(angle) * line.view(1, 1, 1, -1) + torch.sin(angle) * line.view(1, 1, -1, 1)) / 2.9 + 0.5
        clouds = functional.interpolate(self.uniform(count, 3, 6, 6), size=(SIDE, SIDE), mode="bilinear")
        clouds = first + (clouds - 0.5) * self.uniform(count, 1, 1, 1, high=1.2)
        kind = (self.uniform(count) * torch.where(self.hard, 1.0, 0.5)).view(-1, 1, 1, 1)
        made = torch.where(kind < 0.70, first.expand(-1, -1, SIDE, SIDE), torch.where(kind < 0.84, first + (second - first) * slope, clouds))
        pale = self.uniform(count, 1, 1, 1, low=0.9).sqrt()
        return torch.where(kind < 0.40, pale, torch.where(kind < 0.47, 1 - pale, made)).clamp(0, 1)

    def recoloured(self, paint, alpha, behind, plain):
        """Draw one-colour drawings in black, white or any colour that stands out from what is behind."""
        count = len(paint)
        ink = self.uniform(count, 3, 1, 1) * (self.uniform(count, 1, 1, 1) < 0.5)
        light = behind.mean((1, 2, 3), keepdim=True)
        ink = torch.where((ink.mean(1, keepdim=True) - light).abs() < 0.3, torch.where(light > 0.5, 0.25 * ink, 1 - 0.25 * ink), ink)
        return torch.where(plain.view(-1, 1, 1, 1), ink * alpha, paint)

    def damaged(self, pictures):
        """Hide a corner, blur, add noise, compress."""
        count = len(pictures)
        places = torch.arange(SIDE)
        centre, size = self.uniform(2, count, 1, high=SIDE), self.uniform(2, count, 1, low=4, high=13)
        inside = (places - centre).abs() < size
        hidden = self.often(count, 0.15) * (inside[0].unsqueeze(1) & inside[1].unsqueeze(2)).unsqueeze(1).float()
        pictures = pictures * (1 - hidden) + hidden * self.uniform(count, 3, 1, 1)
        soft = functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)
        blur = self.often(count, 0.25) * self.uniform(count, 1, 1, 1)
        pictures = pictures * (1 - blur) + soft * blur
        for at in (self.uniform(count) < 0.3).nonzero().flatten().tolist():
            noise = torch.randn(pictures.shape[1:], generator=self.generator)
            pictures[at] = (pictures[at] + float(self.uniform(1, high=0.12)) * noise).clamp(0, 1)
        for at in (self.uniform(count) < 0.15).nonzero().flatten().tolist():
            pictures[at] = compressed(pictures[at], int(self.uniform(1, low=20, high=85)))
        return pictures

    def nothing(self, count):
        """Pictures of nothing: backgrounds, noise of several grains, stripes."""
        self.hard = torch.ones(count, dtype=torch.bool)
        grains = [functional.interpolate(self.uniform(count, 3, side, side), size=(SIDE, SIDE), mode=mode)
                  for side, mode in ((SIDE, "nearest"), (16, "nearest"), (24, "bilinear"), (8, "bicubic"))]
        line = torch.linspace(0, 1, SIDE).view(1, 1, -1, 1)
        waves = 0.5 + 0.5 * torch.sin(line * self.uniform(count, 1, 1, 1, low=5, high=120)).expand(-1, 3, -1, SIDE)
        waves = torch.where(self.uniform(count, 1, 1, 1) < 0.5, waves, waves.transpose(2, 3))
        choice = torch.stack([self.background(count), *grains, waves])
        kind = torch.randint(len(choice) + 2, (count,), generator=self.generator).remainder(len(choice))
        made = choice[kind, torch.arange(count)]
        made = torch.where(self.often(count, 0.3) > 0, made.mean(1, keepdim=True), made)
        depth = self.uniform(count, 1, 1, 1) ** 0.5
        return self.damaged(made * depth + (1 - depth) * self.uniform(count, 3, 1, 1))

    def pictures(self, cutouts, plain, may_flip):
        """Pictures of cut-outs [batch, side, side, 4] uint8, straight alpha."""
        count = len(cutouts)
        self.hard = self.uniform(count) < self.hard_share
        value = cutouts.permute(0, 3, 1, 2).float() / 255
        value = torch.cat([value[:, :3] * value[:, 3:], value[:, 3:]], 1)
        placed = self.placed(value, may_flip)
        paint, alpha = self.colour(placed[:, :3], placed[:, 3:]), placed[:, 3:].clone()
        behind, hard = self.background(count), self.hard.nonzero().flatten()
        self.hard = torch.ones(len(hard), dtype=torch.bool)
        paint[hard], alpha[hard] = self.outlined(paint[hard], alpha[hard])
        paint = self.recoloured(paint, alpha, behind, plain)
        made = (paint + behind * (1 - alpha)).clamp(0, 1)
        made[hard] = self.damaged(made[hard])
        return made


def compressed(picture, quality):
    """Through JPEG and back."""
    data = io.BytesIO()
    pixels = (picture.permute(1, 2, 0).numpy() * 255).astype(numpy.uint8)
    Image.fromarray(pixels).save(data, "JPEG", quality=quality)
    read = numpy.asarray(Image.open(data), dtype=numpy.float32) / 255
    return torch.from_numpy(read).permute(2, 0, 1)
