"""What the icons of general sets are called: a name without the words that tell its style, and the concept that it names.

An icon set's names are its makers' own, so only plain agreement counts: with the whole name of an emoji, with a name that
chat programs give it, or with a keyword that only one emoji has.
"""

import collections
import re

import concepts

# Words at a name's end that tell how the icon is drawn, not what it shows.
STYLE = set("outline outlined fill filled bold duotone light thin solid line linear broken regular rounded round sharp "
            "twotone flat duo color negative alt variant icon symbol thick outlines stroke static one two three four "
            "border base small large mini big fat".split())
# Words at a name's end that make a sign about a thing out of the thing.
ABOUT = set("off slash plus minus x check add remove up down left right in out cog edit search question exclamation alert "
            "star heart lock unlock open close closed share code settings error warning info dollar pause play stop bolt "
            "cancel clock sync auto on arrow arrows top bottom up-down delete pin user person people group list text "
            "off-outline dots circle square box badge multiple link download upload refresh low high medium full empty "
            "half quarter horizontal vertical disabled enabled active 2 back forward next previous start end exclaim".split())
LONGEST = 3  # words of a name that is nobody's


def plain(name):
    """An icon's name as a tuple of words, without those of style."""
    words = [word for word in name.lower().split("-") if word]
    while len(words) > 1 and (words[-1] in STYLE or re.fullmatch(r"\d+(px|m|mm|w)?", words[-1])):
        words.pop()
    return tuple(words)


def one(word):
    """A noun in the singular, for the plurals that are common in names."""
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("xes", "x")):
        if word.endswith(ending):
            return word[:-len(ending)] + instead
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def forms(words):
    """Ways to write the name, the most literal first."""
    yield "".join(words)
    yield "".join([*words[:-1], one(words[-1])])
    if len(words) == 2:
        yield words[1] + words[0]


class Names:
    """Which concept a plain name means, if it means one."""

    def __init__(self, work, known):
        numbers = {concept.code: at for at, concept in enumerate(known)}
        self.exact = {concepts.squeezed(concept.name): at for at, concept in enumerate(known)}
        for name, code in concepts.shortcodes(work).items():
            if code in numbers:
                self.exact.setdefault(name, numbers[code])
        having = collections.defaultdict(set)
        for at, concept in enumerate(known):
            for word in concept.keywords:
                having[concepts.squeezed(word)].add(at)
        self.keyword = {word: min(owners) for word, owners in having.items() if len(owners) == 1}
        self.regions = {"".join(chr(int(point, 16) - 0x1F1E6 + ord("a")) for point in concept.code.split("-")): at
                        for at, concept in enumerate(known) if concept.subgroup == "country-flag"}

    def concept(self, words):
        """The number of the concept, or None."""
        for table in (self.exact, self.keyword):
            for form in forms(words):
                if form in table:
                    return table[form]
        return None


def is_thing(words):
    """Whether a name that no emoji has may be a concept of its own."""
    return (len(words) <= LONGEST and words[-1] not in ABOUT and words[0] not in ABOUT
            and all(len(word) > 1 and word.isalpha() for word in words) and len("".join(words)) > 2)
