"""What pictures suffer on their way: softness, and JPEG's blocks. All in torch, many pictures at a time."""

import math

import torch
from torch.nn import functional

# Annex K of the JPEG standard (ITU-T T.81): quantisation of light, and of colour.
LIGHT = [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
         18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99]
COLOUR = [17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99] + 32 * [99]
YCC = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]


def softened(pictures, little, much):
    """A mixture with the means over 3x3 and over 5x5 pixels; the shares are [batch, 1, 1, 1]."""
    near = functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)
    far = functional.avg_pool2d(pictures, 5, 1, 2, count_include_pad=False)
    pictures = pictures * (1 - little) + near * little
    return pictures * (1 - much) + far * much


def waves(device):
    """The 8x8 discrete cosine transform, orthonormal."""
    row, place = torch.arange(8, device=device)[:, None], torch.arange(8, device=device)[None]
    made = torch.cos((2 * place + 1) * row * math.pi / 16) / 2
    made[0] /= math.sqrt(2)
    return made


def compressed(pictures, quality):
    """As JPEG of this quality [batch], 1 to 100, leaves pictures [batch, 3, side, side] of 0 to 1; side a multiple of 16."""
    if len(pictures) == 0:
        return pictures
    count, _, side, _ = pictures.shape
    device = pictures.device
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50).view(-1, 1, 1, 1, 1)
    turn, dct = torch.tensor(YCC, device=device), waves(device)
    value = torch.einsum("ij,bjhw->bihw", turn, pictures * 255)
    value[:, 0] -= 128
    small = functional.avg_pool2d(value[:, 1:], 2)
    made = []
    for part, table in ((value[:, :1], LIGHT), (small, COLOUR)):
        size = part.shape[2] // 8
        steps = (torch.tensor(table, device=device, dtype=torch.float32).view(8, 8) * scale).round().clamp(1, 255).unsqueeze(1)
        blocks = part.reshape(count, part.shape[1], size, 8, size, 8).permute(0, 1, 2, 4, 3, 5)
        turned = torch.round(dct @ blocks @ dct.T / steps) * steps
        made.append((dct.T @ turned @ dct).permute(0, 1, 2, 4, 3, 5).reshape(part.shape))
    value = torch.cat([made[0] + 128, functional.interpolate(made[1], scale_factor=2, mode="bilinear")], 1)
    return torch.einsum("ij,bjhw->bihw", torch.linalg.inv(turn), value).div(255).clamp(0, 1)
