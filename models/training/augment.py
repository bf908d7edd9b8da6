"""What is done to the drawings before the network sees them: a batch of cut-outs becomes a batch of pictures.

Everything is drawn from one torch.Generator, on whose device all is computed. Colours are 0 to 1, pictures
[batch, 3, SIDE, SIDE]. Scenes of several drawings are in `scenes.py`, damage like JPEG's in `damage.py`.
"""

import math

import torch
from torch.nn import functional

from damage import compressed, softened
from network import SIDE


class Chance:
    """Random numbers of one generator, on its device."""

    def __init__(self, generator):
        self.generator, self.device = generator, generator.device

    def uniform(self, *shape, low=0.0, high=1.0):
        return torch.rand(*shape, generator=self.generator, device=self.device) * (high - low) + low

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator, device=self.device)


class Augment(Chance):
    """Places, colours, backgrounds, and damage; `hard` marks the pictures that get more than a little of it."""

    def __init__(self, generator, hard_share=0.6):
        super().__init__(generator)
        self.hard_share, self.hard = hard_share, None

    def often(self, count, chance):
        """A mask [count, 1, 1, 1] that is 1 with this chance, among the hard ones."""
        return ((self.uniform(count) < chance) & self.hard).float().view(-1, 1, 1, 1)

    def pick(self, calm, hard):
        """[count]: one value for the calm pictures, another for the hard ones."""
        return torch.where(self.hard, hard, calm)

    def placed(self, cutouts, may_flip):
        """Turn, scale, shear, move and bend: premultiplied RGBA [batch, 4, SIDE, SIDE]."""
        count = len(cutouts)
        angle = self.pick(0.1, 1.0) * self.normal(count).clamp(-2, 2) * math.radians(14)
        scale = self.pick(self.uniform(count, low=0.92, high=1.25), self.uniform(count, low=0.85, high=1.9))
        stretch = 1 + self.pick(0.0, 1.0) * self.uniform(count, low=-0.2, high=0.2)
        shear = self.pick(0.0, 1.0) * self.uniform(count, low=-0.15, high=0.15)
        flip = 1 - 2 * ((self.uniform(count) < 0.3) & may_flip).float()
        cosine, sine = torch.cos(angle), torch.sin(angle)
        room = (scale - 0.85).clamp_min(0.05)
        matrix = torch.stack([
            torch.stack([flip * scale * stretch * cosine, flip * scale * (shear * cosine - sine), flip * room * self.uniform(count, low=-1, high=1)], 1),
            torch.stack([scale * sine, scale / stretch * (cosine + shear * sine), room * self.uniform(count, low=-1, high=1)], 1),
        ], 1)
        grid = functional.affine_grid(matrix, (count, 4, SIDE, SIDE), align_corners=False)
        bend = functional.interpolate(self.normal(count, 2, 5, 5), size=(SIDE, SIDE), mode="bicubic", align_corners=True)
        depth = self.pick(0.01, 0.05) * self.uniform(count)
        grid = grid + (bend * depth.view(-1, 1, 1, 1)).permute(0, 2, 3, 1)
        return functional.grid_sample(cutouts, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    def colour(self, paint, alpha, named):
        """Move hue, saturation, contrast and brightness, each picture by its own 3x3 matrix; sometimes to grey or two colours. What has a
        colour in its name keeps it, more or less."""
        count, free = len(paint), self.hard
        self.hard = free & ~named
        strength = self.uniform(count) ** 2 * self.pick(0.12, 0.45)
        matrix = torch.eye(3, device=self.device) + strength.view(-1, 1, 1) * self.normal(count, 3, 3)
        grey = torch.tensor([0.299, 0.587, 0.114], device=self.device)
        draw = self.uniform(count)
        towards = torch.where((draw < 0.15) & self.hard, 1.0, self.uniform(count, low=-0.4, high=0.5)).view(-1, 1, 1)
        matrix = (1 - towards) * matrix + towards * grey.expand(3, 3)
        contrast = self.uniform(count, 1, 1, 1, low=0.65, high=1.3)
        bright = self.uniform(count, 1, 1, 1, low=-0.12, high=0.12)
        moved = torch.einsum("bij,bjhw->bihw", matrix, paint)
        moved = (moved - 0.5 * alpha) * contrast + (0.5 + bright) * alpha
        two = self.often(count, 0.07)
        light = torch.einsum("j,bjhw->bhw", grey, paint).unsqueeze(1)
        dark, pale = self.uniform(count, 3, 1, 1), self.uniform(count, 3, 1, 1)
        moved = moved * (1 - two) + two * (dark * (alpha - light) + pale * light)
        steps = 2 + torch.floor(self.uniform(count, 1, 1, 1) * 4)
        few = self.often(count, 0.12)
        moved = moved * (1 - few) + few * torch.round(moved * steps) / steps
        self.hard = free
        return moved.clamp_min(0).minimum(alpha)

    def outlined(self, paint, alpha):
        """Sometimes draw the edges as lines, as outline styles do, with or without the colours between them."""
        count = len(paint)
        grey = paint.mean(1, keepdim=True) + (1 - alpha)
        thin, thick = [(functional.max_pool2d(grey, size, 1, size // 2) + functional.max_pool2d(-grey, size, 1, size // 2), size)
                       for size in (3, 5)]
        broad = (self.uniform(count, 1, 1, 1) < 0.5).float()
        edges = (thin[0] * (1 - broad) + thick[0] * broad).mul(self.uniform(count, 1, 1, 1, low=2, high=5)).clamp(0, 1)
        rim = functional.max_pool2d(alpha, 5, 1, 2)
        line = self.often(count, 0.3) * edges * rim
        contour = self.often(count, 0.15) * (functional.max_pool2d(rim, 3, 1, 1) - alpha).clamp(0, 1)
        line = torch.maximum(line, contour)
        ink = self.uniform(count, 3, 1, 1) * (self.uniform(count, 1, 1, 1) < 0.25)
        alpha = torch.maximum(alpha, line)
        paint = paint * (1 - line) + ink * line
        empty = self.often(count, 0.12) * (1 - line)
        return paint * (1 - empty) + empty * (alpha * self.uniform(count, 1, 1, 1, low=0.7)), alpha

    def background(self, count):
        """White, black, one colour, a slope between two, clouds."""
        first, second = self.uniform(count, 3, 1, 1), self.uniform(count, 3, 1, 1)
        angle = self.uniform(count, 1, 1, 1, high=2 * math.pi)
        line = torch.linspace(-1, 1, SIDE, device=self.device)
        slope = (torch.cos(angle) * line.view(1, 1, 1, -1) + torch.sin(angle) * line.view(1, 1, -1, 1)) / 2.9 + 0.5
        clouds = functional.interpolate(self.uniform(count, 3, 6, 6), size=(SIDE, SIDE), mode="bilinear")
        clouds = first + (clouds - 0.5) * self.uniform(count, 1, 1, 1, high=1.2)
        kind = (self.uniform(count) * self.pick(0.5, 1.0)).view(-1, 1, 1, 1)
        made = torch.where(kind < 0.70, first.expand(-1, -1, SIDE, SIDE), torch.where(kind < 0.84, first + (second - first) * slope, clouds))
        pale = self.uniform(count, 1, 1, 1, low=0.9).sqrt()
        return torch.where(kind < 0.40, pale, torch.where(kind < 0.47, 1 - pale, made)).clamp(0, 1)

    def recoloured(self, paint, alpha, behind, plain, tint):
        """Draw one-colour drawings in black, white or any colour that stands out from what is behind; in their own where they have one."""
        count = len(paint)
        ink = self.uniform(count, 3, 1, 1) * (self.uniform(count, 1, 1, 1) < 0.5)
        light = behind.mean((1, 2, 3), keepdim=True)
        ink = torch.where((ink.mean(1, keepdim=True) - light).abs() < 0.3, torch.where(light > 0.5, 0.25 * ink, 1 - 0.25 * ink), ink)
        own = (tint + 0.15 * self.normal(count, 3)).clamp(0, 1).view(-1, 3, 1, 1)
        ink = torch.where((tint[:, 0] >= 0).view(-1, 1, 1, 1), own, ink)
        return torch.where(plain.view(-1, 1, 1, 1), ink * alpha, paint)

    def damaged(self, pictures):
        """Hide a corner, blur, add noise, compress."""
        count = len(pictures)
        places = torch.arange(SIDE, device=self.device)
        centre, size = self.uniform(2, count, 1, high=SIDE), self.uniform(2, count, 1, low=6, high=20)
        inside = (places - centre).abs() < size
        hidden = self.often(count, 0.15) * (inside[0].unsqueeze(1) & inside[1].unsqueeze(2)).unsqueeze(1).float()
        pictures = pictures * (1 - hidden) + hidden * self.uniform(count, 3, 1, 1)
        pictures = softened(pictures, self.often(count, 0.3) * self.uniform(count, 1, 1, 1), self.often(count, 0.15) * self.uniform(count, 1, 1, 1))
        noise = self.often(count, 0.3) * self.uniform(count, 1, 1, 1, high=0.12)
        pictures = (pictures + noise * self.normal(*pictures.shape)).clamp(0, 1)
        chosen = (self.uniform(count) < 0.2) & self.hard
        quality = self.uniform(count, low=20, high=85)
        pictures[chosen] = compressed(pictures[chosen], quality[chosen])
        return pictures

    def nothing(self, count):
        """Pictures of nothing: backgrounds, noise of several grains, stripes."""
        self.hard = torch.ones(count, dtype=torch.bool, device=self.device)
        grains = [functional.interpolate(self.uniform(count, 3, side, side), size=(SIDE, SIDE), mode=mode)
                  for side, mode in ((SIDE, "nearest"), (16, "nearest"), (24, "bilinear"), (8, "bicubic"))]
        line = torch.linspace(0, 1, SIDE, device=self.device).view(1, 1, -1, 1)
        waves = 0.5 + 0.5 * torch.sin(line * self.uniform(count, 1, 1, 1, low=5, high=120)).expand(-1, 3, -1, SIDE)
        waves = torch.where(self.uniform(count, 1, 1, 1) < 0.5, waves, waves.transpose(2, 3))
        choice = torch.stack([self.background(count), *grains, waves])
        kind = torch.randint(len(choice) + 2, (count,), generator=self.generator, device=self.device).remainder(len(choice))
        made = choice[kind, torch.arange(count, device=self.device)]
        made = torch.where(self.often(count, 0.3) > 0, made.mean(1, keepdim=True), made)
        depth = self.uniform(count, 1, 1, 1) ** 0.5
        return self.damaged((made * depth + (1 - depth) * self.uniform(count, 3, 1, 1)).clamp(0, 1))

    def pictures(self, cutouts, plain, may_flip, tint):
        """Pictures of cut-outs [batch, 4, SIDE, SIDE], premultiplied. `plain` marks drawings of one colour, `may_flip` those whose mirror
        image means the same, `tint` [batch, 3] is the colour in the concept's name, below 0 where it has none."""
        count = len(cutouts)
        self.hard = self.uniform(count) < self.hard_share
        placed = self.placed(cutouts, may_flip)
        alpha = placed[:, 3:].clone()
        paint, behind = self.colour(placed[:, :3], alpha, tint[:, 0] >= 0), self.background(count)
        paint, alpha = self.outlined(paint, alpha)
        paint = self.recoloured(paint, alpha, behind, plain, tint)
        return self.damaged((paint + behind * (1 - alpha)).clamp(0, 1))

    def calm(self, cutouts, may_flip):
        """Pictures of cut-outs in their own colours: only placed, put on a background, and damaged a little."""
        self.hard = self.uniform(len(cutouts)) < self.hard_share
        placed = self.placed(cutouts, may_flip)
        return self.damaged((placed[:, :3] + self.background(len(cutouts)) * (1 - placed[:, 3:])).clamp(0, 1))
