"""A passkey in software, which does what it is told, wrong things too (WebAuthn level 3 section 6)."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

from crm.kit.ids import new_id

RP_ID, ORIGIN = "localhost", "http://localhost:8000"
UP, UV, BE, BS, AT = 1, 4, 8, 16, 64
SYNCED = UP | UV | BE | BS


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class Authenticator:
    """One credential; ``counter`` is what it says next, 0 for ever when it is synced."""

    def __init__(self, kind: str = "es256", *, counter: int = 0, credential: bytes | None = None) -> None:
        self.credential = bytes.fromhex(new_id()) if credential is None else credential
        self.counter = counter
        self.handle: str | None = None
        self._ec = ec.generate_private_key(ec.SECP256R1()) if kind == "es256" else None
        self._ed = ed25519.Ed25519PrivateKey.generate()

    def _cose(self) -> bytes:
        if self._ec is None:
            return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: self._ed.public_key().public_bytes_raw()})
        point = self._ec.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})

    def _sign(self, data: bytes) -> bytes:
        return self._ed.sign(data) if self._ec is None else self._ec.sign(data, ec.ECDSA(SHA256()))

    def _data(self, flags: int, rp_id: str) -> bytes:
        return sha256(rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4)

    def _answer(self, **response: bytes | None) -> dict[str, Any]:
        id_ = b64(self.credential)
        made = {name: b64(value) for name, value in response.items() if value is not None}
        return {"id": id_, "rawId": id_, "type": "public-key", "response": made}

    @staticmethod
    def _client(kind: str, challenge: bytes, origin: str) -> bytes:
        told = {"type": f"webauthn.{kind}", "challenge": b64(challenge), "origin": origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def made(
        self, challenge: bytes, *, origin: str = ORIGIN, rp_id: str = RP_ID, flags: int = UP | UV, kind: str = "create"
    ) -> dict[str, Any]:
        """Answer ``navigator.credentials.create``, without attestation."""
        attested = bytes(16) + len(self.credential).to_bytes(2) + self.credential + self._cose()
        data = self._data(flags | AT, rp_id) + attested
        whole = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(clientDataJSON=self._client(kind, challenge, origin), attestationObject=whole)

    def signed(
        self, challenge: bytes, *, origin: str = ORIGIN, rp_id: str = RP_ID, flags: int = UP | UV, kind: str = "get"
    ) -> dict[str, Any]:
        """Answer ``navigator.credentials.get``."""
        client, data = self._client(kind, challenge, origin), self._data(flags, rp_id)
        signature = self._sign(data + sha256(client).digest())
        handle = self.handle.encode() if self.handle else None
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=handle)
