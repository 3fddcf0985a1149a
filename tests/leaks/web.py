"""The web process as shipped, in which mishaps happen; or with one guard removed: `-m tests.leaks.web GUARD ...`.

A mishap is what libraries and mistakes do with a value they were given: log it, warn of it, die of it.
"""

import asyncio
import hashlib
import json
import logging
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import uvicorn

from api.http import headers, logs, problem
from api.http import upload as uploads
from api.routes import contacts, imports
from crm.contacts import intake, service
from crm.contacts.vocabulary import Vocabulary
from crm.host import web
from crm.interactions import writing

_ill_fated: set[asyncio.Task[None]] = set()


def _die(value: str) -> None:
    raise ValueError(value)


async def _die_later(value: str) -> None:
    raise LookupError(value)


def _speak(value: str) -> None:
    """Do everything that leaks elsewhere, and fail."""
    logging.getLogger("some.library").error("failed on %s", value)
    logging.getLogger("some.library").error("%d is no number", value)
    logging.getLogger("asyncio").debug("slow callback with %s", value)
    warnings.warn(value, stacklevel=1)
    thread = threading.Thread(target=_die, args=(value,))
    thread.start()
    thread.join()
    _ill_fated.add(asyncio.create_task(_die_later(value)))
    raise KeyError(value)


def _recur(value: str) -> None:
    _recur(f"{value}!")


def _encode(value: str) -> None:
    f"{value}\ud83d".encode()


def _exhaust(value: str) -> None:
    raise MemoryError(value)


def _group(value: str) -> None:
    raise ExceptionGroup(value, [ValueError(value), OSError(28, value, value)])


# What befalls whoever makes a contact of a company of this name.
MISHAPS: Mapping[str, Callable[[str], None]] = {
    "mishap": _speak, "recursion": _recur, "surrogate": _encode, "memory": _exhaust, "group": _group,
}  # fmt: skip


def mishaps() -> None:
    """Let mishaps happen."""
    create = service.create

    async def ill_fated(db: Any, keeper: Any, caller: Any, given: Any, **more: Any) -> Any:
        if befalls := MISHAPS.get(given.company):
            befalls(f"{given.family_name} {given.phones}")
        return await create(db, keeper, caller, given, **more)

    contacts.service.create = ill_fated  # type: ignore[attr-defined]


# The guards, each taken away alone.


def access_line() -> None:
    serve = headers.Edge.__call__

    async def told(self: headers.Edge, scope: Any, receive: Any, send: Any) -> None:
        await serve(self, scope, receive, send)
        logs.ACCESS.info("%s %s", scope.get("path"), scope.get("query_string"))

    headers.Edge.__call__ = told  # type: ignore[method-assign]


def server_log() -> None:
    """The server's own access line, and everybody's handlers as they come."""
    logs.tame = lambda: None
    config = uvicorn.Config.__init__

    def chatty(self: Any, app: Any, **more: Any) -> None:
        config(self, app, **{**more, "access_log": True, "log_level": "info"})

    uvicorn.Config.__init__ = chatty  # type: ignore[assignment]


def message_of_a_failure() -> None:
    logs.describe = lambda error: "".join(traceback.format_exception(error))


def locals_of_a_failure() -> None:
    logs.describe = lambda error: "".join(
        traceback.TracebackException.from_exception(error, capture_locals=True).format()
    )


def message_of_a_library() -> None:
    logs._TypesOnly.format = logging.Formatter.format  # type: ignore[method-assign]


def arguments_of_a_library() -> None:
    """What logging prints of a call that fails: its arguments."""
    tame = logs.tame

    def tamed() -> None:
        tame()
        logging.raiseExceptions = True
        logs._TypesOnly.format = lambda _, record: record.getMessage() and ""  # type: ignore[method-assign]

    logs.tame = tamed


def warning() -> None:
    tame = logs.tame

    def tamed() -> None:
        tame()
        logging.captureWarnings(capture=False)

    logs.tame = tamed


