"""Sounds that have names, made of tones and noise. Every call draws its pitch, pace, length and colour anew.

`SOUNDS` maps a name to (texts that mean it, a function of a numpy generator to samples at RATE). They are sketches of these sounds,
not recordings.
"""

import numpy
from scipy import signal

from distort import coloured
from hearing import RATE

TAU = 2 * numpy.pi


def clock(seconds):
    return numpy.arange(round(seconds * RATE)) / RATE


def tone(pitch, time):
    """A sine of a pitch that may change, in hertz."""
    return numpy.sin(TAU * numpy.cumsum(numpy.broadcast_to(pitch, time.shape)) / RATE)


def band(chance, seconds, low, high, slope=0.0):
    noise = coloured(chance, round(seconds * RATE), slope)
    sos = signal.butter(2, [max(low, 20), min(high, 7900)], "bandpass", fs=RATE, output="sos")
    return signal.sosfilt(sos, noise)


def struck(partials, seconds, decay):
    """Partials (pitch, strength) that die away, high ones sooner."""
    time = clock(seconds)
    lowest = partials[0][0]
    return sum(strength * tone(pitch, time) * numpy.exp(-time * decay * (pitch / lowest) ** 0.5) for pitch, strength in partials)


def placed(seconds, starts, one):
    """Copies of what `one(number)` makes, at the starts in seconds."""
    made = numpy.zeros(round(seconds * RATE) + 1)
    for number, start in enumerate(starts):
        at = int(start * RATE)
        piece = one(number)[:max(len(made) - at, 0)]
        made[at:at + len(piece)] += piece
    return made


def every(chance, seconds, gap, jitter=0.05):
    starts = numpy.arange(0, seconds, gap)
    return numpy.maximum(starts + chance.normal(0, jitter * gap, len(starts)), 0)


def harmonics(pitch, time, count, fall):
    return sum(tone(numpy.asarray(pitch) * n, time) / n ** fall for n in range(1, count + 1))


def bell(chance):
    pitch, seconds = chance.uniform(300, 1400), chance.uniform(1.5, 4)
    ring = struck([(pitch * ratio, chance.uniform(0.4, 1)) for ratio in (1, 1.19, 1.5, 2, 2.51, 2.66, 3.01, 4.1)], seconds, chance.uniform(1.2, 3))
    return placed(seconds, every(chance, seconds, chance.uniform(0.7, 2.0)), lambda _: ring)


def church_bell(chance):
    pitch, seconds = chance.uniform(90, 220), chance.uniform(3, 6)
    ring = struck([(pitch * ratio, chance.uniform(0.4, 1)) for ratio in (1, 2, 2.4, 3, 4, 5.3, 6.7)], seconds, chance.uniform(0.5, 1))
    return placed(seconds, every(chance, seconds, chance.uniform(1.5, 3)), lambda _: ring)


def doorbell(chance):
    high = chance.uniform(550, 850)
    strike = [struck([(pitch, 1), (pitch * 2, 0.4), (pitch * 3, 0.2)], 1.3, 2.5) for pitch in (high, high * 0.8)]
    return placed(2.2, [0.05, chance.uniform(0.45, 0.75)], lambda at: strike[at])


def alarm_clock(chance):
    pitch, seconds, beep = chance.uniform(1800, 3200), chance.uniform(2, 4), chance.uniform(0.05, 0.1)
    starts = [start + at * beep * 1.8 for start in numpy.arange(0, seconds, 1.0) for at in range(4)]
    return placed(seconds, starts, lambda _: numpy.sign(tone(pitch, clock(beep))) * 0.5)


def telephone(chance):
    low, seconds = chance.uniform(380, 460), chance.uniform(2, 5)
    time = clock(chance.uniform(0.8, 1.6))
    ring = (tone(low, time) + tone(low * 1.1, time)) * (0.6 + 0.4 * numpy.sign(tone(chance.uniform(18, 26), time)))
    return placed(seconds, every(chance, seconds, len(time) / RATE + chance.uniform(0.5, 1.5), 0), lambda _: ring)


