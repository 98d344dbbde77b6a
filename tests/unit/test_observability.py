"""Logs are one line of JSON each, and hold no ID number, card number or token."""

from __future__ import annotations

import json
import logging

import pytest

from app.observability import JsonFormatter, redact


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("证件 350702199003079999 已登记", "199003079"),
        ("card 6228480402564890018", "62284804025"),
        ("phone 13800001234", "13800001234"),
        ("token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "eyJzdWIiOiIxIn0"),
        ("11010519491231002x", "19491231"),
    ],
)
def test_what_must_not_be_logged_is_hidden(text: str, hidden: str) -> None:
    assert hidden in text
    assert hidden not in redact(text)


def test_a_line_break_cannot_forge_a_line() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, 'a\n{"level":"ERROR"}', (), None)
    record.who = "b\r\nc 350702199003079999"
    line = JsonFormatter().format(record)
    assert "\n" not in line
    parsed = json.loads(line)
    assert parsed["level"] == "INFO"
    assert "19900307" not in line


def test_area_codes_and_ids_survive() -> None:
    assert redact("350702001 01990000-0000-7000-8000-000000000001") == "350702001 01990000-0000-7000-8000-000000000001"
