"""Small tokenizers of the kinds that the families have, trained on the spot on the texts of texts.py."""

import collections
import functools
import json

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, Siglip2Tokenizer

from texts import texts

ALPHABET = 400


@functools.cache
def corpus():
    """What tokenizers are trained on: short texts, without the rarest of their characters, which become unknown."""
    short = [text for text in texts() if len(text) < 400]
    frequent = collections.Counter("".join(short)).most_common(ALPHABET)
    known = {character for character, _ in frequent}
    return ["".join(character for character in text if character in known) for text in short]


def surround(tokenizer, first, last):
    """Put special tokens before and after a text."""
    pieces = ([first] if first else []) + ["$A", last]
    special = [(token, tokenizer.token_to_id(token)) for token in (first, last) if token]
    tokenizer.post_processor = processors.TemplateProcessing(single=" ".join(pieces), special_tokens=special)
    return tokenizer


@functools.cache
def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(corpus(), trainers.WordPieceTrainer(vocab_size=900, special_tokens=special, show_progress=False))
    return surround(tokenizer, "[CLS]", "[SEP]"), {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]",
                                                  "sep_token": "[SEP]"}


@functools.cache
def roberta():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return surround(tokenizer, "<s>", "</s>"), {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}


@functools.cache
def clip():
    """As CLIP's: the end of the text is the highest id, and pads, too."""
    begin, end = "<|startoftext|>", "<|endoftext|>"
    tokenizer = Tokenizer(models.BPE(unk_token=end))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(" +", " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=900, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_special_tokens([AddedToken(begin, normalized=False), AddedToken(end, normalized=False)])
    return surround(tokenizer, begin, end), {"pad_token": end, "bos_token": begin, "eos_token": end, "unk_token": end}


def unigram(special, first, last, lowercase):
    tokenizer = Tokenizer(models.Unigram())
    steps = [normalizers.NFKC(), normalizers.Replace(" {2,}", " ")]
    tokenizer.normalizer = normalizers.Sequence(steps + ([normalizers.Lowercase()] if lowercase else []))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=900, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return surround(tokenizer, first, last)


@functools.cache
def xlm_roberta():
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return unigram(["<s>", "<pad>", "</s>", "<unk>"], "<s>", "</s>", False), names


def siglip():
    """As SigLIP's: the end of the text pads, too."""
    names = {"pad_token": "</s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return unigram(["<unk>", "</s>"], None, "</s>", True), names


def save(made, folder, longest, **more):
    """Write a tower's tokenizer files as `transformers` does, with settings of its own that the engine must override."""
    tokenizer, names = made
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=longest, **names, **more)
    wrapped.save_pretrained(folder)
    path = folder / "tokenizer.json"
    written = json.loads(path.read_text())
    written["truncation"] = {"direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 0}
    written["padding"] = {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
                          "pad_type_id": 0, "pad_token": names["pad_token"]}
    path.write_text(json.dumps(written))
    return wrapped


def siglip2(folder):
    """SigLIP 2's own class, which pads in front and lower-cases. The written file has no lower-casing in it, as those of
    exports by older versions."""
    begin = {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "<mask>": 4}
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.normalizer = normalizers.Replace(" ", "▁")
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=list(begin), show_progress=False)
    trained.train_from_iterator([text.lower() for text in corpus()], trainer)
    model = json.loads(trained.to_str())["model"]
    vocab = dict(model["vocab"])
    for byte in range(256):
        vocab.setdefault(f"<0x{byte:02X}>", len(vocab))
    merges = [tuple(pair) for pair in model["merges"]]
    tokenizer = Siglip2Tokenizer(vocab=vocab, merges=merges, model_max_length=64)
    tokenizer.backend_tokenizer.post_processor = surround(Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()), None, "<eos>").post_processor
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer.json"
    written = json.loads(path.read_text())
    steps = written["normalizer"]["normalizers"]
    written["normalizer"]["normalizers"] = [step for step in steps if step["type"] != "Lowercase"]
    path.write_text(json.dumps(written, ensure_ascii=False))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.pop("padding_side", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return tokenizer
