"""The picture that stands for a photograph in the demo's evidence."""

from __future__ import annotations

import struct
import zlib

from app.demo.photo import HEIGHT, SIGNATURE, WIDTH, office_front


def chunks(content: bytes) -> dict[bytes, bytes]:
    """Kind → content; every checksum has to be right."""
    found: dict[bytes, bytes] = {}
    place = len(SIGNATURE)
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        kind, inner = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        assert struct.unpack(">I", content[place + 8 + length : place + 12 + length]) == (zlib.crc32(kind + inner),)
        found[kind] = inner
        place += 12 + length
    return found


def test_it_is_a_picture_of_its_own_for_each_seed() -> None:
    first, again, other = office_front("350702001"), office_front("350702001"), office_front("350702002")
    assert first == again != other
    assert first.startswith(SIGNATURE)
    parts = chunks(first)
    assert list(parts) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert struct.unpack(">II", parts[b"IHDR"][:8]) == (WIDTH, HEIGHT)
    pixels = zlib.decompress(parts[b"IDAT"])
    assert len(pixels) == HEIGHT * (WIDTH + 1)
    assert max(pixels) < len(parts[b"PLTE"]) // 3
