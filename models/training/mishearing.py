"""Phones as a front would have them: some taken for their kin, lost and added, each with a second reading and how likely both are."""

import numpy
import torch

from voices import NUMBER, PHONES

KIN = ["p b", "t d θ", "k ɡ", "f v θ", "ð d v z", "s z", "ʃ ʒ tʃ", "tʃ dʒ ʃ", "m n ŋ", "l w ɹ", "i ɪ", "ɪ ɛ ə", "ɛ æ", "æ ɑ", "ɑ ɔ ʌ",
       "ʊ u", "ʌ ə ʊ", "ə ɪ ɚ", "ɚ ɹ", "eɪ ɛ", "aɪ ɑ ɔɪ", "aʊ oʊ", "oʊ ɔ ʊ", "h"]
CHANGED, LOST, ADDED = 0.6, 0.25, 0.15  # parts of what is wrong


def kin():
    """[phones + 1, phones + 1]: how likely a phone is taken for another or one before it."""
    odds = numpy.full((len(PHONES) + 1, len(PHONES) + 1), 0.02)
    for group in KIN:
        own = [NUMBER[phone] for phone in group.split()]
        odds[numpy.ix_(own, own)] += 1.0
    odds[:, 0] = 0
    numpy.fill_diagonal(odds, 0)
    return torch.tensor(numpy.cumsum(odds / odds.sum(1, keepdims=True), 1), dtype=torch.float32)


def taken_for(phones, odds):
    """Another phone for each, one of its kin most often."""
    draw = torch.rand(*phones.shape, 1, device=phones.device)
    return (odds[phones] < draw).sum(2).clamp(1, len(PHONES))


def certain(phones):
    """Phones without a second reading, as `Meaning` takes them."""
    odds = torch.stack([(phones > 0).float(), torch.zeros(phones.shape, device=phones.device)], 2)
    return phones, torch.zeros_like(phones), odds


def misheard(phones, odds, most=0.5):
    """[batch, length] int64 to (phones, second, odds) of [batch, a quarter more]: up to the greatest share is wrong, in most rows much less."""
    batch, length = phones.shape
    place = phones.device
    share = torch.rand(batch, 1, device=place) ** 1.5 * most
    draw, there = torch.rand(batch, length, device=place), phones > 0
    changed = there & (draw < share * CHANGED)
    lost = there & ~changed & (draw < share * (CHANGED + LOST))
    added = there & (torch.rand(batch, length, device=place) < share * ADDED)
    other = taken_for(phones, odds)
    heard = torch.where(changed, other, phones)
    second = torch.where(changed & (torch.rand(batch, length, device=place) < 0.6), phones, taken_for(heard.clamp(min=1), odds))
    doubt = torch.rand(batch, length, device=place)
    sure = torch.where(changed, 0.95 - 0.5 * doubt, 1 - (0.1 + share) * doubt ** 2)
    extra = torch.randint(1, len(PHONES) + 1, (batch, length), device=place)
    sure_extra = 0.9 - 0.5 * torch.rand(batch, length, device=place)
    # Each phone is followed by what is added after it; then what is not there falls out.
    keep = torch.stack([there & ~lost, added], 2).flatten(1)
    to = keep.long().cumsum(1) - 1
    room = length + length // 4 + 1
    to = torch.where(keep & (to < room), to, room)

    def placed(own, more):
        values = torch.stack([own, more], 2).flatten(1)
        return torch.zeros(batch, room + 1, dtype=values.dtype, device=place).scatter(1, to, values)[:, :room]

    heard, second, sure = placed(heard, extra), placed(second, taken_for(extra, odds)), placed(sure, sure_extra)
    rest = (1 - sure) * (0.2 + 0.8 * torch.rand(batch, room, device=place)) * (heard > 0)
    return heard, second * (heard > 0), torch.stack([sure, rest], 2)