def siren(chance):
    time = clock(chance.uniform(3, 6))
    swing = signal.sawtooth(TAU * chance.uniform(0.2, 0.6) * time + chance.uniform(0, 6), 0.5) if chance.random() < 0.5 else tone(chance.uniform(0.2, 4), time)
    return harmonics(chance.uniform(700, 1000) * (1 + chance.uniform(0.2, 0.4) * swing), time, 5, 1.2)


def ambulance(chance):
    time, low = clock(chance.uniform(3, 6)), chance.uniform(420, 700)
    high = signal.square(TAU * chance.uniform(0.5, 1.1) * time) > 0
    return harmonics(numpy.where(high, low * chance.uniform(1.2, 1.4), low), time, 6, 1.0)


def rain(chance):
    seconds = chance.uniform(2, 6)
    drops = placed(seconds, chance.uniform(0, seconds, int(seconds * chance.uniform(100, 400))),
                   lambda _: chance.uniform(0.2, 1) * numpy.exp(-clock(0.006) * 900) * chance.standard_normal(len(clock(0.006))))
    hiss = band(chance, seconds, 600, 7800, 0.3)
    return hiss + drops[:len(hiss)] * chance.uniform(0.5, 2)


def wind(chance):
    seconds = chance.uniform(3, 6)
    slow = signal.sosfilt(signal.butter(2, 0.7, fs=RATE, output="sos"), chance.standard_normal(round(seconds * RATE)))
    centre = chance.uniform(250, 600)
    return band(chance, seconds, centre * 0.6, centre * 1.6) * numpy.exp(slow / (slow.std() + 1e-9) * 0.8)


def thunder(chance):
    seconds = chance.uniform(2.5, 6)
    time = clock(seconds)
    rolls = sum(numpy.exp(-((time - place) / chance.uniform(0.1, 0.6)) ** 2) * chance.uniform(0.3, 1) for place in chance.uniform(0, seconds * 0.7, 5))
    return band(chance, seconds, 25, chance.uniform(180, 500), 1.5) * (rolls + numpy.exp(-time * chance.uniform(1, 3)))


def waves(chance):
    seconds = chance.uniform(4, 8)
    time, period = clock(seconds), chance.uniform(2.5, 5)
    swell = (signal.sawtooth(TAU * time / period + chance.uniform(0, 6), 0.35) * 0.5 + 0.5) ** 2 + 0.05
    return band(chance, seconds, 150, 5000, 0.8) * swell


def engine(chance):
    seconds, pace = chance.uniform(2, 5), chance.uniform(18, 45)
    time = clock(seconds)
    wobble = pace * (1 + 0.03 * tone(chance.uniform(0.3, 2), time))
    pulse = numpy.maximum(harmonics(wobble, time, 20, chance.uniform(0.4, 0.9)), 0)
    return signal.sosfilt(signal.butter(2, chance.uniform(700, 2000), fs=RATE, output="sos"), pulse * (1 + 0.3 * chance.standard_normal(len(time))))


def motorcycle(chance):
    time = clock(chance.uniform(2.5, 5))
    rise = 45 + chance.uniform(40, 120) * numpy.abs(tone(chance.uniform(0.1, 0.4), time))
    return numpy.tanh(3 * harmonics(rise, time, 25, 0.5)) + 0.2 * band(chance, len(time) / RATE, 300, 4000)


def helicopter(chance):
    seconds, pace = chance.uniform(3, 6), chance.uniform(8, 16)
    time = clock(seconds)
    chop = numpy.exp(-((time * pace) % 1.0) * chance.uniform(4, 8))
    return band(chance, seconds, 40, 1200, 1.0) * chop + 0.15 * harmonics(chance.uniform(90, 160), time, 8, 1)


def jet(chance):
    seconds = chance.uniform(3, 6)
    time = clock(seconds)
    near = numpy.exp(-((time / seconds - chance.uniform(0.3, 0.7)) / 0.35) ** 2) + 0.1
    return (band(chance, seconds, 80, 5000, 1.0) + 0.3 * tone(chance.uniform(1500, 3500) * (1.1 - 0.25 * time / seconds), time)) * near


