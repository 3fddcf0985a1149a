"""Brings third-party files in: `python -m web.vendor` on a developer's machine, never where Kept runs.

npm packs each package by name and version; the few files a page needs are copied, with the licence beside them
under `licences/`, and `vendor.lock.json` keeps version, npm's integrity and the SHA-256 of what stands here, which
a test checks again.
"""

import hashlib
import io
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).with_name("static")
LOCK = HERE / "vendor.lock.json"
ICONS = (
    "activity", "arrow-down-left", "arrow-left", "arrow-right", "arrow-up-right", "badge-check", "ban", "bell",
    "building-2", "calendar", "check", "chevron-down", "chevron-right", "circle-alert", "circle-check", "circle-help",
    "circle-user", "clock", "copy", "ellipsis", "eraser", "eye", "file-search", "fingerprint", "flag", "gauge",
    "history", "inbox", "info", "key-round", "keyboard", "languages", "link", "list", "log-out", "mail", "map-pin",
    "merge", "message-square", "moon", "package", "pencil", "phone", "plus", "printer", "rotate-ccw", "scroll-text",
    "search", "settings", "shield-alert", "shield-check", "smartphone", "stamp", "sticky-note", "store", "sun",
    "sun-moon", "tag", "trash-2", "undo-2", "upload", "user-round", "users", "users-round", "x",
)  # fmt: skip
# package: version, and what is made of it: our file's name from their files' names.
PACKAGES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    # One file: an extension in a second one may come after the first element was looked at.
    "htmx.org": ("4.0.1", {"vendor/htmx.js": ("dist/htmx.min.js", "dist/ext/hx-csp.min.js")}),
    "lucide-static": ("1.62.0", {"vendor/icons.svg": tuple(f"icons/{name}.svg" for name in ICONS)}),
    "@fontsource-variable/inter": (
        "5.3.0",
        {
            "fonts/inter.woff2": ("files/inter-latin-wght-normal.woff2",),
            "fonts/inter-ext.woff2": ("files/inter-latin-ext-wght-normal.woff2",),
        },
    ),
    "@fontsource/source-serif-4": ("5.3.1", {"fonts/serif.woff2": ("files/source-serif-4-latin-600-normal.woff2",)}),
    "@fontsource/geist-mono": ("5.3.0", {"fonts/mono.woff2": ("files/geist-mono-latin-400-normal.woff2",)}),
}
_DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
# The one drawing of our own: a shield that keeps.
MARK = (
    '<symbol id="mark" viewBox="0 0 24 24"><path fill="currentColor" stroke="none" d="M12 1.5 3.5 4.2v7.3c0 5 3.4 '
    '8.9 8.5 11 5.1-2.1 8.5-6 8.5-11V4.2z"/><path class="mark-cut" fill="none" stroke="var(--panel)" '
    'stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" d="M9.3 7v9.5M15.3 7l-5.6 5 5.6 4.5"/></symbol>'
)


def sprite(drawings: dict[str, str]) -> bytes:
    """Put the drawings into one file, from which a page uses each by its name."""
    symbols = [
        f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(_DRAWING.search(text)[1].split())}</symbol>'  # type: ignore[index]
        for name, text in drawings.items()
    ]
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', MARK, *symbols, "</svg>", ""]).encode()


def bring() -> None:
    """Pack every package anew and write its files and the lock."""
    lock: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (version, files) in PACKAGES.items():
            packed = subprocess.run(  # noqa: S603 - our own list
                ["npm", "pack", "--json", f"{name}@{version}"],  # noqa: S607
                cwd=folder, check=True, capture_output=True,
            )  # fmt: skip
            (said,) = json.loads(packed.stdout)
            with tarfile.open(Path(folder) / said["filename"]) as archive:
                made = {ours: _made(archive, ours, theirs) for ours, theirs in files.items()}
                made[f"licences/{name.rpartition('/')[2]}.txt"] = _made(archive, "", ("LICENSE",))
            for ours, data in made.items():
                (HERE / ours).parent.mkdir(exist_ok=True)
                (HERE / ours).write_bytes(data)
            hashes = {ours: hashlib.sha256(data).hexdigest() for ours, data in made.items()}
            lock[name] = {"version": version, "integrity": said["integrity"], "sha256": hashes}
    LOCK.write_text(json.dumps(lock, indent=2) + "\n")


def _made(archive: tarfile.TarFile, ours: str, theirs: tuple[str, ...]) -> bytes:
    read = {name: archive.extractfile(f"package/{name}") or io.BytesIO() for name in theirs}
    if ours.endswith(".svg"):
        return sprite({Path(name).stem: stream.read().decode() for name, stream in read.items()})
    parts = [re.sub(rb"\n?//# sourceMappingURL=\S+", b"", stream.read()) for stream in read.values()]
    return b"\n".join(parts)


if __name__ == "__main__":
    bring()
