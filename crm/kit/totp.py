"""One-time codes as authenticator apps make them (RFC 6238): SHA-1, six digits, half a minute each."""

import secrets
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_S = 30


def new_secret() -> bytes:
    """Draw a secret."""
    return secrets.token_bytes(20)


def uri(secret: bytes, name: str) -> str:
    """Print what an app takes in, mostly as a picture; the secret in base32 is its parameter `secret`."""
    return _totp(secret).get_provisioning_uri(quote(name), "Kept")


def step_of(secret: bytes, code: str, now_s: int, after: int) -> int | None:
    """Return the time step a code is good for: that of now or the one before, if later than `after`."""
    now = now_s // STEP_S
    for step in (now, now - 1):
        try:
            _totp(secret).verify(code.encode(), step * STEP_S)
        except InvalidToken:
            continue
        if step > after:
            return step
    return None


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, 6, hashes.SHA1(), STEP_S)  # noqa: S303 - what the apps speak