def train(chance):
    seconds, gap = chance.uniform(3, 6), chance.uniform(0.45, 0.9)
    starts = [start + more for start in numpy.arange(0, seconds, gap) for more in (0, gap * 0.25)]
    clack = band(chance, 0.09, 150, 2500, 0.5) * numpy.exp(-clock(0.09) * 45)
    return placed(seconds, starts, lambda _: clack * 3)[:-1] + 0.5 * band(chance, seconds, 40, 600, 1.2)


def whistle_of_train(chance):
    time = clock(chance.uniform(1, 2.5))
    chord = sum(harmonics(pitch * chance.uniform(0.98, 1.02), time, 4, 1) for pitch in (311, 370, 415, 494))
    return chord * numpy.minimum(1, 8 * time) + 0.3 * band(chance, len(time) / RATE, 500, 5000)


def knocking(chance):
    seconds, gap = chance.uniform(1.2, 3), chance.uniform(0.16, 0.4)
    body = chance.uniform(120, 380)
    knock = struck([(body, 1), (body * 1.9, 0.6), (body * 3.2, 0.4)], 0.15, chance.uniform(25, 50)) + band(chance, 0.15, 200, 2500) * numpy.exp(-clock(0.15) * 110)
    return placed(seconds, every(chance, seconds * 0.8, gap, 0.04), lambda _: knock * chance.uniform(0.7, 1))


def footsteps(chance):
    seconds, gap = chance.uniform(2.5, 5), chance.uniform(0.42, 0.75)
    step = band(chance, 0.12, 60, chance.uniform(500, 1500), 1) * numpy.exp(-clock(0.12) * 40)
    scrape = band(chance, 0.12, 1500, 6000) * numpy.exp(-((clock(0.12) - 0.06) / 0.03) ** 2) * chance.uniform(0.1, 0.4)
    return placed(seconds, every(chance, seconds, gap, 0.05), lambda _: (step + scrape) * chance.uniform(0.6, 1))


def applause(chance):
    seconds, hands = chance.uniform(2, 5), int(chance.integers(8, 60))
    claps = numpy.concatenate([every(chance, seconds, chance.uniform(0.18, 0.3), 0.1) + chance.uniform(0, 0.2) for _ in range(hands)])
    kinds = [band(chance, 0.03, chance.uniform(600, 1200), chance.uniform(1800, 3500)) * numpy.exp(-clock(0.03) * 160) for _ in range(12)]
    return placed(seconds, claps, lambda at: kinds[at % 12])


def whistle(chance):
    time = clock(chance.uniform(0.6, 2))
    pitch = chance.uniform(1800, 3400) * (1 + chance.uniform(0.01, 0.05) * tone(chance.uniform(20, 40), time))
    return tone(pitch, time) * numpy.minimum(1, 20 * time) + 0.05 * band(chance, len(time) / RATE, 1500, 5000)


def birds(chance):
    seconds, base = chance.uniform(2, 5), chance.uniform(2200, 4500)

    def chirp(_):
        time = clock(chance.uniform(0.06, 0.2))
        place = time / time[-1]
        return tone(base * (1 + chance.uniform(-0.3, 0.3) * place + 0.12 * numpy.sin(TAU * chance.uniform(1, 4) * place)), time) * numpy.sin(numpy.pi * place)
    return placed(seconds, numpy.sort(chance.uniform(0, seconds, int(seconds * chance.uniform(2, 6)))), chirp)


def crickets(chance):
    seconds, pitch, gap = chance.uniform(2, 5), chance.uniform(3800, 5500), chance.uniform(0.35, 0.8)
    pulse = tone(pitch, clock(0.018)) * numpy.hanning(len(clock(0.018)))
    starts = [start + at * 0.03 for start in numpy.arange(0, seconds, gap) for at in range(int(chance.integers(3, 6)))]
    return placed(seconds, starts, lambda _: pulse)


