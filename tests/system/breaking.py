"""What callers would notice: differences between two OpenAPI documents that break somebody who used the older one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
METHODS = ("get", "post", "put", "delete")


def breaking_changes(old: Document, new: Document) -> list[str]:
    """Removed operations, newly required input, removed output, narrowed input, changed types. Additions are fine."""
    return list(_operations(old, new))


def _operations(old: Document, new: Document) -> Iterator[str]:
    for path, item in old["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            name, current = f"{method.upper()} {path}", new["paths"].get(path, {}).get(method)
            if current is None:
                yield f"{name}: removed"
                continue
            yield from _parameters(name, item[method], current)
            yield from _bodies(name, old, item[method], new, current)
            yield from _answers(name, old, item[method], new, current)
            yield from _duties(name, item[method], current)


def _duties(name: str, old: Document, new: Document) -> Iterator[str]:
    for duty in sorted(set(old.get("x-duties", ())) - set(new.get("x-duties") or old.get("x-duties") or ())):
        yield f"{name}: duty {duty} may no longer call it"


def _parameters(name: str, old: Document, new: Document) -> Iterator[str]:
    before = {(p["in"], p["name"]): p for p in old.get("parameters", ())}
    after = {(p["in"], p["name"]): p for p in new.get("parameters", ())}
    for key in before.keys() - after.keys():
        yield f"{name}: {key[0]} parameter {key[1]} removed"
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"{name}: {key[0]} parameter {key[1]} is now required"


def _bodies(name: str, old_doc: Document, old: Document, new_doc: Document, new: Document) -> Iterator[str]:
    before, after = _body(old), _body(new)
    if after is not None and before is None and new["requestBody"].get("required"):
        yield f"{name}: a body is now required"
    if before is not None and after is not None:
        yield from _schemas(f"{name} body", old_doc, before, new_doc, after, is_input=True, seen=set())


def _body(operation: Document) -> Document | None:
    content = operation.get("requestBody", {}).get("content", {})
    return next((media.get("schema", {}) for media in content.values()), None)


def _answers(name: str, old_doc: Document, old: Document, new_doc: Document, new: Document) -> Iterator[str]:
    for status, answer in old["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in new["responses"]:
            yield f"{name}: answer {status} removed"
            continue
        before = answer.get("content", {}).get("application/json", {}).get("schema")
        after = new["responses"][status].get("content", {}).get("application/json", {}).get("schema")
        if before and after:
            yield from _schemas(f"{name} {status}", old_doc, before, new_doc, after, is_input=False, seen=set())


def _resolve(document: Document, schema: Document) -> Document:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _schemas(
    where: str, old_doc: Document, old: Document, new_doc: Document, new: Document, *, is_input: bool, seen: set[tuple[str, str]]
) -> Iterator[str]:
    pair = (str(old.get("$ref")), str(new.get("$ref")))
    if "$ref" in old and pair in seen:
        return
    seen.add(pair)
    before, after = _resolve(old_doc, old), _resolve(new_doc, new)
    if before.get("type") != after.get("type"):
        yield f"{where}: type {before.get('type')} became {after.get('type')}"
    yield from _enums(where, before, after, is_input=is_input)
    yield from _properties(where, before, after, is_input=is_input)
    for name, value in before.get("properties", {}).items():
        if name in after.get("properties", {}):
            other = after["properties"][name]
            yield from _schemas(f"{where}.{name}", old_doc, value, new_doc, other, is_input=is_input, seen=seen)
    if isinstance(before.get("items"), dict) and isinstance(after.get("items"), dict):
        yield from _schemas(f"{where}[]", old_doc, before["items"], new_doc, after["items"], is_input=is_input, seen=seen)
    for one, other in zip(before.get("anyOf", ()), after.get("anyOf", ()), strict=False):
        yield from _schemas(where, old_doc, one, new_doc, other, is_input=is_input, seen=seen)


def _enums(where: str, old: Document, new: Document, *, is_input: bool) -> Iterator[str]:
    before, after = set(map(str, old.get("enum", ()))), set(map(str, new.get("enum", ())))
    if is_input and after and before - after:
        yield f"{where}: values {sorted(before - after)} no longer accepted"


def _properties(where: str, old: Document, new: Document, *, is_input: bool) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    if before and not after:
        return
    for name in sorted(before.keys() - after.keys()):
        yield f"{where}.{name}: removed"
    if is_input:
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{where}.{name}: is now required"
    else:
        for name in sorted(set(old.get("required", ())) - set(new.get("required", ()))):
            yield f"{where}.{name}: no longer always there"
