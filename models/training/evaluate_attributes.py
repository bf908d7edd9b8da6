"""Measure colours and materials: does the text that names one find the drawing that has it? Prints a table of the model card.

usage: evaluate_attributes.py WORK TEXT_TOWER TOWERS_DIR

Drawings of OpenMoji, each in every colour and material, on white. Needs torch, unlike the other measures, since `materials` does.
"""

import pathlib
import sys

import numpy
import torch
from PIL import Image

import concepts
import evaluation_set
from drawing import smaller
from evaluate import row, table
from image_tower import ImageTower
from materials import ATTRIBUTES, COLOURS, Materials
from measures import cosines, ranks, recall
from network import SIDE
from texts import Tower

SEED, DRAWINGS = 20, 120
GROUPS = ("animals-nature", "food-drink", "objects", "activities", "travel-places")


def shown(work, known):
    """(concept's number, cut-out [4, SIDE, SIDE] premultiplied) of some drawings, at random."""
    found = evaluation_set.style(work, known, "openmoji", "test")
    rows = [at for at, concept in enumerate(found.concepts) if known[concept].group in GROUPS and not known[concept].held_out and known[concept].tint is None]
    for at in numpy.random.default_rng(SEED).choice(rows, DRAWINGS, replace=False):
        pixels = numpy.asarray(smaller(found.images[at], SIDE), dtype=numpy.float32) / 255
        pixels[:, :, :3] *= pixels[:, :, 3:]
        yield found.concepts[at], torch.from_numpy(pixels.transpose(2, 0, 1).copy())


def main(work, text_folder, towers):
    work, tower = pathlib.Path(work), Tower(text_folder)
    known = concepts.read(work)
    numbers, cutouts = zip(*shown(work, known))
    generator = torch.Generator()
    generator.manual_seed(SEED)
    each = len(ATTRIBUTES)
    dressed = Materials(generator).dressed(torch.stack(cutouts).repeat_interleave(each, 0), torch.arange(each).repeat(len(cutouts)))
    pages = (dressed[:, :3] + 1 - dressed[:, 3:]).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
    vectors = ImageTower(pathlib.Path(towers) / "image").embed([Image.fromarray(page.astype(numpy.uint8)) for page in pages])
    names = [known[number].name for number in numbers]
    scores = cosines(tower.embed([f"{word} {name}" for name in names for word in ATTRIBUTES]), vectors)
    own = numpy.arange(len(scores))
    block = scores.reshape(len(names), each, len(names), each)[numpy.arange(len(names)), :, numpy.arange(len(names))].reshape(-1, each)
    within, among = ranks(block, own % each), ranks(scores, own)
    table(f"Colour or material and name, {len(names)} unseen drawings in {each} dresses each", "texts", "right dress first, of 13", f"@1 of all {len(own)}", "@10")
    for label, chosen in (("colours", own % each < len(COLOURS)), ("materials", own % each >= len(COLOURS)), *((word, own % each == at) for at, word in enumerate(ATTRIBUTES))):
        row(label, f"{chosen.sum()}", recall(within[chosen], 1), recall(among[chosen], 1), recall(among[chosen], 10))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