def bees(chance):
    time = clock(chance.uniform(2, 5))
    pitch = chance.uniform(170, 290) * (1 + 0.04 * tone(chance.uniform(1, 5), time) + 0.02 * tone(chance.uniform(7, 15), time))
    return harmonics(pitch, time, 14, 0.7) * (0.6 + 0.4 * tone(chance.uniform(0.3, 1), time))


def barking(chance):
    seconds, base = chance.uniform(1.2, 3.5), chance.uniform(250, 600)

    def bark(_):
        time = clock(chance.uniform(0.12, 0.25))
        place = time / time[-1]
        voice = harmonics(base * (1 + 0.5 * numpy.sin(numpy.pi * place)), time, 12, 0.5) + band(chance, len(time) / RATE, 400, 2500) * 1.5
        return voice[:len(time)] * numpy.sin(numpy.pi * place) ** 0.5
    return placed(seconds, every(chance, seconds, chance.uniform(0.35, 0.8), 0.1), bark)


def meowing(chance):
    seconds, base = chance.uniform(1, 3), chance.uniform(450, 750)

    def meow(_):
        time = clock(chance.uniform(0.5, 0.9))
        place = time / time[-1]
        bright = numpy.sin(numpy.pi * place)
        pitch = base * (1 + 0.35 * numpy.sin(numpy.pi * place ** 0.7))
        return (tone(pitch, time) + bright * sum(tone(pitch * n, time) / n ** 0.6 for n in range(2, 8))) * bright ** 0.6
    return placed(seconds, every(chance, seconds, 1.2, 0.05), meow)


def cow(chance):
    time = clock(chance.uniform(1.2, 2.2))
    place = time / time[-1]
    pitch = chance.uniform(90, 160) * (1 + 0.3 * numpy.sin(numpy.pi * place ** 1.5))
    voice = signal.sosfilt(signal.butter(2, [120, 900], "bandpass", fs=RATE, output="sos"), harmonics(pitch, time, 25, 0.3))
    return voice * numpy.sin(numpy.pi * place) ** 0.4


def ticking(chance):
    seconds, gap = chance.uniform(2.5, 5), chance.uniform(0.25, 1.0)
    tick = [struck([(pitch, 1), (pitch * 1.7, 0.7)], 0.03, 220) for pitch in chance.uniform(1500, 4000, 2)]
    return placed(seconds, every(chance, seconds, gap, 0), lambda at: tick[at % 2])


def heartbeat(chance):
    seconds, gap = chance.uniform(2.5, 5), chance.uniform(0.6, 1.1)
    thump = struck([(chance.uniform(40, 70), 1), (110, 0.3)], 0.18, 22)
    return placed(seconds, [start + more for start in numpy.arange(0, seconds, gap) for more in (0, 0.28 * gap + 0.08)], lambda at: thump * (1 if at % 2 == 0 else 0.7))


def drums(chance):
    seconds, gap = chance.uniform(2, 5), chance.uniform(0.16, 0.3)
    low = struck([(chance.uniform(55, 90), 1)], 0.25, 14) * 1.5
    snare = band(chance, 0.15, 200, 6000) * numpy.exp(-clock(0.15) * 25)
    hat = band(chance, 0.05, 5000, 7800) * numpy.exp(-clock(0.05) * 90) * 0.6
    return placed(seconds, numpy.arange(0, seconds, gap), lambda at: [low, hat, snare, hat][at % 4])


SCALE = numpy.array([0, 2, 4, 5, 7, 9, 11, 12])


def melody(chance, low, high, gap, note):
    seconds, base = chance.uniform(2, 5), chance.uniform(low, high)
    return placed(seconds, every(chance, seconds, gap, 0.01), lambda _: note(base * 2 ** (chance.choice(SCALE) / 12)))


def plucked(chance, pitch, seconds, fall):
    """A string after Karplus and Strong."""
    period = max(int(RATE / pitch), 2)
    burst = numpy.zeros(round(seconds * RATE))
    burst[:period] = chance.standard_normal(period)
    taps = numpy.zeros(period + 2)
    taps[0], taps[period], taps[period + 1] = 1, -fall / 2, -fall / 2
    return signal.lfilter([1.0], taps, burst)


