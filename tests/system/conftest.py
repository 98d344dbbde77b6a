"""What the system tests call the demo's callers by."""

from __future__ import annotations

from tests.demo_world import Caller, Demo

__all__ = ["Caller", "Demo"]
