"""What stands around every answer: headers, the access line, silence."""

import asyncio
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.http import logs
from api.http.headers import HEADERS
from api.main import NO_TELEMETRY, create_app
from tests.product import SERVE, Product, settings_for

CANARY = "quilligan@example.org"


async def test_every_answer_has_the_headers(product: Product) -> None:
    for answer in (
        await product.nobody.get("/health"),
        await product.nobody.get("/nowhere"),
        await product.staff.post("/v1/contacts", json={}),
    ):
        assert {name.decode() for name, _ in HEADERS} <= set(answer.headers)
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        assert "set-cookie" not in answer.headers


async def test_the_access_line_is_method_template_status_and_time(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    contact = await product.contact()
    with caplog.at_level(logging.INFO, logger="kept.access"):
        await product.staff.get(f"/v1/contacts/{contact}", params={**SERVE, "x": CANARY})
        await product.staff.get(f"/v1/{CANARY}")
        await product.staff.request(CANARY.upper(), "/v1/contacts")

    logs.event("upkeep", marked=1, removed=0)
    lines = [record.getMessage().rsplit(" ", 1) for record in caplog.records if record.name == "kept.access"]
    assert [line for line, _ in lines] == ["GET /v1/contacts/{contact} 200", "GET - 404", "- /v1/contacts 405"]
    assert all(ms.isdigit() for _, ms in lines)


async def test_addresses_and_values_reach_no_log(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        contact = await product.contact(emails=[CANARY], family_name=CANARY)
        await product.staff.get(f"/v1/contacts/{contact}", params=SERVE, headers={"from": CANARY})
        await product.staff.post("/v1/contacts/search", json={"q": CANARY})
        await product.nobody.post("/v1/sessions", json={"name": CANARY, "password": CANARY})

    ours = "\n".join(str(vars(record)) for record in caplog.records if record.name != "httpx")
    assert CANARY not in ours.lower()
    assert "testclient" not in ours


def test_telemetry_is_off_whatever_the_environment_says(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example")

    app = create_app(settings_for(product.server, product.keeper))

    assert not any(NO_TELEMETRY[name] for name in ("tracing", "metrics", "logs", "operation_spans", "auto_configure"))
    assert not app._native_telemetry.enabled()
    assert app._telemetry["auto_configure"] is False


def test_the_schema_is_served_and_pages_that_load_from_others_are_not(product: Product) -> None:
    assert (product.app.docs_url, product.app.redoc_url) == (None, None)
    schema = product.app.openapi()
    assert "/v1/contacts/{contact}" in schema["paths"]
    assert not {"HTTPValidationError", "ValidationError"} & set(schema["components"]["schemas"]), "never answered"


@pytest.fixture
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put logging back as it was after a test that tames it."""
    for logger in (logging.root, logs.ACCESS, logs.EVENTS):
        monkeypatch.setattr(logger, "handlers", list(logger.handlers))
        monkeypatch.setattr(logger, "level", logger.level)
        monkeypatch.setattr(logger, "propagate", logger.propagate)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    yield
    logging.captureWarnings(capture=False)


def fail() -> None:
    raise ValueError(CANARY)


@pytest.mark.usefixtures("as_before")
def test_libraries_are_heard_by_type_and_place_only(capsys: pytest.CaptureFixture[str]) -> None:
    logs.tame()
    library = logging.getLogger("some.library")
    try:
        fail()
    except ValueError:
        library.exception("failed on %s", CANARY)
    library.error("no exception, but %s", CANARY)
    library.warning("quiet %s", CANARY)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(CANARY, stacklevel=1)

    said = capsys.readouterr().err
    assert CANARY not in said
    assert "ERROR some.library builtins.ValueError at " in said
    assert "quiet" not in said


@pytest.mark.usefixtures("as_before")
def test_what_nobody_caught_is_told_by_type(capsys: pytest.CaptureFixture[str]) -> None:
    logs.tame()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)

    said = capsys.readouterr()
    assert CANARY not in said.out + said.err
    assert said.out.count("builtins.ValueError at ") == 2


async def test_a_task_nobody_awaited_is_told_by_type(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    logs.tame_loop()

    loop.call_exception_handler({"message": CANARY, "exception": ValueError(CANARY)})
    loop.call_exception_handler({"message": CANARY})

    assert "builtins.ValueError" in caplog.text
    assert CANARY not in caplog.text


async def test_the_server_starts_and_ends_the_application(product: Product) -> None:
    app = create_app(settings_for(product.server, product.keeper))
    asked, told = asyncio.Queue[dict[str, str]](), asyncio.Queue[dict[str, str]]()
    running = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, asked.get, told.put))

    said = []
    for word in ("lifespan.startup", "lifespan.shutdown"):
        await asked.put({"type": word})
        said.append((await asyncio.wait_for(told.get(), 30))["type"])
    await running

    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.usefixtures("as_before")
def test_a_process_of_its_own_reads_its_settings_and_is_tamed(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("kept_web", "kept_web_read"):
        file = tmp_path / f"{role}.dsn"
        file.write_text(product.server.dsn(role).reveal())
    monkeypatch.setenv("KEPT_HOME", str(product.keeper.path))
    monkeypatch.setenv("KEPT_DATABASE_URL_FILE", str(tmp_path / "kept_web.dsn"))
    monkeypatch.setenv("KEPT_READ_DATABASE_URL_FILE", str(tmp_path / "kept_web_read.dsn"))

    create_app()

    assert logging.root.level == logging.ERROR
    assert logging.raiseExceptions is False
