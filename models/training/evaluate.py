"""Measure the towers of the default pack and print the tables of its model card.

usage: evaluate.py WORK TEXT_TOWER TOWERS_DIR

TOWERS_DIR holds image/. WORK is where drawings are downloaded to and may be empty. No picture that is measured here was
trained on; `emojione-v1` decided how the space is mixed, `openmoji` decided nothing.
"""

import pathlib
import sys
import time

import numpy

import concepts
import evaluation_set
import sources
from image_tower import ImageTower
from measures import cosines, ranks, recall
from texts import Tower

SEED = 20


def row(label, *values):
    print("| " + " | ".join([label, *[value if isinstance(value, str) else f"{value:.3f}" for value in values]]) + " |")


def table(title, *columns):
    print(f"\n{title}\n")
    row("", *columns)
    row("---", *["---"] * len(columns))


def both_ways(label, texts, pictures, shown):
    """Texts find pictures and pictures find texts, among the concepts shown."""
    scores = cosines(texts[shown], pictures)
    place = numpy.arange(len(shown))
    there, back = ranks(scores, place), ranks(scores.T, place)
    row(label, f"{len(shown)}", recall(there, 1), recall(there, 10), recall(back, 1), recall(back, 10))


def unseen_style(known, names, sets):
    table("Names and pictures", "concepts", "text to image @1", "@10", "image to text @1", "@10")
    learned = numpy.array([not concept.held_out for concept in known])
    flag = numpy.array([concept.group == "flags" for concept in known])
    for label, (shown, vectors) in sets.items():
        own = learned[shown]
        both_ways(label, names, vectors[own], shown[own])
        own = learned[shown] & ~flag[shown]
        both_ways(f"{label}, no flags", names, vectors[own], shown[own])


def never_shown(known, names, sets):
    """Concepts of which no picture was trained on in any style, sought among all names."""
    table("Concepts never shown in any style: picture finds its name among all", "concepts", "@1", "@10", "@50")
    held = numpy.array([concept.held_out for concept in known])
    for label, (shown, vectors) in sets.items():
        own = held[shown]
        found = ranks(cosines(vectors[own], names), shown[own])
        row(label, f"{own.sum()}", recall(found, 1), recall(found, 10), recall(found, 50))


def groups(known, tower, sets):
    table("Zero-shot: the group of CLDR, of nine", "concepts", "right")
    number = {name: at for at, name in enumerate(concepts.GROUPS)}
    own = numpy.array([number[concept.group] for concept in known])
    phrases = tower.embed(list(concepts.GROUPS.values()))
    for label, (shown, vectors) in sets.items():
        row(label, f"{len(shown)}", float((cosines(vectors, phrases).argmax(1) == own[shown]).mean()))


def mixed(names, documents, sets):
    """One collection: every second concept as a text (its keywords), the others as pictures; names are the queries."""
    table("Mixed collection, half texts and half pictures; the query is a name", "items", "its picture @10", "its text @10", "the same without pictures")
    for label, (shown, vectors) in sets.items():
        texts, pictures = documents[shown[0::2]], vectors[1::2]
        middle = len(texts)
        to_texts, to_pictures = cosines(names[shown], texts), cosines(names[shown], pictures)
        scores = numpy.concatenate([to_texts, to_pictures], 1)
        place = numpy.empty(len(shown), dtype=int)
        place[0::2], place[1::2] = numpy.arange(middle), middle + numpy.arange(len(pictures))
        found = ranks(scores, place)
        alone = ranks(to_texts[0::2], numpy.arange(middle))
        row(label, f"{len(shown)}", recall(found[1::2], 10), recall(found[0::2], 10), recall(alone, 10))


