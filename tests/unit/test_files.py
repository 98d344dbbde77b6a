"""Files under seal: cut, sealed for their place, read like one file; uploads read as they come."""

from __future__ import annotations

import errno
import hashlib
import io
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.errors import Malformed, TooLarge, Unavailable
from app.files import PART_BYTES, PartsReader, SealedSpool
from app.files.multipart import Upload, receive
from app.ids import new_id
from app.security.fields import Field, FieldCipher, SealBroken
from app.security.keys import KeyRing

BOUNDARY = "a-boundary"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
CONTENT = random.Random(7).randbytes(2 * PART_BYTES + 12_345)


@pytest.fixture(scope="module")
def cipher(tmp_path_factory: pytest.TempPathFactory) -> FieldCipher:
    path: Path = tmp_path_factory.mktemp("keys") / "keys.json"
    return FieldCipher(KeyRing.create(path, "aes-256-gcm-siv", demo=True))


def spool_of(cipher: FieldCipher, max_bytes: int = 16 << 20) -> SealedSpool:
    return SealedSpool(cipher, new_id(), max_bytes=max_bytes)


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """Name, file name (None: a plain field), content."""
    lines = []
    for name, file_name, content in parts:
        file = "" if file_name is None else f'; filename="{file_name}"'
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        lines.append(head.encode() + content + b"\r\n")
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


async def received(cipher: FieldCipher, body: bytes, piece: int = 65_536, max_bytes: int = 16 << 20) -> Upload:
    async def stream() -> AsyncIterator[bytes]:
        for begin in range(0, len(body), piece):
            yield body[begin : begin + piece]

    spool = spool_of(cipher, max_bytes)
    try:
        return await receive(CONTENT_TYPE, stream(), spool)
    except BaseException:
        spool.close()
        raise


def opened(cipher: FieldCipher, spool: SealedSpool) -> bytes:
    parts = enumerate(spool.sealed_parts())
    return b"".join(cipher.open_bytes(Field.FILE, spool.file_id, sealed, part=number) for number, sealed in parts)


@pytest.mark.parametrize("piece", [7_919, 65_536, 5 << 20])
async def test_an_upload_arrives_whole_however_it_is_cut(cipher: FieldCipher, piece: int) -> None:
    body = form(("kind", None, b"people"), ("file", "C:\\表格\\人员.csv", CONTENT), ("dry_run", None, b"true"))
    upload = await received(cipher, body, piece)
    try:
        assert upload.fields == {"kind": "people", "dry_run": "true"}
        assert (upload.file_field, upload.file_name) == ("file", "人员.csv")
        assert (upload.spool.size_bytes, upload.spool.parts) == (len(CONTENT), 3)
        assert upload.spool.sha256 == hashlib.sha256(CONTENT).hexdigest()
        assert opened(cipher, upload.spool) == CONTENT
    finally:
        upload.close()


async def test_small_uploads_survive_being_cut_anywhere(cipher: FieldCipher) -> None:
    body = form(("kind", None, b"people"), ("file", "a.csv", b"1,2\r\n--a-bound\r\n"))
    for piece in range(1, 40):
        upload = await received(cipher, body, piece)
        assert opened(cipher, upload.spool) == b"1,2\r\n--a-bound\r\n"
        assert upload.fields == {"kind": "people"}
        upload.close()