def thread() -> None:
    tame = logs.tame

    def tamed() -> None:
        tame()
        threading.excepthook = threading.__excepthook__

    logs.tame = tamed


def value_of_a_mistake() -> None:
    problem._reason = lambda error: f"{error['msg']}: {error.get('input')}"


def name_of_an_unknown_field() -> None:
    problem._pointer = lambda error: "/".join(map(str, error["loc"]))


def redirect() -> None:
    answer = problem.of_status

    def redirected(status: int, headers: Mapping[str, str] | None = None) -> Any:
        return answer(status, {**(headers or {}), "location": _path.get()})

    problem.of_status = redirected
    handle = problem.on_http_error

    async def handled(request: Any, error: Exception) -> Any:
        _path.set(request.url.path.encode().decode("latin-1"))
        return await handle(request, error)

    problem.on_http_error = handled


class _Path:
    def __init__(self) -> None:
        self._path = ""

    def get(self) -> str:
        return self._path

    def set(self, path: str) -> None:
        self._path = path


_path = _Path()


def spooled_upload() -> None:
    read = uploads.read_form

    async def spooled(request: Any) -> Any:
        form = await read(request)
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(bytes(form.file or b""))
        return form

    imports.read_form = spooled


def unsealed_record() -> None:
    add = writing.queries.add

    async def in_the_clear(db: Any, values: Mapping[str, Any]) -> bool:
        return await add(db, {**values, "sealed": _said["text"].encode()})

    text_of = writing.text_of
    _said: dict[str, str] = {}

    def heard(given: Any) -> Any:
        _said["text"] = json.dumps(text_of(given))
        return text_of(given)

    writing.text_of = heard
    writing.queries.add = in_the_clear


def term_in_the_clear() -> None:
    async def itself(_: Vocabulary, __: str, ___: Any, term: str, ____: str, **_____: Any) -> str:
        return term

    Vocabulary.id_of = itself  # type: ignore[method-assign]


def value_of_a_reject() -> None:
    intake._why = lambda error: str(error.errors()[0]["input"])


def hash_of_an_address() -> None:
    def hashed(_: bytes, sections: Mapping[str, Any], __: Mapping[str, str]) -> bytes:
        return hashlib.sha256(sections["channels"]["emails"][0].encode()).digest()[:16]

    intake._digest = hashed


def no_store() -> None:
    headers.NO_STORE = (b"cache-control", b"private, max-age=60")


# Each guard, and the only sinks in which somebody is found without it.
GUARDS: Mapping[Callable[[], None], tuple[str, ...]] = {
    access_line: ("stdout",),
    server_log: ("stdout", "stderr"),
    message_of_a_failure: ("stdout",),
    locals_of_a_failure: ("stdout",),
    message_of_a_library: ("stderr",),
    arguments_of_a_library: ("stderr",),
    warning: ("stderr",),
    thread: ("stderr",),
    value_of_a_mistake: ("answers",),
    name_of_an_unknown_field: ("answers",),
    redirect: ("answers",),
    spooled_upload: ("temporary",),
    unsealed_record: ("dump",),
    term_in_the_clear: ("dump",),
    value_of_a_reject: ("dump", "answers"),
    hash_of_an_address: ("dump",),
    no_store: ("cached",),
}


def as_loud_as_can_be() -> None:
    """Let every logger speak, and every hook that the environment opens."""
    tame = logs.tame

    def tamed() -> None:
        tame()
        logging.root.setLevel(logging.DEBUG)
        for name in list(logging.root.manager.loggerDict):
            if not name.startswith("kept"):
                logging.getLogger(name).setLevel(logging.DEBUG)

    logs.tame = tamed


def main(arguments: list[str]) -> int:
    mishaps()
    changes = {guard.__name__: guard for guard in GUARDS} | {"loud": as_loud_as_can_be, "shipped": lambda: None}
    names = arguments[: arguments.index("--fd")]
    for name in names:
        changes[name]()
    return web.main(arguments[len(names) :])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