def distribution(names, documents, sets):
    table("Cosines", "5 %", "middle", "95 %")

    def line(label, values):
        row(label, *[float(value) for value in numpy.percentile(values, [5, 50, 95])])

    line("name and its keywords", (names * documents).sum(1))
    other = numpy.random.default_rng(SEED).permutation(len(names))
    line("name and another name", (names * names[other]).sum(1))
    for label, (shown, vectors) in sets.items():
        scores = cosines(vectors, names)
        line(f"{label}: picture and its name", scores[numpy.arange(len(shown)), shown])
        line(f"{label}: picture and another name", scores[numpy.arange(len(shown)), other[shown]])
    made = [vectors for _, vectors in sets.values()]
    line("picture and another picture", (made[0] * made[0][::-1]).sum(1))


def empty(image, names):
    table("Pictures of nothing, against all names: the greatest cosine", "pictures", "middle", "largest", "share below 0.3")
    greatest = cosines(image.embed(evaluation_set.nothing(numpy.random.default_rng(SEED))), names).max(1)
    row("one colour, noise, slopes", f"{len(greatest)}", float(numpy.median(greatest)), float(greatest.max()), float((greatest < 0.3).mean()))


def scenes(known, tower, image, names, found):
    """Two drawings side by side: does the text that names both find the picture, and the picture both names?"""
    rows, images = evaluation_set.pairs(found, numpy.random.default_rng(SEED))
    own, vectors = found.concepts[rows], image.embed(images)
    texts = tower.embed([f"{known[left].name} and {known[right].name}" for left, right in own])
    there = ranks(cosines(texts, vectors), numpy.arange(len(rows)))
    scores = cosines(vectors, names)
    places = [ranks(scores, own[:, at]) for at in (0, 1)]
    table("Two unseen drawings in one picture, 1,000 such pictures", "text of both to picture @1", "@10", "one name among ten of all", "both")
    row("openmoji, side by side", recall(there, 1), recall(there, 10), float(((places[0] < 10) | (places[1] < 10)).mean()),
        float(((places[0] < 10) & (places[1] < 10)).mean()))


def across(image_sets):
    """Pictures find the picture of the same concept in another style."""
    (first, one), (second, two) = [image_sets[label] for label in ("openmoji", "emojione-v1")]
    shared = numpy.intersect1d(first, second)
    scores = one[numpy.isin(first, shared)] @ two[numpy.isin(second, shared)].T
    found = ranks(scores, numpy.arange(len(shared)))
    table("Picture finds the same concept in another unseen style", "concepts", "@1", "@10")
    row("openmoji to emojione-v1", f"{len(shared)}", recall(found, 1), recall(found, 10))


def pace(image, pictures):
    start = time.process_time()
    image.embed(pictures[:200], batch=1)
    table("One picture of 176 x 176 pixels, one thread, alone", "milliseconds of processor time")
    row("prepare and run", (time.process_time() - start) * 1000 / len(pictures[:200]))


def main(work, text_folder, towers):
    work, tower = pathlib.Path(work), Tower(text_folder)
    sources.fetch(work)
    known = concepts.read(work)
    names = tower.embed([concept.name for concept in known])
    documents = tower.embed([", ".join(concept.keywords) or concept.name for concept in known])
    image, random, sets = ImageTower(pathlib.Path(towers) / "image"), numpy.random.default_rng(SEED), {}
    for style in [style for style in reversed(sources.STYLES) if style.role != "train"]:
        found = evaluation_set.style(work, known, style.name, style.role)
        plain = [evaluation_set.on_white(cutout) for cutout in found.images]
        sets[style.name] = (found.concepts, image.embed(plain))
        if style.role == "test":
            drawings = found
            bad = [evaluation_set.spoiled(cutout, random) for cutout in found.images]
            sets[f"{style.name}, spoiled"] = (found.concepts, image.embed(bad))
    unseen_style(known, names, sets)
    never_shown(known, names, sets)
    groups(known, tower, sets)
    mixed(names, documents, sets)
    across(sets)
    scenes(known, tower, image, names, drawings)
    empty(image, names)
    distribution(names, documents, sets)
    pace(image, plain)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
