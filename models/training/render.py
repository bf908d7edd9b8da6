"""Draw every icon once into one array: RGBA, uint8, SIDE x SIDE pixels, straight alpha.

usage: render.py WORK

Writes WORK/pictures.npy and WORK/pictures.json: `words`, the names of the things that no emoji shows, and `rows`, one a picture
(style, concept, skin tone). Drawn at twice the side with resvg and made smaller with Pillow's bicubic filter, the one that the
engine's preprocessing implements.
"""

import json
import pathlib
import sys

import numpy
from PIL import Image

import concepts
import sources
import vocabulary
from drawing import picture, smaller
from font import Font

TONES_KEPT = 2  # drawings with a skin tone kept for a concept and style


def emoji(work, known):
    """(style, concept, has a skin tone, icon, picture) of every drawing in the sets of emoji."""
    sets = {style.name: icons for style, icons, _ in concepts.icon_sets(work)}
    kept = {}
    for style, name, concept, toned in concepts.drawings(work, known):
        slot = (style.name, concept)
        if toned and (style.role != "train" or kept.get(slot, 0) >= TONES_KEPT):
            continue
        kept[slot] = kept.get(slot, 0) + int(toned)
        icons = sets[style.name]
        entry = icons["icons"][name]
        yield style, concept, toned, name, picture(entry["body"], icons, entry)


def others(work, rows):
    """The same of what `vocabulary` found."""
    style = None
    for own, name, concept in sorted(rows, key=lambda row: (row[0].name, row[2], row[1])):
        if own != style:
            style = own
            if style.kind == sources.FILES:
                paths = vocabulary.files(work, style)
            elif style.kind == sources.FONT:
                font = Font(sources.folder(work, style.package, style.version))
            else:
                icons = vocabulary.icons(work, style)
        if style.kind == sources.FILES:
            made = Image.open(paths[name]).convert("RGBA")
        elif style.kind == sources.FONT:
            made = font.picture(name)
        else:
            made = picture(icons["icons"][name]["body"], icons, icons["icons"][name])
        if made is not None:
            yield style, concept, False, name, made


def main(work):
    work = pathlib.Path(work)
    sources.fetch(work, {style.kind for style in sources.STYLES})
    known = concepts.read(work)
    words, found = vocabulary.read(work, known)
    pixels, rows = [], []
    for made in (emoji(work, known), others(work, found)):
        for style, concept, toned, name, image in made:
            pixels.append(numpy.asarray(smaller(image)))
            rows.append({"style": style.name, "concept": concept, "toned": toned, "icon": name})
            if len(rows) % 2000 == 0:
                print(len(rows), style.name, flush=True)
    numpy.save(work / "pictures.npy", numpy.stack(pixels))
    (work / "pictures.json").write_text(json.dumps({"words": words, "rows": rows}))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
