"""Files under seal: taken in and handed out in parts of bounded size, never in the clear outside memory.

A file is cut into parts of one MiB; each is sealed for its own place (the file's id and the part's number), so that parts
can't be swapped, and whoever holds the database holds no plain file.
"""

from app.files.parts import PART_BYTES, PartsReader
from app.files.spool import SealedSpool
from app.files.store import FileStore, KeptFile

__all__ = ["PART_BYTES", "FileStore", "KeptFile", "PartsReader", "SealedSpool"]
