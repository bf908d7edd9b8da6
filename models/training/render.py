"""Draw every icon once into one array: RGBA, uint8, SIDE x SIDE pixels, straight alpha.

usage: render.py WORK

Writes WORK/pictures.npy and WORK/pictures.json (style, concept, skin tone; row by row). Drawn at twice the side
with resvg and made smaller with Pillow's bicubic filter, the one that the engine's preprocessing implements.
"""

import io
import json
import pathlib
import sys

import numpy
import resvg_py
from PIL import Image

import concepts
import sources

SIDE = 80
TONES_KEPT = 2  # drawings with a skin tone kept for a concept and style


def picture(body, icons, entry, side=2 * SIDE):
    """Draw the inside of an SVG, centred in a square; a Pillow image with alpha."""
    left, top = entry.get("left", 0), entry.get("top", 0)
    width = entry.get("width", icons.get("width", 16))
    height = entry.get("height", icons.get("height", 16))
    largest = max(width, height)
    box = f"{left - (largest - width) / 2} {top - (largest - height) / 2} {largest} {largest}"
    text = (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{side}" height="{side}" viewBox="{box}" color="#000">{body}</svg>')
    data = bytes(resvg_py.svg_to_bytes(svg_string=text, width=side, height=side, skip_system_fonts=True))
    return Image.open(io.BytesIO(data)).convert("RGBA")


def smaller(image, side=SIDE):
    """Pillow's bicubic over premultiplied colours, so that no dark edge appears."""
    return image.convert("RGBa").resize((side, side), Image.Resampling.BICUBIC).convert("RGBA")


def main(work):
    work = pathlib.Path(work)
    sources.fetch(work)
    known = concepts.read(work)
    sets = {style.name: icons for style, icons, _ in concepts.icon_sets(work)}
    pixels, rows, kept = [], [], {}
    for style, name, concept, toned in concepts.drawings(work, known):
        slot = (style.name, concept)
        if toned and (style.role != "train" or kept.get(slot, 0) >= TONES_KEPT):
            continue
        kept[slot] = kept.get(slot, 0) + int(toned)
        icons = sets[style.name]
        entry = icons["icons"][name]
        pixels.append(numpy.asarray(smaller(picture(entry["body"], icons, entry))))
        rows.append({"style": style.name, "concept": concept, "toned": toned, "icon": name})
        if len(rows) % 2000 == 0:
            print(len(rows), style.name, flush=True)
    numpy.save(work / "pictures.npy", numpy.stack(pixels))
    (work / "pictures.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
