"""The Python that has OpenFisca: an environment of its own, so that its numpy and Flask never meet the application's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv-bench"
LOCK = ROOT / "requirements-bench.txt"


def openfisca_python() -> Path:
    """``.venv-bench`` made from the lock when it isn't there; ``BENCH_PYTHON`` names another one to use instead."""
    if given := os.environ.get("BENCH_PYTHON"):
        return Path(given)
    python, stamp = FOLDER / "bin" / "python", FOLDER / "bench.stamp"
    if not stamp.exists() or stamp.stat().st_mtime < LOCK.stat().st_mtime:
        print("making .venv-bench (once)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet", "--require-hashes"]
        subprocess.run([*pip, "-r", str(LOCK)], check=True)
        stamp.touch()
    return python
