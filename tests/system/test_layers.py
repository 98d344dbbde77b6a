"""The rules of the architecture that a machine can check by reading the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.jobs import everything

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app"
SOURCES = sorted(APP.rglob("*.py"))
LIBRARY = {"numpy"}  # allowed in set-wise twins only


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every imported module of a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sorted((APP / "domain").rglob("*.py")), ids=names)
def test_the_domain_imports_only_itself_and_the_standard_library(path: Path) -> None:
    allowed = set(sys.stdlib_module_names) | ({"numpy"} if path.name.endswith("_setwise.py") else set())
    outside = [
        (line, module)
        for line, module in imports(path)
        if module.split(".")[0] not in allowed and not module.startswith("app.domain")
    ]
    assert outside == []


@pytest.mark.parametrize("path", sorted((APP / "domain").rglob("*.py")), ids=names)
def test_areas_of_the_domain_meet_only_through_what_they_export(path: Path) -> None:
    parts = path.relative_to(APP / "domain").parts
    own = parts[0] if len(parts) > 1 else None
    areas = {folder.name for folder in (APP / "domain").iterdir() if folder.is_dir()}
    inside = [
        (line, module)
        for line, module in imports(path)
        if module.startswith("app.domain.") and len(split := module.split(".")) > 3 and split[2] in areas - {own}
    ]
    assert inside == []


@pytest.mark.parametrize("path", sorted((APP / "domain").rglob("*.py")), ids=names)
def test_the_domain_reads_no_clock_and_no_float(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    clock = {("date", "today"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("time", "time")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in clock, f"line {node.lineno}"
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float), f"line {node.lineno}"
        if isinstance(node, ast.Name):
            assert node.id != "float", f"line {node.lineno}"


@pytest.mark.parametrize("path", sorted((APP / "routers").rglob("*.py")), ids=names)
def test_routers_hold_no_sql_and_raise_no_http_exception(path: Path) -> None:
    source = path.read_text("utf-8")
    assert "HTTPException" not in source
    used = [module for _, module in imports(path) if module.split(".")[0] in ("sqlalchemy", "sqlmodel", "asyncpg")]
    assert [module for module in used if module != "sqlalchemy.ext.asyncio"] == []


def test_only_one_file_imports_jose() -> None:
    users = {names(path) for path in SOURCES for _, module in imports(path) if module.split(".")[0] == "jose"}
    assert users == {"app/security/tokens.py"}


@pytest.mark.parametrize("path", [p for p in SOURCES if p.parts[-2] == "repositories" or "domain" in p.parts], ids=names)
def test_nothing_below_the_edge_commits(path: Path) -> None:
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("commit", "rollback")
    ]
    assert calls == []


AREA_BOUND = ("registry", "people", "applications", "entitlements", "casework", "payments", "jobs")
NOT_AREA_BOUND = ("reference", "policy", "audit", "audit_chain", "accounts", "identity", "sharing", "key_versions")


@pytest.mark.parametrize("path", sorted((APP / "db" / "repositories").glob("*.py")), ids=names)
def test_repositories_of_area_bound_data_take_the_scope_first(path: Path) -> None:
    if path.stem in NOT_AREA_BOUND or path.stem == "__init__":
        return
    missing = [name for name, arguments in public_functions(path) if "AreaScope" not in arguments[:1]]
    assert missing == []


def public_functions(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Public coroutines of a module or of its classes, with the annotations of their arguments."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
            arguments = [argument for argument in node.args.args if argument.arg != "self"]
            yield node.name, [ast.unparse(argument.annotation) if argument.annotation else "" for argument in arguments]


@pytest.mark.parametrize("path", SOURCES, ids=names)
def test_functions_are_short_and_files_too(path: Path) -> None:
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= 400
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length < 60, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", SOURCES, ids=names)
def test_no_unfinished_marks_and_no_vague_names(path: Path) -> None:
    source = path.read_text("utf-8")
    for mark in ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error", "pragma: no " + "cover", "# type: ignore\n"):
        assert mark not in source
    assert not {"utils", "helpers", "common", "manager"} & {path.stem, path.parent.name}


def test_the_worker_knows_every_job_and_nothing_of_the_interface() -> None:
    """Importing the interface takes longer than everything else that a worker starts with."""
    modules = {path.stem: path.read_text("utf-8") for path in (ROOT / "app" / "jobs").glob("*.py")}
    registering = {name for name, source in modules.items() if "\nregister_handler(" in source}
    assert registering == set(everything.__all__)
    started = "import sys, app.jobs.worker; sys.exit('app.routers.v1' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", started], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "pyproject.toml", "Makefile", ".ci/run"])
def test_no_registry_is_named(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for host in ("pypi" + ".org", "python" + "hosted", "npm" + "js", "--index" + "-url"):
        assert host not in text
