"""What the towers are measured on: pictures in styles of which nothing was trained on, plain and spoiled, and pictures
of nothing. All from fixed seeds.
"""

import dataclasses
import io

import numpy
from PIL import Image, ImageFilter

import concepts
import sources
from drawing import picture

DRAWN, FRAME = 160, 176


@dataclasses.dataclass
class Pictures:
    """Pictures of one style and the concepts that they show, one picture a concept."""

    concepts: numpy.ndarray
    images: list


def style(work, known, name, role):
    """One drawing of each concept in the style, on white with a narrow margin."""
    sets = {found.name: icons for found, icons, _ in concepts.icon_sets(work)}
    chosen = {}
    for own, icon, concept, toned in concepts.drawings(work, known):
        if own.name == name and own.role == role and not toned:
            chosen.setdefault(concept, icon)
    images = []
    for concept in sorted(chosen):
        icons = sets[name]
        entry = icons["icons"][chosen[concept]]
        images.append(picture(entry["body"], icons, entry, DRAWN))
    return Pictures(numpy.array(sorted(chosen)), images)


def on_white(cutout):
    """The drawing in the middle of a white square."""
    page = Image.new("RGB", (FRAME, FRAME), "white")
    page.paste(cutout, ((FRAME - DRAWN) // 2, (FRAME - DRAWN) // 2), cutout)
    return page


def spoiled(cutout, random):
    """Turned, of another size and place, on a coloured slope, blurred, noisy, and through JPEG."""
    side = int(random.integers(100, 161))
    turned = cutout.resize((side, side), Image.Resampling.BICUBIC).rotate(random.uniform(-20, 20), Image.Resampling.BICUBIC)
    ends = random.uniform(60, 255, (2, 3))
    slope = numpy.linspace(0, 1, FRAME)[:, None, None]
    page = Image.fromarray(numpy.broadcast_to(ends[0] + (ends[1] - ends[0]) * slope, (FRAME, FRAME, 3)).astype(numpy.uint8))
    page.paste(turned, tuple(int(at) for at in random.integers(0, FRAME - side + 1, 2)), turned)
    page = page.filter(ImageFilter.GaussianBlur(random.uniform(0, 1.5)))
    noisy = numpy.asarray(page, dtype=numpy.float32) + random.normal(0, random.uniform(0, 16), (FRAME, FRAME, 3))
    data = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(numpy.uint8)).save(data, "JPEG", quality=int(random.integers(30, 90)))
    return Image.open(data).convert("RGB")


def pairs(found, random, count=1000):
    """Two drawings side by side on white: ([count, 2] rows of `found`, the pictures)."""
    rows, images = random.integers(0, len(found.images), (count, 2)), []
    for left, right in rows:
        page = Image.new("RGB", (2 * FRAME, 2 * FRAME), "white")
        for at, row in enumerate((left, right)):
            page.paste(found.images[row], (at * FRAME + (FRAME - DRAWN) // 2, FRAME - DRAWN // 2), found.images[row])
        images.append(page)
    return rows, images


def nothing(random, count=200):
    """Blank pictures of one colour, noise of several grains, slopes."""
    made = []
    for at in range(count):
        kind = at % 4
        if kind == 0:
            pixels = numpy.broadcast_to(random.integers(0, 256, 3), (FRAME, FRAME, 3))
        elif kind == 1:
            pixels = random.integers(0, 256, (FRAME, FRAME, 3))
        elif kind == 2:
            grain = int(random.integers(2, 24))
            small = random.integers(0, 256, (FRAME // grain + 1, FRAME // grain + 1, 3))
            pixels = small.repeat(grain, 0).repeat(grain, 1)[:FRAME, :FRAME]
        else:
            ends = random.uniform(0, 255, (2, 3))
            pixels = numpy.broadcast_to(ends[0] + (ends[1] - ends[0]) * numpy.linspace(0, 1, FRAME)[:, None, None], (FRAME, FRAME, 3))
        made.append(Image.fromarray(pixels.astype(numpy.uint8)))
    return made
