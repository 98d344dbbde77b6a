"""Accounts and sign-in: who may come in, for how long, and who lets them.

Not part of the domain: these use cases hash, sign and count by the clock. ``signin.py`` tells each grant of the token endpoint,
``desk.py`` and ``client_desk.py`` what an administrator (or the command line) does; the SQL is in ``app/db/repositories``.
"""
