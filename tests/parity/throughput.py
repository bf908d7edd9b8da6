"""Measure the texts per second of a running engine over its socket: one by one, by several callers, and in bulk.

usage: throughput.py SOCKET [COUNT]

The texts are like package descriptions, 10 to 60 words; COUNT is 1,000 if left out. Also shows how long single
queries take while bulk work runs. Needs nothing but Python.
"""

import random
import socket
import struct
import sys
import threading
import time

from texts import WORDS


def frame(texts, bulk):
    """Write an embedding request for the default model."""
    inputs = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    body = struct.pack("<BBBII", 1, 1, bulk, 0, len(texts)) + inputs
    return struct.pack("<I", len(body)) + body


def ask(line, texts, bulk):
    """Send a request, read the reply and give its vectors."""
    line.sendall(frame(texts, bulk))
    reply = line.makefile("rb")
    (length,) = struct.unpack("<I", reply.read(4))
    body = reply.read(length)
    if body[0] != 0x81:
        sys.exit(f"the engine answers {body[:200]!r}")
    dimensions, count = struct.unpack_from("<II", body, 1)
    size = 5 + 4 * dimensions
    vectors = [struct.unpack_from(f"<{dimensions}f", body, 9 + at * size + 5) for at in range(count)]
    if count != len(texts):
        sys.exit(f"{count} vectors for {len(texts)} texts")
    return vectors


def connect(path):
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    return line


def singles(path, texts, times):
    """Embed the texts one by one; append how long each took."""
    with connect(path) as line:
        for text in texts:
            start = time.perf_counter()
            ask(line, [text], 0)
            times.append(time.perf_counter() - start)


def show(name, count, seconds, times):
    times = sorted(times) or [0.0]
    middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(f"{name:28} {count / seconds:8.1f} texts/s   median {middle * 1e3:7.1f} ms   p99 {late * 1e3:7.1f} ms")


def concurrent(path, texts, callers):
    """Embed the texts one by one by several callers at once."""
    times = []
    threads = [threading.Thread(target=singles, args=(path, texts[at::callers], times)) for at in range(callers)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    show(f"one by one, {callers} caller(s)", len(texts), time.perf_counter() - start, times)


def bulk(path, texts, size):
    """Embed the texts in bulk requests of some size."""
    with connect(path) as line:
        start = time.perf_counter()
        for at in range(0, len(texts), size):
            ask(line, texts[at:at + size], 1)
        show(f"bulk, {size} a request", len(texts), time.perf_counter() - start, [])


def under_load(path, texts):
    """Ask single queries until a bulk request is answered."""
    worker = threading.Thread(target=bulk, args=(path, texts, len(texts)))
    times = []
    worker.start()
    time.sleep(0.2)
    start = time.perf_counter()
    while worker.is_alive():
        singles(path, [b"white running shoes"], times)
        time.sleep(0.02)
    show("queries beside that bulk", len(times), time.perf_counter() - start, times)


def main(path, count):
    source = random.Random(7)
    texts = [" ".join(source.choice(WORDS) for _ in range(source.randrange(10, 61))).encode() for _ in range(count)]
    with connect(path) as line:
        ask(line, texts[:20], 1)
    concurrent(path, texts, 1)
    concurrent(path, texts, 8)
    bulk(path, texts, 256)
    bulk(path, texts, count)
    under_load(path, texts)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 1000)
