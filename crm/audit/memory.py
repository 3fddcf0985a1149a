"""What a verifier remembers of a log between two looks: a log put back to yesterday looks whole without."""

import json
import os
import tempfile
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from crm.kit.clock import parse_rfc3339
from crm.kit.note import NoteError
from crm.kit.signed import parse_checkpoint


class Doubt(Exception):
    """The log is not what it should be; `index` is the first entry nobody vouches for, where one is known."""

    def __init__(self, reason: str, index: int | None = None) -> None:
        """Take what is wrong, in words, and where."""
        super().__init__(reason if index is None else f"entry {index}: {reason}")
        self.index = index


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint that was verified, and when."""

    origin: str
    size: int
    root: bytes
    at: str


class Memory:
    """One file per log; whoever can write it can make the verifier forget, so it belongs to the auditor."""

    def __init__(self, file: Path | None = None) -> None:
        """Take the file; without one it is named by the log, below XDG_STATE_HOME."""
        self._file = file

    def path(self, origin: str) -> Path:
        """Where a log is remembered."""
        if self._file is not None:
            return self._file
        state = os.environ.get("XDG_STATE_HOME")
        base = Path(state) if state else Path.home() / ".local" / "state"
        return base / "kept" / "log" / f"{sha256(origin.encode()).hexdigest()}.json"

    def recall(self, origin: str) -> Seen | None:
        """Give what was seen last, or None on the first look.

        Raises:
            Doubt: the file is of another log or is not one of ours.
        """
        path = self.path(origin)
        try:
            told = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise Doubt(f"{path} does not tell what was seen before") from error
        try:
            seen = parse_checkpoint(f"{told['origin']}\n{told['size']}\n{told['root']}\n")
            parse_rfc3339(told["at"])
        except (NoteError, KeyError, TypeError, ValueError) as error:
            raise Doubt(f"{path} does not tell what was seen before") from error
        if seen.origin != origin:
            raise Doubt(f"{path} tells of another log: {seen.origin}")
        return Seen(origin, seen.size, seen.root, told["at"])

    def remember(self, seen: Seen) -> None:
        """Write what was seen, whole or not at all."""
        path = self.path(seen.origin)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        told = {"origin": seen.origin, "size": seen.size, "root": b64encode(seen.root).decode(), "at": seen.at}
        handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
        with os.fdopen(handle, "w") as file:
            json.dump(told, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