def guitar(chance):
    return melody(chance, 100, 260, chance.uniform(0.2, 0.5), lambda pitch: plucked(chance, pitch, 1.4, 0.996))


def piano(chance):
    return melody(chance, 180, 420, chance.uniform(0.25, 0.6), lambda pitch: struck([(pitch * n * (1 + 0.0004 * n * n), 1 / n ** 1.3) for n in range(1, 9)], 1.3, 2.2))


def flute(chance):
    def note(pitch):
        time = clock(0.55)
        return (tone(pitch * (1 + 0.006 * tone(5, time)), time) + 0.15 * tone(pitch * 2, time) + 0.04 * band(chance, 0.55, 1000, 5000)) * numpy.hanning(len(time)) ** 0.3
    return melody(chance, 450, 800, 0.5, note)


def violin(chance):
    def note(pitch):
        time = clock(0.9)
        return harmonics(pitch * (1 + 0.008 * tone(5.5, time)), time, 14, 0.8) * numpy.hanning(len(time)) ** 0.25
    return melody(chance, 260, 520, 0.8, note)


def trumpet(chance):
    def note(pitch):
        time = clock(0.5)
        return harmonics(pitch, time, 12, 0.25) * numpy.minimum(1, 25 * time) * numpy.exp(-time * 1.2)
    return melody(chance, 230, 420, chance.uniform(0.3, 0.5), note)


def typing(chance):
    seconds = chance.uniform(2, 5)
    return placed(seconds, numpy.cumsum(chance.uniform(0.07, 0.28, int(seconds * 7))) % seconds, lambda _: band(chance, 0.025, 1200, 6500) * numpy.exp(-clock(0.025) * 200) * chance.uniform(0.5, 1))


def dripping(chance):
    seconds = chance.uniform(2.5, 5)

    def drop(_):
        time = clock(0.09)
        return tone(chance.uniform(700, 1300) * (1 + 9 * time), time) * numpy.exp(-time * 45)
    return placed(seconds, every(chance, seconds, chance.uniform(0.4, 1.2), 0.15), drop)


def fire(chance):
    seconds = chance.uniform(2.5, 5)
    crack = placed(seconds, chance.uniform(0, seconds, int(seconds * chance.uniform(8, 25))),
                   lambda _: band(chance, 0.02, 800, 7000) * numpy.exp(-clock(0.02) * 250) * chance.exponential(1.0) * 3)
    return crack[:-1] + band(chance, seconds, 50, 500, 1.5) * 0.4


def glass(chance):
    seconds = 1.5
    shards = placed(seconds, chance.exponential(0.18, 40), lambda _: struck([(chance.uniform(2500, 7000), 1)], 0.2, chance.uniform(15, 50)) * chance.uniform(0.1, 1))
    return shards[:-1] + band(chance, seconds, 1500, 7800) * numpy.exp(-clock(seconds) * 18) * 3


def explosion(chance):
    seconds = chance.uniform(1.5, 4)
    time = clock(seconds)
    return numpy.tanh(4 * band(chance, seconds, 25, chance.uniform(500, 2000), 1.2) * numpy.exp(-time * chance.uniform(1.2, 3)))


def horn(chance):
    low = chance.uniform(330, 430)
    time = clock(chance.uniform(0.3, 1.0))
    honk = (harmonics(low, time, 10, 0.5) + harmonics(low * 1.25, time, 10, 0.5)) * numpy.minimum(1, 40 * time)
    return placed(2.2, [0.05, chance.uniform(1.15, 1.3)][:int(chance.integers(1, 3))], lambda _: honk)


def buzzer(chance):
    time = clock(chance.uniform(0.6, 1.6))
    return signal.square(TAU * chance.uniform(90, 180) * time)


def arcade(chance):
    seconds, base = chance.uniform(1.5, 4), chance.uniform(250, 600)
    note = chance.uniform(0.06, 0.12)
    return placed(seconds, numpy.arange(0, seconds, note), lambda _: signal.square(TAU * base * 2 ** (chance.choice(SCALE) / 12) * clock(note * 0.95)))


