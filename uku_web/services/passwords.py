"""Passwords with Argon2id."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
_nobody = _hasher.hash("nobody's password")


def hash(password: str) -> str:
    return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Takes as long for a person who does not exist: the answer's time must not tell."""
    try:
        return _hasher.verify(password_hash or _nobody, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def cheaper_for_tests() -> None:
    global _hasher, _nobody
    _hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    _nobody = _hasher.hash("nobody's password")
