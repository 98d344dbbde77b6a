"""The demo's evidence: a picture of an office front, drawn here, so that nobody's real rooms are shown."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

WIDTH, HEIGHT = 480, 320
SIGNATURE = b"\x89PNG\r\n\x1a\n"
INK = {"sky": 0, "wall": 1, "ground": 2, "roof": 3, "glass": 4, "door": 5, "plate": 6, "letters": 7, "line": 8, "sun": 9}
COLOURS = ("c9e2f5", "f2e6cf", "b9b4a6", "8d3b2f", "6f9bb8", "5a4632", "fbfaf6", "a61b1b", "4a4a48", "f6d365")
Box = tuple[int, int, int, int, str]  # left, top, right, bottom, ink


def office_front(seed: str) -> bytes:
    """A PNG; each seed has its own windows and sun."""
    rows = [bytearray(WIDTH) for _ in range(HEIGHT)]
    for left, top, right, bottom, ink in _boxes(random.Random(seed)):
        for row in rows[max(top, 0) : bottom]:
            row[left:right] = bytes([INK[ink]]) * (right - left)
    return _png(rows)


def _boxes(rng: random.Random) -> Iterator[Box]:
    """From the back to the front."""
    yield (0, 0, WIDTH, HEIGHT, "sky")
    sun = rng.randrange(30, 400)
    yield (sun, 18, sun + 26, 44, "sun")
    yield (0, 262, WIDTH, HEIGHT, "ground")
    yield (50, 62, 430, 84, "roof")
    yield (62, 84, 418, 268, "wall")
    for left in (84 + rng.randrange(9), 146, 296, 358 - rng.randrange(9)):
        yield (left, 140, left + 38, 196, "line")
        yield (left + 3, 143, left + 35, 193, "glass")
        yield (left + 18, 143, left + 20, 193, "line")
    yield (204, 150, 276, 268, "line")
    yield (208, 154, 272, 268, "door")
    yield (239, 154, 241, 268, "line")
    yield (150, 94, 330, 126, "line")
    yield (152, 96, 328, 124, "plate")
    for place in range(7):  # the lettering of the plate, from afar
        yield from _letter(rng, 160 + 24 * place)


def _letter(rng: random.Random, left: int) -> Iterator[Box]:
    for stroke in range(4):
        top = 101 + 5 * stroke
        yield (left + rng.randrange(4), top, left + 13 + rng.randrange(5), top + 2, "letters")
    middle = left + 6 + rng.randrange(5)
    yield (middle, 100, middle + 2, 119, "letters")


def _png(rows: list[bytearray]) -> bytes:
    """Indexed colours, eight bits a pixel (ISO/IEC 15948)."""
    palette = b"".join(bytes.fromhex(colour) for colour in COLOURS)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", pixels), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
