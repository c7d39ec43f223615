"""The local sign-in to the console: a user with a password that is made up once for each stack, and the secret with both."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher

SECRET = "ordersync/console"
USER = "operator"


@dataclass(frozen=True)
class SignIn:
    user: str
    password: str
    # The secret as the console reads it.
    document: str


def sign_in(state: Path) -> SignIn:
    """The same for as long as the state is kept, so that a browser stays signed in when the stack is deployed again."""
    kept = state / "console.json"
    if not kept.is_file():
        password = secrets.token_urlsafe(9)
        hashed = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash(password)
        document = {
            "signing_keys": [secrets.token_hex(32)],
            "users": [{"name": USER, "password": hashed, "role": "operator"}],
        }
        kept.touch(mode=0o600)
        kept.write_text(json.dumps({"password": password, "secret": document}))
    read = json.loads(kept.read_text())
    return SignIn(USER, read["password"], json.dumps(read["secret"]))
