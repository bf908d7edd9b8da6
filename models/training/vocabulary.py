"""What drawings show that are in no emoji set: the emoji that their names mean, and things that no emoji shows.

A thing that no emoji shows is a concept of its own where AGREE families of icon sets draw something of that name. Nothing here
may show one of the held-out concepts, nor anything with their names.
"""

import collections
import json
import re

import sources
from concepts import key, squeezed
from icon_names import Names, is_thing, one, plain

AGREE = 3  # families of sets that have the name
KEPT = 2  # drawings of one thing in one style
WEIGHTS = (300, 500, 700)  # of a font


def icons(work, style):
    """A general set's parsed icons.json."""
    return json.loads((sources.folder(work, style.package, style.version) / "icons.json").read_text())


def files(work, style):
    """Code points as `concepts.key` writes them -> the path of the drawing."""
    base = sources.folder(work, style.package, style.version) / "assets"
    return {key(path.stem): path for path in sorted(base.glob("*.webp"))}


def brands(work):
    """Names of firms and programs, which are told by how two sets mark them."""
    found = set()
    for style in sources.STYLES:
        if style.name in ("tabler", "ph"):
            for name in icons(work, style)["icons"]:
                marked = re.match(r"brand-(.+)$", name) or re.match(r"(.+)-logo$", name)
                if marked:
                    found.add(squeezed(" ".join(plain(marked[1]))))
    return found


class Barred:
    """Names that might show a held-out concept."""

    def __init__(self, known):
        held = [concept for concept in known if concept.held_out]
        self.last = {one(concept.name.lower().split()[-1]) for concept in held}
        self.whole = {squeezed(word) for concept in held for word in [concept.name, *concept.keywords]}

    def has(self, words):
        return one(words[-1]) in self.last or squeezed("".join(words)) in self.whole


def found(work, known):
    """Every drawing of the kinds other than EMOJI: (style, what names it there, concept's number or None, its plain name)."""
    names, numbers = Names(work, known), {concept.code: at for at, concept in enumerate(known)}
    for style in sources.STYLES:
        if style.kind == sources.FILES:
            for code in files(work, style):
                if code in numbers:
                    yield style, code, numbers[code], ()
        elif style.kind == sources.FONT:
            for code, at in numbers.items():
                if "-" not in code:
                    yield from ((style, f"{weight}:{code}", at, ()) for weight in WEIGHTS)
        elif style.kind != sources.EMOJI:
            for name in sorted(icons(work, style)["icons"], key=lambda name: (len(name), name)):
                words = plain(name)
                yield style, name, names.regions.get(words[0]) if style.kind == sources.FLAGS else names.concept(words), words


def read(work, known):
    """(names of the things that no emoji shows, drawings as (style, icon's name, number)); numbers go on after the known ones."""
    barred, unwanted = Barred(known), brands(work)
    rows, loose, families = [], [], collections.defaultdict(set)
    for style, icon, number, words in found(work, known):
        if number is not None:
            rows.append((style, icon, number))
        elif style.kind == sources.GENERAL and is_thing(words) and squeezed("".join(words)) not in unwanted and not barred.has(words):
            loose.append((style, icon, " ".join(words)))
            families[" ".join(words)].add(style.name.split("-")[0])
    agreed = sorted(name for name, having in families.items() if len(having) >= AGREE)
    own = {name: len(known) + at for at, name in enumerate(agreed)}
    rows += [(style, icon, own[name]) for style, icon, name in loose if name in own]
    kept, count = [], collections.Counter()
    for style, icon, number in rows:
        count[style.name, number] += 1
        if count[style.name, number] <= (len(WEIGHTS) if style.kind == sources.FONT else KEPT):
            kept.append((style, icon, number))
    return agreed, kept
