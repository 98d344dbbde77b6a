"""Logs are one line of JSON each, and hold no ID number, card number or token."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.observability import JsonFormatter, redact

ROOT = Path(__file__).resolve().parents[2]


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


COUNTING = """
import sys, time
from app.observability import IN_FLIGHT, JOBS
JOBS.labels("x", "succeeded").inc()
IN_FLIGHT.inc()
print("done", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="asks /proc who lives")
def test_processes_that_serve_together_show_one_page(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-c", COUNTING]
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, cwd=ROOT) for _ in range(3)]
    try:
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        assert shown(environment) == {"minzheng_jobs_total": 3, "minzheng_http_requests_in_flight": 3}
        started[0].kill()
        started[0].wait()
        assert shown(environment) == {"minzheng_jobs_total": 3, "minzheng_http_requests_in_flight": 2}
    finally:
        for process in started:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def shown(environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, "-c", "from app.observability import metrics_page; print(metrics_page()[0].decode())"]
    page = subprocess.run(command, env=environment, capture_output=True, check=True, text=True, cwd=ROOT).stdout
    wanted = ("minzheng_jobs_total", "minzheng_http_requests_in_flight")
    samples = [line.rsplit(" ", 1) for line in page.splitlines() if line.startswith(wanted)]
    return {name.partition("{")[0]: float(value) for name, value in samples}
