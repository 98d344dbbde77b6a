"""The small world of the integration tests: areas, accounts, policy and calendar of the demo, without its population."""

from __future__ import annotations

from dataclasses import dataclass

from app.demo.accounts import DemoAccount
from app.demo.load import load_accounts, load_reference
from app.runtime import Runtime


@dataclass(frozen=True)
class World:
    accounts: dict[str, DemoAccount]


async def seed_world(runtime: Runtime) -> World:
    await load_reference(runtime)
    accounts = await load_accounts(runtime)
    return World({account.username: account for account in accounts})
