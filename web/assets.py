"""The files a page loads: read once, named by what is in them, so that a browser may keep them for ever."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).with_name("static")
MEDIA = {".css": "text/css", ".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
# One request instead of one for each block; a later layer wins, whatever the order of the files in it.
PARTS = ("vendor", "own", "fonts", "js")
STYLES = ("tokens", "base", "frame", "parts", "staff", "audit", "admin")
_OWN = re.compile(r"(?<=[\"'(])/static/([a-z0-9.-]+)")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent: plain, and packed once where that makes it smaller."""

    media: str
    body: bytes
    packed: bytes | None


class Assets:
    """All of them, by the name a page uses and by the name that goes over the wire."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._names: dict[str, str] = {}
        self._sent: dict[str, Asset] = {}
        for file in sorted(file for part in PARTS for file in (folder / part).iterdir()):
            if file.suffix in MEDIA:
                self._add(file.name, file.read_bytes())
        # Styles and modules name other files, so those have their names already.
        styles = b"".join((folder / "css" / f"{name}.css").read_bytes() for name in STYLES)
        self._add("app.css", _OWN.sub(lambda found: self.url(found[1]), styles.decode()).encode())

    def _add(self, name: str, body: bytes) -> None:
        stem, _, suffix = name.rpartition(".")
        sent = f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{suffix}"
        packed = gzip.compress(body, 9, mtime=0)
        self._names[name] = sent
        self._sent[sent] = Asset(MEDIA[f".{suffix}"], body, packed if len(packed) < len(body) * 0.9 else None)

    def url(self, name: str) -> str:
        """Return where a file of ours is; KeyError for one that is not there."""
        return f"/static/{self._names[name]}"

    def find(self, sent: str) -> Asset | None:
        """Return the file that goes by this name over the wire."""
        return self._sent.get(sent)


ASSETS = Assets()
