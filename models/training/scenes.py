"""Scenes: several drawings in one picture, side by side, above one another or strewn, or one drawing several times.

A picture of several things is to lie between the places of their names, in equal shares; of several of one thing, at its name.
"""

import torch
from torch.nn import functional

from augment import Chance
from network import SIDE

MOST = 4
SHARE = 0.12  # of the pictures
# Where the things of a scene stand, as the middle of each, -1 to 1, and their size beside the whole picture.
ARRANGED = {2: [[(-0.5, 0.0), (0.5, 0.0)], [(0.0, -0.5), (0.0, 0.5)], [(-0.45, -0.45), (0.45, 0.45)], [(0.45, -0.45), (-0.45, 0.45)]],
            3: [[(-0.5, 0.45), (0.5, 0.45), (0.0, -0.45)], [(-0.66, 0.0), (0.0, 0.0), (0.66, 0.0)]],
            4: [[(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)]]}
SIZE = {2: 0.55, 3: 0.46, 4: 0.46}
SAME = 0.35  # chance that all things of a scene are one


class Scenes(Chance):
    """Makes some pictures of a batch into scenes."""

    def arranged(self, drawn):
        """`drawn` as Data.batch gives it, with `labels` [batch, MOST] and their `shares` for `label`. Some pictures are scenes."""
        count = len(drawn["label"])
        made = drawn | {"labels": drawn["label"].unsqueeze(1).repeat(1, MOST),
                        "shares": functional.one_hot(torch.zeros(count, dtype=torch.long, device=self.device), MOST).float()}
        chosen = (self.uniform(count) < SHARE).nonzero().flatten()
        start = 0
        for size, share in ((2, 0.6), (3, 0.2), (4, 0.2)):
            own = chosen[start:start + int(share * len(chosen))]
            start += len(own)
            if len(own):
                self.make(made, drawn, own, size)
        return made

    def make(self, made, drawn, rows, size):
        """Turn the pictures in these rows into scenes of `size` things."""
        others = torch.randint(len(drawn["label"]), (len(rows), size), generator=self.generator, device=self.device)
        others[:, 0] = rows
        same = self.uniform(len(rows)) < SAME
        others = torch.where(same.unsqueeze(1), rows.unsqueeze(1), others)
        kinds = ARRANGED[size]
        layouts = torch.tensor(kinds, device=self.device)[torch.randint(len(kinds), (len(rows),), generator=self.generator, device=self.device)]
        canvas = torch.zeros(len(rows), 4, SIDE, SIDE, device=self.device)
        for at in range(size):
            scale = SIZE[size] * self.uniform(len(rows), low=0.8, high=1.15)
            middle = layouts[:, at] + 0.1 * self.normal(len(rows), 2).clamp(-2, 2)
            zero = torch.zeros_like(scale)
            matrix = torch.stack([torch.stack([1 / scale, zero, -middle[:, 0] / scale], 1),
                                  torch.stack([zero, 1 / scale, -middle[:, 1] / scale], 1)], 1)
            grid = functional.affine_grid(matrix, canvas.shape, align_corners=False)
            smooth = functional.avg_pool2d(drawn["pixels"][others[:, at]], 2, 1, 0)
            thing = functional.grid_sample(smooth, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
            canvas = thing + canvas * (1 - thing[:, 3:])
        made["pixels"] = made["pixels"].index_copy(0, rows, canvas)
        made["labels"][rows, :size] = drawn["label"][others]
        made["shares"][rows] = functional.pad(torch.full((len(rows), size), 1 / size, device=self.device), (0, MOST - size))
        made["plain"] = made["plain"].index_copy(0, rows, drawn["plain"][others].all(1))
        made["may_flip"] = made["may_flip"].index_copy(0, rows, drawn["may_flip"][others].all(1))
        made["tint"] = made["tint"].index_copy(0, rows, torch.where(same.unsqueeze(1), drawn["tint"][rows], -1.0))
        made["shares"][rows[same]] = torch.tensor([1.0, 0.0, 0.0, 0.0], device=self.device)
