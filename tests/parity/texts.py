"""The 500 texts that the engine and the reference embed: the same on every run and machine.

They are chosen for what tokenizers and batching get wrong: scripts, emoji sequences, combining marks, control
characters, white space, literal special tokens, and lengths around the model's maximum of 256 tokens.
"""

import random

COUNT = 500

WORDS = ("white running shoes red dress leather boots wireless headphones vintage camera wooden table ceramic mug "
         "the a of with for and is was very small large new used returned customer shipping order quickly never "
         "internationalization antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis").split()

FIXED = [
    "", " ", "\n", "\t \r\n", "a", "Z", "7", ".", "é", "ß", "中", "😀", "\u200b", "\u00a0", "\ufeff", "\ufffd",
    "Hello, world!", "HELLO WORLD", "naïve café coöperation Ångström façade", "Straße STRASSE straße ẞ",
    "İstanbul Iğdır ısı", "ﬁne ﬂow ﬃ ligatures", "x² + y³ ≠ ½", "５０％ ｆｕｌｌｗｉｄｔｈ", "①②③ Ⅳ ℃ № ™",
    "e\u0301 versus \u00e9", "a\u0323\u0307 order", "Z̸̢͝a̵͎̽l̷̰͠g̴̣̾o̶͚͝ ţ̷e̸x̵t̶", "\u1112\u1161\u11ab versus 한",
    "👨‍👩‍👧‍👦 family", "👩🏽‍🚀🚀", "🏳️‍🌈 🏴‍☠️ 🇩🇪🇫🇷", "❤️ ❤ ♥︎", "1️⃣2️⃣", "🤷🏿‍♂️ whatever",
    "שלום עולם", "שָׁלוֹם", "مرحبا بالعالم", "اَلْعَرَبِيَّةُ", "\u202eright to left\u202c mixed עברית", "فارسی می‌خواهم",
    "你好，世界。", "吾輩は猫である。名前はまだ無い。", "カタカナ ｶﾀｶﾅ が が", "안녕하세요 세계", "中文and英文mixed混排",
    "𠀀𠀁 𪛖 rare ideographs", "𝓜𝓪𝓽𝓱 𝔸𝕝𝕡𝕙𝕒 𝟙𝟚𝟛", "Привет, мир! Ёжик й", "Γειά σου Κόσμε ΣΊΣΥΦΟΣ ς", "नमस्ते दुनिया क्षत्रिय",
    "வணக்கம் உலகம்", "สวัสดีชาวโลก", "ສະບາຍດີ", "မင်္ဂလာပါ", "ជំរាបសួរ", "བཀྲ་ཤིས", "გამარჯობა მსოფლიო", "Բարեւ աշխարհ",
    "ሰላም ልዑል", "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ", "ᚠᚢᚦᚨᚱᚲ", "𐌲𐌿𐍄𐌹𐍃𐌺", "ⴰⵣⵓⵍ", "Tiếng Việt rất hay", "Đà Nẵng", "čćžšđ ŁÓDŹ őű",
    "https://example.com/a/b?c=d&e=%20f#g", "mailto:someone+tag@example.co.uk", "C:\\Program Files\\x.exe", "/usr/lib/*.so",
    "fn main() { println!(\"{:?}\", x?); } // 100%", "SELECT * FROM t WHERE a <=> $1::vector;", "<div class='x'>&nbsp;</div>",
    "{\"key\": [1, 2.5e-3, null, true]}", "$9.99 €1.000,00 £5 ¥100 ₹ ₿", "don't won't it's 'quoted' “curly” ‘single’ —dash–",
    "a" * 99, "a" * 100, "a" * 101, "a" * 5000, "ab" * 50 + " tail", "é" * 100, "é" * 101, "supercalifragilistic" * 6,
    "[CLS] [SEP] [MASK] [UNK] [PAD]", "[cls]", "a[SEP]b", "[MASK]ed", "##ing ##s", "[ CLS ]", "[UNK][UNK]",
    "tab\tseparated\tvalues", "line\nbreak\r\nmore", "many          spaces", " lead and trail ", "\u2003em\u2009thin\u3000wide",
    "bell\x07 esc\x1b[31m del\x7f c1\x85\x9f", "\x01\x02\x03", "soft\u00adhyphen zero\u200bwidth\u2060joiner",
    "\u2028line\u2029paragraph", "\ue000private\uf8ff", "\ufdd0nonchar\uffff", "\U000e0067tag\U000e007f", "\ud7fb\uf900豈",
    "!!!???...", "-_-_-_-", "^_^ :-) ¯\\_(ツ)_/¯", "....", "~`@#$%^&*()", "«guillemets» „German“ 「日本」", "‽⸘❡", "₀₁₂ ⁰¹²",
]


# Code points beside NUL and the surrogates, assigned or not: which are assigned depends on the version of Python.
RANGES = [(1, 0xD800), (0xE000, 0x12000), (0x1D000, 0x1D800), (0x1E000, 0x1FB00), (0x20000, 0x20100), (0xE0000, 0xE0200)]


def ranges():
    """Give one list of characters for each block of 256 code points."""
    blocks = {}
    for start, end in RANGES:
        for point in range(start, end):
            blocks.setdefault(point >> 8, []).append(chr(point))
    return [blocks[key] for key in sorted(blocks)]


def sentence(source, count):
    return " ".join(source.choice(WORDS) for _ in range(count))


def texts():
    """Make the texts, in order."""
    source = random.Random(20240229)
    made = list(FIXED)
    for length in (1, 2, 5, 100, 200, 250, 252, 253, 254, 255, 256, 257, 258, 300, 512, 1000, 5000, 40000):
        made.append(" ".join(["shoe"] * length))
        made.append("中" * length)
    made += ["x" + " " * 30000 + "y", "\u200b" * 20000 + "after the invisible", ("b" * 150 + " ") * 400 + "last words"]
    made += [sentence(source, 20000), "😀" * 3000, "a\u0301" * 9000, "1" * 70000, "one two\n" * 9000]
    blocks = ranges()
    while len(made) < COUNT:
        kind = source.randrange(4)
        if kind == 0:
            made.append(sentence(source, source.randrange(1, 120)))
        elif kind == 1:
            block = source.choice(blocks)
            made.append("".join(source.choice(block) for _ in range(source.randrange(1, 60))))
        elif kind == 2:
            made.append("".join(source.choice(source.choice(blocks)) for _ in range(source.randrange(1, 80))))
        else:
            parts = [source.choice(FIXED), sentence(source, source.randrange(1, 10))] * source.randrange(1, 4)
            source.shuffle(parts)
            made.append(source.choice(["", " ", "\n", "\t", "-"]).join(parts))
    return made