SOUNDS = {
    "bell": (["bell", "the sound of a bell", "a bell is ringing"], bell),
    "church bell": (["church bell", "church bells ringing"], church_bell),
    "doorbell": (["doorbell", "the doorbell rings"], doorbell),
    "alarm clock": (["alarm clock", "an alarm clock is beeping"], alarm_clock),
    "telephone": (["telephone ringing", "a ringing telephone"], telephone),
    "siren": (["siren", "the siren of a police car"], siren),
    "ambulance": (["ambulance", "the siren of an ambulance"], ambulance),
    "rain": (["rain", "the sound of rain", "falling rain"], rain),
    "wind": (["wind", "the sound of the wind"], wind),
    "thunder": (["thunder", "the sound of thunder"], thunder),
    "ocean waves": (["ocean waves", "waves on the beach"], waves),
    "engine": (["engine", "a running engine"], engine),
    "motorcycle": (["motorcycle", "the sound of a motorcycle"], motorcycle),
    "helicopter": (["helicopter", "the sound of a helicopter"], helicopter),
    "airplane": (["airplane", "a jet airplane flying by"], jet),
    "train": (["train", "a train on its rails"], train),
    "train whistle": (["train whistle", "the whistle of a locomotive"], whistle_of_train),
    "knocking": (["knocking", "somebody knocks at the door"], knocking),
    "footsteps": (["footsteps", "the sound of footsteps"], footsteps),
    "applause": (["applause", "people clapping their hands"], applause),
    "whistle": (["whistle", "a blown whistle"], whistle),
    "bird song": (["bird", "birds singing"], birds),
    "crickets": (["cricket", "crickets chirping at night"], crickets),
    "bees": (["bee", "buzzing bees"], bees),
    "barking": (["dog", "a barking dog"], barking),
    "meowing": (["cat", "a meowing cat"], meowing),
    "cow": (["cow", "a mooing cow"], cow),
    "ticking clock": (["clock", "a ticking clock"], ticking),
    "heartbeat": (["heartbeat", "a beating heart"], heartbeat),
    "drums": (["drum", "playing the drums"], drums),
    "guitar": (["guitar", "playing the guitar"], guitar),
    "piano": (["piano", "playing the piano"], piano),
    "flute": (["flute", "playing the flute"], flute),
    "violin": (["violin", "playing the violin"], violin),
    "trumpet": (["trumpet", "playing the trumpet"], trumpet),
    "typing": (["keyboard", "typing on a keyboard"], typing),
    "dripping water": (["dripping water", "a dripping tap"], dripping),
    "fire": (["fire", "a crackling fire"], fire),
    "breaking glass": (["breaking glass", "glass is broken"], glass),
    "explosion": (["explosion", "a loud explosion"], explosion),
    "car horn": (["car horn", "a honking car"], horn),
    "buzzer": (["buzzer", "an electric buzzer"], buzzer),
    "video game": (["video game", "sounds of a video game"], arcade),
}


def nothing(chance):
    """Silence, noise of every colour, hum, clicks, slow tones: what means nothing."""
    seconds, kind = chance.uniform(0.3, 6), int(chance.integers(0, 7))
    time = clock(seconds)
    if kind == 0:
        return chance.standard_normal(len(time)) * 1e-4
    if kind in (1, 2):
        return coloured(chance, len(time), chance.uniform(0, 2.5))
    if kind == 3:
        return harmonics(chance.choice([50, 60]), time, int(chance.integers(1, 8)), 1) + 0.2 * coloured(chance, len(time), 1)
    if kind == 4:
        return placed(seconds, chance.uniform(0, seconds, int(chance.integers(1, 6))), lambda _: numpy.array([1.0, -1.0])) + 1e-4 * chance.standard_normal(len(time) + 1)
    if kind == 5:
        return tone(chance.uniform(100, 4000), time)
    low = chance.uniform(50, 4000)
    return band(chance, seconds, low, low * chance.uniform(1.5, 3))
