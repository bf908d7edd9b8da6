"""Drawings in a colour or of a material: a cut-out's own light and shade, in one colour, or filled with what wood, metal, gold, glass or
stone looks like. Made by rule; a picture's colour or material is known because it was put there.
"""

import math

import torch
from torch.nn import functional

from augment import Chance
from network import SIDE

COLOURS = {"red": (0.85, 0.12, 0.14), "orange": (0.97, 0.5, 0.05), "yellow": (0.98, 0.85, 0.15), "green": (0.2, 0.6, 0.2),
           "blue": (0.12, 0.35, 0.85), "purple": (0.5, 0.2, 0.7), "pink": (0.97, 0.55, 0.72), "brown": (0.45, 0.27, 0.13)}
MATERIALS = ["wooden", "golden", "metal", "glass", "stone"]
ATTRIBUTES = [*COLOURS, *MATERIALS]  # a last one, none, is what most drawings are


class Materials(Chance):
    """`dressed`: premultiplied cut-outs [batch, 4, SIDE, SIDE] and the numbers of their attributes to the same, so made."""

    def clouds(self, count, high, wide):
        """Smooth noise of this grain, [count, 1, SIDE, SIDE] of 0 to 1."""
        return functional.interpolate(self.uniform(count, 1, high, wide), size=(SIDE, SIDE), mode="bicubic").clamp(0, 1)

    def texture(self, name, count):
        """What the material looks like, [count, 3, SIDE, SIDE], and how much of it can be seen through, [count, 1, 1, 1]."""
        def tone(*rgb):
            return torch.tensor(rgb, device=self.device).view(1, 3, 1, 1) * self.uniform(count, 1, 1, 1, low=0.85, high=1.15)

        clear = torch.zeros(count, 1, 1, 1, device=self.device)
        line = torch.linspace(0, 1, SIDE, device=self.device).view(1, 1, -1, 1) + 0.15 * self.clouds(count, 3, 3)
        if name == "wooden":
            rings = 0.5 + 0.5 * torch.sin((line + 0.25 * self.clouds(count, 4, 3)) * self.uniform(count, 1, 1, 1, low=40, high=110))
            made = tone(0.72, 0.5, 0.3) * (0.72 + 0.28 * rings) * (0.9 + 0.2 * self.clouds(count, SIDE, 4))
        elif name in ("golden", "metal"):
            shine = 0.5 + 0.5 * torch.sin(line * self.uniform(count, 1, 1, 1, low=6, high=16) + self.uniform(count, 1, 1, 1, high=2 * math.pi))
            base = tone(0.85, 0.65, 0.15) if name == "golden" else tone(0.62, 0.65, 0.68)
            made = base * (0.6 + 0.4 * shine) + 0.35 * shine**6
        elif name == "glass":
            shine = (0.5 + 0.5 * torch.sin((line + line.transpose(2, 3)) * self.uniform(count, 1, 1, 1, low=5, high=9))) ** 4
            made = tone(0.75, 0.9, 0.97) * 0.8 + 0.4 * shine
            clear = self.uniform(count, 1, 1, 1, low=0.45, high=0.75)
        else:
            made = tone(0.55, 0.53, 0.5) * (0.55 + 0.4 * self.clouds(count, 24, 24) + 0.4 * self.clouds(count, SIDE, SIDE))
        return made.clamp(0, 1).expand(-1, 3, -1, -1), clear

    def dressed(self, cutouts, attributes):
        made = cutouts.clone()
        for number, name in enumerate(ATTRIBUTES):
            rows = (attributes == number).nonzero().flatten()
            if not len(rows):
                continue
            own, alpha = cutouts[rows], cutouts[rows, 3:]
            light = own[:, :3].mean(1, keepdim=True) / alpha.clamp_min(1e-3)
            low, high = [torch.quantile(light.flatten(1), at, 1).view(-1, 1, 1, 1) for at in (0.02, 0.98)]
            shade = torch.where(high - low > 0.15, (light - low) / (high - low).clamp_min(0.15), torch.full_like(light, 0.5)).clamp(0, 1)
            if name in COLOURS:
                ink = torch.tensor(COLOURS[name], device=self.device).view(1, 3, 1, 1) + 0.06 * self.normal(len(rows), 3, 1, 1)
                paint, clear = ink.clamp(0, 1) * (0.6 + 0.5 * shade) + 0.15 * shade**4, torch.zeros(1, device=self.device)
            else:
                paint, clear = self.texture(name, len(rows))
                paint = paint * (0.65 + 0.5 * shade)
            seen = alpha * (1 - clear)
            made[rows] = torch.cat([paint.clamp(0, 1) * seen, seen], 1)
        return made
