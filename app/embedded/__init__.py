"""A Postgres of our own, run from a folder of binaries: no system Postgres, no root, no Docker.

Use::

    with EmbeddedPostgres(Path(".minzheng")) as postgres:        # start() … stop()
        postgres.admin_dsn()                                     # postgresql://minzheng_owner:…@/postgres?host=/…/run
        postgres.admin_dsn("minzheng", driver="asyncpg")         # postgresql+asyncpg://… for SQLAlchemy
        postgres.dsn("minzheng_app", "minzheng")                 # any other role, with its kept password
        postgres.password("minzheng_app")                        # made on first demand, kept 0600 in the data folder

- ``EmbeddedPostgres(data_dir, *, bindir=None, settings={}, sync_initdb=True)``: ``settings`` are server settings
  (``{"fsync": "off"}`` for tests). ``MINZHENG_PG_BINDIR`` names other binaries (any Postgres >= 15).
- ``start(url=None)``: returns when the server answers a signed-in connection. ``url`` is what a second starter is told.
  Call it from the main thread: the server lives and dies with the thread that started it (PDEATHSIG).
- ``stop()``: fast shutdown; harmless when it isn't running. ``remove()``: stops and forgets the cluster and its passwords.
- ``is_running()`` and ``restart_if_dead()``: for a supervisor whose server was killed.
- ``EmbeddedPostgres.find_running(data_dir)``: the cluster that another process runs there, or None (to connect, not to stop).
- Raises ``AlreadyRunning`` (``.url``, ``.pid``) or ``EmbeddedPostgresError``; their texts are Chinese and fit for the user.

It listens on a unix socket in a 0700 folder with scram-sha-256, on no TCP port.
"""

from app.embedded.errors import AlreadyRunning, EmbeddedPostgresError
from app.embedded.server import OWNER, EmbeddedPostgres

__all__ = ["OWNER", "AlreadyRunning", "EmbeddedPostgres", "EmbeddedPostgresError"]
