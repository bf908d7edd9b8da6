"""What the pictures show: emoji of Unicode with the names and keywords of CLDR, and which drawing shows which.

A concept is one emoji without skin tone. Drawings with a skin tone count as further pictures of it.
"""

import dataclasses
import json
import random
import re
import unicodedata

import sources

GROUPS = {
    "smileys-emotion": "a smiley or an emotion",
    "people-body": "a person or a part of the body",
    "animals-nature": "an animal or a plant",
    "food-drink": "food or drink",
    "travel-places": "a place or a vehicle for travel",
    "activities": "an activity, a sport or a game",
    "objects": "an object or a tool",
    "symbols": "a symbol or a sign",
    "flags": "a flag of a country",
}
TINTS = {"red": (0.87, 0.16, 0.2), "orange": (0.96, 0.55, 0.05), "yellow": (0.99, 0.8, 0.2), "green": (0.35, 0.65, 0.25), "blue": (0.2, 0.5, 0.9),
         "purple": (0.6, 0.4, 0.8), "brown": (0.6, 0.4, 0.3), "black": (0.1, 0.1, 0.1), "white": (0.95, 0.95, 0.95), "pink": (0.96, 0.6, 0.75),
         "grey": (0.55, 0.6, 0.65), "light blue": (0.5, 0.75, 0.95)}
HELD_OUT = 48  # concepts of which no picture is trained on, in any style
COMPONENT = "component"


@dataclasses.dataclass
class Concept:
    """One emoji: its code points, CLDR short name, keywords, group and subgroup."""

    code: str
    name: str
    keywords: list
    group: str
    subgroup: str
    tones: dict  # code points of the drawings with a skin tone
    held_out: bool = False

    @property
    def tint(self):
        """The colour that the name begins with, as (red, green, blue) of 0 to 1, or None."""
        if self.group not in ("smileys-emotion", "symbols", "objects", "food-drink", "activities", "animals-nature"):
            return None
        return next((TINTS[word] for word in sorted(TINTS, key=len, reverse=True) if self.name.startswith(word + " ")), None)


def key(code):
    """Code points as icon sets write them: lower case and without variation selectors."""
    return code.lower().replace("-fe0f", "")


def slug(text):
    """A name as icon sets write it."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "").replace("&", "and"))
    plain = plain.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def squeezed(text):
    return re.sub(r"[^a-z0-9]", "", text.lower())


def read(work):
    """All concepts, in CLDR's order."""
    base = sources.folder(work, *sources.NAMES)
    groups = json.loads((base / "meta/groups.json").read_text())
    found = []
    for entry in json.loads((base / "en/data.json").read_text()):
        group = groups["groups"].get(str(entry.get("group")))
        if group is None or group == COMPONENT:
            continue
        subgroup = groups["subgroups"][str(entry["subgroup"])]
        tones = {key(skin["hexcode"]): skin["label"] for skin in entry.get("skins", [])
                 if not isinstance(skin.get("tone"), list)}
        found.append(Concept(key(entry["hexcode"]), entry["label"].replace("’", "'"), entry.get("tags", []),
                             group, subgroup, tones))
    chosen = [concept for concept in found if concept.group not in ("flags", "symbols", "people-body")]
    for concept in random.Random(1).sample(chosen, HELD_OUT):
        concept.held_out = True
    return found


def shortcodes(work):
    """The names that chat programs give to emoji: squeezed name -> code."""
    base = sources.folder(work, *sources.NAMES)
    names = {}
    for preset in ("github", "emojibase", "iamcal", "joypixels"):
        path = base / f"en/shortcodes/{preset}.json"
        for code, words in (json.loads(path.read_text()) if path.is_file() else {}).items():
            for word in [words] if isinstance(words, str) else words:
                names.setdefault(squeezed(word), key(code))
    return names


def icon_sets(work):
    """Each emoji style's parsed icons.json and chars.json."""
    for style in sources.STYLES:
        if style.kind == sources.EMOJI:
            base = sources.folder(work, style.package, style.version)
            yield style, json.loads((base / "icons.json").read_text()), json.loads((base / "chars.json").read_text())


def drawings(work, concepts):
    """Find which icon shows which concept: a list of (style, icon's name, concept's number, has a skin tone)."""
    numbers, toned = {concept.code: at for at, concept in enumerate(concepts)}, {}
    names = {slug(concept.name): concept.code for concept in concepts}
    for at, concept in enumerate(concepts):
        for code, label in concept.tones.items():
            toned[code] = at
            names.setdefault(slug(label), code)
    sets = list(icon_sets(work))
    for _, icons, chars in sets:
        for code, name in chars.items():
            names.setdefault(name, key(code))
            for alias, entry in icons.get("aliases", {}).items():
                if entry["parent"] == name:
                    names.setdefault(alias, key(code))
    short = {squeezed(name): code for name, code in names.items()} | shortcodes(work)
    found = []
    for style, icons, chars in sets:
        own = {name: key(code) for code, name in chars.items()}
        seen = set()
        for name in icons["icons"]:
            code = own.get(name) or names.get(name)
            if code is None:
                code = short.get(squeezed(name)) or short.get(re.sub(r"^u[0-9a-f]{4,5}", "", squeezed(name)))
            if code in seen or (code not in numbers and code not in toned):
                continue
            seen.add(code)
            found.append((style, name, numbers.get(code, toned.get(code)), code in toned))
    return found