async def test_what_an_upload_is_decides_its_fingerprint(cipher: FieldCipher) -> None:
    bodies = [
        form(("kind", None, b"people"), ("file", "a.csv", b"1")),
        form(("kind", None, b"people"), ("file", "a.csv", b"2")),
        form(("kind", None, b"people"), ("file", "b.csv", b"1")),
        form(("kind", None, b"people"), ("file", "a.csv", b"1"), ("mode", None, b"insert")),
        form(("file", "a.csv", b"1"), ("kind", None, b"people")),
    ]
    uploads = [await received(cipher, body) for body in bodies]
    prints = [tuple(upload.fingerprint()) for upload in uploads]
    for upload in uploads:
        upload.close()
    assert len(set(prints[:4])) == 4
    assert prints[4] == prints[0], "the order of the parts says nothing"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (form(("kind", None, b"a"), ("kind", None, b"b")), "duplicate_field"),
        (form(("kind", None, b"x" * 5_000)), "too_long"),
        (form(("kind", None, b"\xff\xfe")), "invalid_encoding"),
        (form(("kind", None, b"a\x00b")), "invalid_characters"),
        (form(*((f"f{n}", None, b"") for n in range(30))), "too_many"),
        (form(("file", "a", b"1"), ("other", "b", b"2")), "too_many"),
        (form(("kind", None, b"people"))[:-9], "invalid"),
        (b"--a-boundary\r\nX-Nothing: 1\r\n\r\nvalue\r\n--a-boundary--\r\n", "invalid"),
        (b"", "invalid"),
    ],
)
async def test_broken_uploads_are_refused_with_a_place(cipher: FieldCipher, body: bytes, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        await received(cipher, body)
    assert [error.code for error in refused.value.errors] == [code]


async def test_a_file_name_that_is_not_utf_8_is_called_that(cipher: FieldCipher) -> None:
    body = form(("file", "NAME", b"1")).replace(b"NAME", "人员.csv".encode("gb18030"))
    with pytest.raises(Malformed) as refused:
        await received(cipher, body)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/file", "invalid_encoding")]
    assert refused.value.errors[0].message.startswith("文件名须为 UTF-8")


async def test_a_file_name_reads_as_what_it_is(cipher: FieldCipher) -> None:
    upload = await received(cipher, form(("file", "人员\u202evsc\u2066\u200b.exe\u061c", b"1")))
    upload.close()
    assert upload.file_name == "人员vsc.exe"


async def test_too_much_is_refused_before_it_is_all_there(cipher: FieldCipher) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'.encode()
        while True:
            taken += PART_BYTES
            yield bytes(PART_BYTES)

    spool = spool_of(cipher, max_bytes=3 * PART_BYTES)
    with pytest.raises(TooLarge):
        await receive(CONTENT_TYPE, endless(), spool)
    spool.close()
    assert taken == 4 * PART_BYTES


def test_a_full_disk_is_a_passing_fault(cipher: FieldCipher, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_content: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    spool = spool_of(cipher)
    monkeypatch.setattr(spool._sealed, "write", full)
    spool.add(CONTENT)
    with pytest.raises(Unavailable) as refused:
        spool.seal()
    assert refused.value.retry_after_seconds
    spool.close()


def test_a_part_opens_at_its_own_place_only(cipher: FieldCipher) -> None:
    spool = spool_of(cipher)
    spool.add(CONTENT)
    spool.end()
    first, second, _ = spool.sealed_parts()
    assert CONTENT[:64] not in first
    for file_id, number, sealed in ((spool.file_id, 1, first), (spool.file_id, 0, second), (new_id(), 0, first)):
        with pytest.raises(SealBroken):
            cipher.open_bytes(Field.FILE, file_id, sealed, part=number)
    spool.close()


def test_parts_read_like_one_file() -> None:
    fetched: list[int] = []

    def fetch(number: int) -> bytes:
        fetched.append(number)
        return CONTENT[number * PART_BYTES : (number + 1) * PART_BYTES]

    reader, plain, chance = io.BufferedReader(PartsReader(len(CONTENT), fetch), 4096), io.BytesIO(CONTENT), random.Random(3)
    assert reader.read() == CONTENT
    assert fetched == [0, 1, 2]
    for _ in range(300):
        place, length = chance.randrange(len(CONTENT) + 100), chance.choice([0, 1, 5, 4096, 3 * PART_BYTES])
        assert reader.seek(place) == plain.seek(place)
        assert reader.read(length) == plain.read(length)
        assert reader.tell() == plain.tell()
    assert reader.seek(-10, io.SEEK_END) == len(CONTENT) - 10
    assert reader.read() == CONTENT[-10:]
    with pytest.raises(OSError, match="before the beginning"):
        reader.seek(-1)
