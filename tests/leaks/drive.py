"""Calls with people in every position there is: path, query, headers, body, key, file, file name; right and wrong."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any
from urllib.parse import quote

from httpx import AsyncClient, HTTPError

from tests.api.test_every_route import ROWS, Row
from tests.leaks.people import Canary, Crowd
from tests.leaks.running import Web
from tests.leaks.web import MISHAP

CALL = {"kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z"}
# No longer than an id, so that a column could hold it.
TERM = 19
JSON = {"content-type": "application/json"}


def body_of(person: Canary) -> dict[str, Any]:
    return {
        "given_name": person.name, "family_name": person.name, "company": person.company, "job_title": person.company,
        "emails": [person.email], "phones": [person.phone], "addresses": [person.company],
        "profile": {"nickname": person.name, "note": person.note}, "confirm_duplicate": True,
    }  # fmt: skip


def card_of(person: Canary) -> str:
    return (
        f"BEGIN:VCARD\nVERSION:3.0\nN:{person.name};;;;\nORG:{person.company}\nEMAIL:{person.email}\nTEL:{person.phone}\n"
        f"NOTE:{person.note}\nEND:VCARD\n"
    )


def ascii_of(text: str) -> str:
    """Write a text as a header can carry it."""
    return quote(text, safe=" @+'&=%_.-:/()")


def headers_of(person: Canary) -> dict[str, str]:
    email, name = ascii_of(person.email), ascii_of(person.name)
    return {
        "from": email, "referer": f"https://mail.example/?to={email}", "cookie": f"who={name}; mail={email}",
        "user-agent": f"Mozilla/5.0 ({email})", "x-forwarded-for": name, "x-request-id": email, "x-phone": person.phone,
        "if-match": name, "accept-language": name, "if-none-match": name, "range": name,
    }  # fmt: skip


async def name_terms(web: Web, terms: list[str]) -> None:
    """Put terms into every vocabulary."""
    async with web.client("admin") as admin:
        for term in terms:
            for kind in ("stage", "tag", "product", "need", "topic"):
                await admin.post(f"/v1/vocabulary/{kind}", json={"term": term[:TERM]})


async def write(web: Web, person: Canary, term: str) -> None:
    """Use the product as it is meant to be used, with a term of the vocabularies."""
    async with web.client("staff") as staff, web.client("auditor") as auditor:
        term = term[:TERM]
        body = {**body_of(person), "stage": term, "tags": [term], "product": term}
        contact = str((await staff.post("/v1/contacts", json=body)).json().get("id"))
        url = f"/v1/contacts/{contact}"
        call = {**CALL, "summary": person.company, "notes": person.note, "product": term, "needs": [term]}
        await staff.post(f"{url}/interactions", json=call)
        opened = await staff.get(url, params={"purpose": "serve", "reason": "call"})
        change = {"job_title": person.note, "profile": None}
        await staff.patch(url, json=change, headers={"if-match": opened.headers.get("etag", "")})
        await staff.post("/v1/contacts/search", json={"q": person.name})
        await staff.post("/v1/contacts", json={**body_of(person), "confirm_duplicate": False})
        await auditor.post("/v1/log/subject", json={"email": person.email})
        await auditor.post("/v1/log/subject", json={"phone": person.phone})


async def hand_in(web: Web, people: list[Canary]) -> None:
    """Import a file of people, of whom some cannot be stored, under a file name that is one of them."""
    person = people[0]
    broken = f"BEGIN:VCARD\nFN:{person.name}\nEMAIL:{person.name} at {person.email}\nEND:VCARD\n"
    long = f"BEGIN:VCARD\nFN:{person.note * 400}\nEND:VCARD\nBEGIN:VCARD\nFN:{person.email}"
    data = ("".join(map(card_of, people)) + broken + long).encode()
    async with web.client("staff") as staff:
        answer = await staff.post("/v1/imports", files={"file": (f"{ascii_of(person.email)}.vcf", data)})
        job = answer.json()["id"]
        while (await staff.get(f"/v1/imports/{job}")).json()["state"] == "running":
            await asyncio.sleep(0.05)
        await staff.post("/v1/imports", files={"file": ("x", person.note.encode())}, data={"id": person.email})
        await staff.post("/v1/imports", data={person.email: person.note * 40})
        form = {"content-type": f"multipart/form-data; boundary={ascii_of(person.email)}"}
        await staff.post("/v1/imports", content=person.note.encode(), headers=form)


def wrong(person: Canary) -> Iterator[dict[str, Any]]:
    """Give bodies that are refused, each for another reason."""
    email = person.email.encode()
    yield {"json": {person.email: person.note}}
    yield {"json": {"given_name": [person.name], "q": {"x": person.name}, "into": person.email, "term": [person.name]}}
    yield {"json": {"emails": [f"{person.name} at {person.email}"], "q": person.name[:2], "name": [person.email]}}
    yield {"json": {"id": person.email, "roles": [person.name], "verdict": person.name, "email": person.phone}}
    yield {"json": [person.name, person.email]}
    yield {"content": b'{"given_name": "' + email, "headers": JSON}
    yield {"content": b'{"given_name": "\xff\xfe' + email + b'"}', "headers": JSON}
    yield {"content": b'{"a":' * 40_000 + json.dumps(person.email).encode(), "headers": JSON}
    yield {"content": b"[" * 15 + json.dumps(person.email).encode() + b"]" * 15, "headers": JSON}
    yield {"content": email * 20_000, "headers": JSON}
    yield {"content": email, "headers": {"content-type": ascii_of(person.email)}}


async def misuse(web: Web, crowd: Crowd, rows: list[Row] = ROWS) -> None:
    """Ask every route wrongly, with somebody in each position."""
    people = cycle(crowd.people)
    for role in ("staff", ""):
        async with web.client(role) as client:
            for row in rows:
                person = next(people)
                query = {person.email: person.name, "q": person.email, "purpose": person.name, "ref": person.phone}
                query |= {"ground": person.name, "before": person.email, "reason": person.name, "subject": person.name}
                url = row.url(quote(person.email, safe=""))
                if row.method == "DELETE" and "sessions" in row.path:
                    continue
                await _ask(client, row.method, url, params=query, headers=headers_of(person), **_body(row, person))
                await _ask(client, row.method, f"{url}/{quote(person.name, safe='')}/")
                for call in wrong(next(people)) if row.method in {"POST", "PATCH", "PUT"} else ():
                    await _ask(client, row.method, row.url(quote(person.name, safe="")), **call)
    await raw(web, next(people))


def _body(row: Row, person: Canary) -> dict[str, Any]:
    return {"json": body_of(person)} if row.method in {"POST", "PATCH", "PUT"} else {}


async def _ask(client: AsyncClient, method: str, url: str, **call: Any) -> None:
    # A server may hang up on what is no request; its words are what counts.
    with contextlib.suppress(HTTPError):
        await client.request(method, url, **call)


async def raw(web: Web, person: Canary) -> None:
    """Send what no client would: methods, versions, headers and addresses of the sender's own making."""
    email, name = person.email.encode(), person.name.encode()
    for request in (
        email + b" / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /" + quote(person.email).encode() * 3000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /health?" + name + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /health HTTP/" + email + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\n" + name + b": x\r\nhost: " + email + b"\r\n\r\n",
        b"POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: " + email + b"\r\n\r\n",
        b"POST /v1/sessions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + email,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)  # noqa: TID251 - a hostile client
        writer.write(request)
        try:
            async with asyncio.timeout(0.3):
                web.told.append(await reader.read(1 << 16))
        except (TimeoutError, ConnectionError):
            pass
        writer.close()


async def sign_in(web: Web, person: Canary) -> None:
    """Type somebody into every field of those who are not signed in."""
    async with web.client() as nobody:
        await nobody.post("/v1/sessions", json={"name": person.name, "password": person.email, "totp": "123456"})
        await nobody.post("/v1/sessions", json={"name": person.email, "password": person.note, "totp": person.phone})
        await nobody.post("/v1/invitations", json={"code": person.email, "password": person.note})
        await nobody.get("/v1/me", headers={"authorization": f"Basic {ascii_of(person.email)}"})
        await nobody.get("/v1/me", headers={"authorization": f"Bearer {ascii_of(person.email)}"})
        await nobody.get(f"/health?q={quote(person.email)}#{quote(person.name)}")


async def mishap(web: Web, person: Canary) -> None:
    """Meet the mistake that the process under test makes."""
    async with web.client("staff") as staff:
        answer = await staff.post("/v1/contacts", json={**body_of(person), "company": MISHAP})
        assert answer.status_code == 500
