"""What is spoken: phrases out of WordNet, a grammar, CLDR names, Debian's package lists and the fortunes, split by phrase.

usage: speech_texts.py WORK SUMMARIES

SUMMARIES is a file of JSON strings, one a line: one-line descriptions of Debian packages. Writes WORK/phrases.json:
{"train": [...], "names": [...], "validation": [...]}; `names` are the places in `train` of CLDR's names and keywords. A phrase is in one
part only, whatever its case and punctuation. What is never trained on is in held_out.json: 1,000 test phrases, and one of six of CLDR's
names of several words.
"""

import json
import pathlib
import random
import re
import sys

import concepts
import sources

SEED = 21
WORDNET = pathlib.Path("/usr/share/wordnet")
FORTUNES = pathlib.Path("/usr/share/games/fortunes")
LONGEST = 12  # words
VALIDATION = 500
GRAMMAR = 60_000  # sentences
RARE = 0.45  # share of the lemmas that hardly any text uses
NAMED = ("name", "keyword")
HELD_OUT = pathlib.Path(__file__).parent / "held_out.json"

WHO = ["I", "we", "my sister", "the teacher", "an old man", "the children", "her neighbour", "a stranger", "the doctor", "our dog",
       "the cook", "a young woman", "the driver", "his brother", "the farmer", "their friends", "a tourist", "the singer"]
DID = ["bought", "lost", "found", "wants", "painted", "repaired", "forgot", "carried", "broke", "is looking for", "likes",
       "cannot find", "sold", "borrowed", "cleaned", "took a photo of", "talked about", "dreamed of", "is waiting for", "needs"]
HOW = ["red", "blue", "green", "old", "new", "small", "big", "wooden", "broken", "cheap", "beautiful", "heavy", "empty", "warm",
       "cold", "black", "white", "yellow", "round", "strange", "quiet", "expensive", "dirty", "soft"]
WHERE = ["in the kitchen", "at the station", "on the beach", "in the garden", "near the river", "at school", "in the rain",
         "on the table", "under the bed", "in the city", "behind the house", "in the forest", "at the market", "on the roof",
         "at night", "in the morning", "last summer", "after dinner", "in winter", "next to the church"]
ASK = ["show me {}", "where is {}", "find {}", "I am looking for {}", "pictures of {}", "how much is {}", "what is {}", "a photo of {}",
       "search for {}", "the sound of {}", "do you have {}", "I need {} for my holiday", "how do I clean {}", "gifts for someone who likes {}"]


def key(text):
    """What makes two phrases the same."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def speakable(text):
    """Whether a voice says it as it is written."""
    words = text.split()
    return 0 < len(words) <= LONGEST and len(text) <= 80 and re.fullmatch(r"[A-Za-z][A-Za-z' ,-]*[A-Za-z]", text) is not None \
        and all(len(word) <= 16 for word in words) and not any(word.isupper() and len(word) > 1 for word in words)


def wordnet():
    """Lemmas with how often texts mean them, definitions and examples, and common nouns."""
    lemmas, glosses, nouns = {}, [], {}
    for part in ("noun", "verb", "adj", "adv"):
        for line in (WORDNET / f"data.{part}").read_text().splitlines():
            if line.startswith("  "):
                continue
            fields, _, gloss = line.partition(" | ")
            fields = fields.split()
            for at in range(int(fields[3], 16)):
                lemmas.setdefault(re.sub(r"\(.*", "", fields[4 + 2 * at]).replace("_", " "), 0)
            glosses += [piece.strip(' ".') for piece in re.split(r'[;"]|--', gloss)]
    for line in (WORDNET / "cntlist.rev").read_text().splitlines():
        sense, _, count = line.split()
        lemma = sense.split("%")[0].replace("_", " ")
        for own in (lemma, lemma.capitalize()):
            if own in lemmas:
                lemmas[own] += int(count)
        if sense.split("%")[1].startswith("1:") and lemma.islower() and " " not in lemma:
            nouns[lemma] = max(nouns.get(lemma, 0), int(count))
    return lemmas, glosses, [noun for noun, count in nouns.items() if count >= 2]


def fortunes():
    found = []
    for path in sorted(FORTUNES.iterdir()):
        if path.suffix:
            continue
        text = path.read_text(errors="replace")
        for quote in text.split("\n%\n"):
            plain = " ".join(quote.split())
            found += [piece.strip() for piece in re.split(r'[.!?:;"()]|--', plain)]
    return found


def grammar(things, random, count):
    """Everyday sentences, questions and searches about things."""
    made = set()
    while len(made) < count:
        thing = random.choice(things)
        some = f"{random.choice(['the', 'a', 'my', 'this'])} {random.choice(HOW) + ' ' if random.random() < 0.5 else ''}{thing}"
        if random.random() < 0.45:
            text = random.choice(ASK).format(some if random.random() < 0.6 else thing)
        else:
            text = f"{random.choice(WHO)} {random.choice(DID)} {some}"
            text += f" {random.choice(WHERE)}" if random.random() < 0.5 else ""
        made.add(text)
    return sorted(made)


def main(work, summaries):
    chance, work = random.Random(SEED), pathlib.Path(work)
    sources.fetch(work)
    known = concepts.read(work)
    names = sorted({concept.name for concept in known})
    keywords = sorted({word for concept in known for word in concept.keywords})
    lemmas, glosses, nouns = wordnet()
    common = [lemma for lemma, count in lemmas.items() if count >= 2]
    rare = [lemma for lemma, count in lemmas.items() if count < 2 and chance.random() < RARE]
    things = nouns + [name for name in names if speakable(name) and len(name.split()) == 1]
    pools = {"name": names, "keyword": keywords, "common": common, "rare": rare, "gloss": glosses, "grammar": grammar(things, chance, GRAMMAR),
             "fortune": fortunes(), "summary": [json.loads(line) for line in pathlib.Path(summaries).read_text().splitlines()]}
    taken, phrases = set(), []
    for source, texts in pools.items():
        for text in dict.fromkeys(texts):
            if speakable(text) and key(text) not in taken:
                taken.add(key(text))
                phrases.append((source, text))
    held = json.loads(HELD_OUT.read_text())
    keys = {key(text) for text in (*held["phrases"], *held["names"])}
    chance.shuffle(phrases)
    phrases = [(source, text) for source, text in phrases if key(text) not in keys]
    validation = {text for source, text in [entry for entry in phrases if 3 <= len(entry[1].split()) <= 10 and entry[0] not in NAMED][:VALIDATION]}
    train = [(source, text) for source, text in phrases if text not in validation]
    (work / "phrases.json").write_text(json.dumps({"train": [text for _, text in train], "validation": sorted(validation),
                                                   "names": [at for at, (source, _) in enumerate(train) if source in NAMED]}))
    counts = {source: sum(own == source for own, _ in phrases) for source in pools}
    print(f"{counts}; {len(train)} to train")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
