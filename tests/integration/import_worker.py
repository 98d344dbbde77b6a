"""A real worker that knows the tests' kind of import too: ``python -m tests.integration.import_worker``."""

from __future__ import annotations

import asyncio
import signal

from app.jobs.worker import run_worker
from app.observability import configure_logging
from app.settings import Settings
from tests.integration.import_world import KIND


async def main() -> None:
    settings, stop = Settings(), asyncio.Event()
    configure_logging(settings.log_level)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_worker(settings, stop)


if __name__ == "__main__":
    assert KIND
    asyncio.run(main())
