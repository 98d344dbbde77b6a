"""All comparisons one after the other, and one table of their ratios.

``python bench/summary.py [--full] [--only NAME] [--json FILE]``: about six minutes at the short size, which is for seeing that
nothing has got slow; ``--full`` takes the sizes that the README's figures were measured at.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.openfisca_env import openfisca_python  # noqa: E402  (the checkout comes first on the path)

# Script → options at the short size. Each writes with --json a list of results, or a mapping with one under "results".
SCRIPTS = {
    "eligibility_http": ["--rounds", "5", "--seconds", "2"],
    "eligibility_population_run": ["--rounds", "5", "--households", "100000"],
    "imports": ["--rows", "60000", "--growth-rows", "15000", "--usual-rows", "3000"],
    "status_query": ["--rounds", "5", "--seconds", "2", "--people", "20000"],
}


@dataclass(frozen=True, slots=True)
class Result:
    """One ratio; ``relation`` and ``target`` say what it has to be, if anything."""

    name: str
    ratio: float
    relation: str | None = None
    target: float | None = None

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        met = self.ratio >= self.target if self.relation == "≥" else self.ratio <= self.target
        return "met" if met else "NOT MET"


def measured(script: str, options: list[str]) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="mz-bench-") as folder:
        found = Path(folder) / "found.json"
        command = [sys.executable, str(ROOT / "bench" / f"{script}.py"), *options, "--json", str(found)]
        print(f"\n== {script} {' '.join(options)}", flush=True)
        subprocess.run(command, check=True, cwd=ROOT)
        read: Any = json.loads(found.read_text())
    return [Result(**one) for one in (read["results"] if isinstance(read, dict) else read)]


def table(results: list[Result]) -> str:
    lines = [f"{'':58} {'ratio':>7}  {'target':>7}"]
    for one in results:
        target = f"{one.relation} {one.target:4.2f}" if one.target is not None else ""
        lines.append(f"{one.name:58} {one.ratio:7.2f}  {target:>7}  {one.verdict}")
    load = "/".join(f"{share:.1f}" for share in os.getloadavg())
    return "\n".join([*lines, f"on {os.cpu_count()} cores, load {load} at the end"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", choices=sorted(SCRIPTS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chosen = [options.only] if options.only else list(SCRIPTS)
    if any(script.startswith("eligibility") for script in chosen):
        openfisca_python()  # installed before anything is timed
    results = [one for script in chosen for one in measured(script, [] if options.full else SCRIPTS[script])]
    print("\n" + table(results))
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in results], indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
