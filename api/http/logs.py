"""What the web process writes: allow-listed lines, nothing a client or a library chose.

The access line is method, route template, status, milliseconds. A failure is a type and a place in our code.
Libraries are heard from ERROR up, and only by the type of what they report: their messages quote values.
"""

import asyncio
import logging
import sys
import threading
import traceback
from types import TracebackType

from typing_extensions import override

ACCESS = logging.getLogger("kept.access")
EVENTS = logging.getLogger("kept.web")
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def access(method: str, template: str, status: int, ms: int) -> None:
    """Write the access line; a method of the client's own making could be a name, so it is a dash."""
    ACCESS.info("%s %s %d %d", method if method in METHODS else "-", template, status, ms)


def event(name: str, **counts: int) -> None:
    """Write what happened and how many; values are numbers, so that nothing else can be written."""
    EVENTS.info("%s%s", name, "".join(f" {key}={value:d}" for key, value in counts.items()))


def failure(error: BaseException) -> None:
    """Write the type of an exception and where it was raised; its message stays unsaid."""
    EVENTS.error("%s", describe(error))


def describe(error: BaseException) -> str:
    """Print types and places along the chain of causes."""
    parts: list[str] = []
    link: BaseException | None = error
    while link is not None:
        frames = traceback.extract_tb(link.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "-"
        parts.append(f"{type(link).__module__}.{type(link).__qualname__} at {place}")
        link = link.__cause__ or link.__context__
    return " from ".join(parts)


class _TypesOnly(logging.Formatter):
    """Renders a library's record without its message."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        what = describe(error) if error else f"{record.filename}:{record.lineno}"
        return f"{record.levelname} {record.name} {what}"


def tame() -> None:
    """Route every way a process can speak through the lines above; called once, by the entry point."""
    ours = logging.StreamHandler(sys.stdout)
    ours.setFormatter(logging.Formatter("%(message)s"))
    for logger in (ACCESS, EVENTS):
        logger.handlers = [ours]
        logger.setLevel(logging.INFO)
        logger.propagate = False
    theirs = logging.StreamHandler(sys.stderr)
    theirs.setFormatter(_TypesOnly())
    logging.root.handlers = [theirs]
    logging.root.setLevel(logging.ERROR)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # logging's own report of a failed call prints the arguments it was given.
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    sys.excepthook = _on_exception
    threading.excepthook = _on_thread


def tame_loop() -> None:
    """Do the same for tasks nobody awaited; called inside the running loop."""
    asyncio.get_running_loop().set_exception_handler(_on_task)


def _on_exception(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
    failure(error)


def _on_thread(what: threading.ExceptHookArgs) -> None:
    failure(what.exc_value or what.exc_type())


def _on_task(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    error = context.get("exception")
    if isinstance(error, BaseException):
        failure(error)
