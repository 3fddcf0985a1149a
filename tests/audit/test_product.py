"""The log of the running product: its own API, its own keeper, and the program that shares nothing with us."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from crm.audit.memory import Doubt
from crm.audit.service import verify_home, verify_url
from crm.kit.pii import Pii
from crm.kit.signed import parse_checkpoint
from tests.keeper.home import PASSWORD
from tests.product import Product

Send = Callable[[dict[str, Any]], Awaitable[None]]
Bend = Callable[[str, bytes], bytes]


@asynccontextmanager
async def listening(product: Product, bend: Bend = lambda _, body: body) -> AsyncIterator[str]:
    """Serve the application at a free port, as it is or with answers bent on the way out."""

    async def app(scope: dict[str, Any], receive: Any, send: Send) -> None:
        async def bent(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body" and message.get("body"):
                message = {**message, "body": bend(scope["path"], message["body"])}
            await send(message)

        await product.app(scope, receive, bent)  # type: ignore[arg-type]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


async def judge(govet: Path, product: Product, url: str) -> subprocess.CompletedProcess[str]:
    def run() -> subprocess.CompletedProcess[str]:
        args = [str(govet), url, product.keeper.vkey, product.keeper.token("auditor")]
        return subprocess.run(args, capture_output=True, text=True, timeout=120, check=False)

    return await asyncio.to_thread(run)


async def verified(product: Product, url: str, seen: Path) -> int:
    def ask(_: str) -> Pii[str]:
        return Pii(PASSWORD)

    proved = await asyncio.to_thread(verify_url, url, product.keeper.vkey, seen, name="auditor", ask=ask)
    return proved.checkpoint.size


async def test_both_accept_what_the_product_serves_while_it_goes_on(
    product: Product, govet: Path, tmp_path: Path
) -> None:
    contact = await product.contact()
    sizes = []
    async with listening(product) as url:
        for more in (1, 280):
            for _ in range(more):
                await product.opened(contact)

            done = await judge(govet, product, url)
            sizes.append(await verified(product, url, tmp_path / "seen.json"))
            by_file = verify_home(product.keeper.path, product.keeper.vkey, tmp_path / "seen.json")
            sizes.append(by_file.checkpoint.size)

            assert done.returncode == 0, done
            assert by_file.findings == ["the journal holds the same entries, from 0 on"]
            assert by_file.before is not None
            assert by_file.before.size == sizes[-2]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 280


def flip(path: str, at: int) -> Bend:
    def bend(asked: str, body: bytes) -> bytes:
        if asked != path:
            return body
        return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]

    return bend


def other_size(asked: str, body: bytes) -> bytes:
    if asked != "/log/checkpoint":
        return body
    text = body.decode().split("\n\n")[0] + "\n"
    size = parse_checkpoint(text).size
    return body.replace(b"\n%d\n" % size, b"\n%d\n" % (size ^ 1), 1)


@pytest.mark.parametrize(
    "bend",
    [flip("/log/tile/entries/000", 100), flip("/log/tile/0/000", 100), other_size, flip("/log/checkpoint", -20)],
    ids=["an entry", "a tile", "the size", "the signature"],
)
async def test_both_reject_one_bit_that_is_another(bend: Bend, product: Product, govet: Path, tmp_path: Path) -> None:
    contact = await product.contact()
    for _ in range(256):
        await product.opened(contact)

    async with listening(product, bend) as url:
        done = await judge(govet, product, url)
        with pytest.raises(Doubt):
            await verified(product, url, tmp_path / "seen.json")

    assert (done.returncode, done.stdout[:9]) == (1, "REJECTED:")


async def test_entries_are_served_to_auditors_and_tiles_to_everybody(product: Product) -> None:
    await product.contact()

    assert (await product.nobody.get("/log/checkpoint")).status_code == 200
    assert (await product.nobody.get("/log/tile/0/000.p/1")).status_code == 200
    assert (await product.nobody.get("/log/tile/entries/000.p/1")).status_code == 401
    assert (await product.staff.get("/log/tile/entries/000.p/1")).status_code == 403
    assert (await product.auditor.get("/log/tile/entries/000.p/1")).status_code == 200
