"""Calls with people in every position there is: path, query, headers, body, key, file, file name; right and wrong."""

import asyncio
import contextlib
import json
import re
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any
from urllib.parse import quote

from httpx import AsyncClient, NetworkError, RemoteProtocolError, Response

from tests.api.test_every_route import CALL, ROWS
from tests.keeper.authenticator import Authenticator
from tests.keeper.home import PASSWORD, Person
from tests.leaks.people import Canary, Crowd
from tests.leaks.running import Web
from tests.leaks.web import MISHAPS

# No longer than an id, so that a column could hold it.
TERM = 20
# A vocabulary is rewritten whole with each term.
MOST_TERMS = 5
KINDS = ("stage", "tag", "product", "need", "topic", "wording")
SERVE = {"purpose": "serve", "reason": "call"}
DUE = "2026-12-25T09:00:00Z"
JSON = {"content-type": "application/json"}
WRITES = {"POST", "PATCH", "PUT"}
# How many call at a time.
AT_ONCE = 8
Route = tuple[str, str]


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
        "from": email, "referer": f"https://mail.example/?to={email}", "cookie": f"who={name}; {name}={email}",
        "user-agent": f"Mozilla/5.0 ({email})", "x-forwarded-for": name, "x-request-id": email, "x-phone": person.phone,
        "if-match": name, "accept-language": name, "if-none-match": name, "range": name, "origin": f"https://{name}",
        "accept": email, "accept-encoding": name, "traceparent": name, "baggage": f"user={email}", "host": name,
        name.replace(" ", "-").translate(dict.fromkeys(map(ord, "'%"))): email, "x-http-method-override": email,
    }  # fmt: skip


# Right


async def use(web: Web, crowd: Crowd) -> None:
    """Use the product as it is meant to be used, by every route."""
    await serve(web, crowd)
    await keep_house(web, crowd.people[0])
    await sign_in(web, crowd.people[0])


async def serve(web: Web, crowd: Crowd) -> None:
    """Do what is about customers, and meet with every mishap."""
    terms = terms_of(crowd)
    await name_terms(web, terms)
    await at_once(write(web, person, term) for person, term in zip(crowd.people, cycle(terms)))
    await hand_in(web, crowd.people)
    for kind in MISHAPS:
        await mishap(web, crowd.people[-1], kind)


def terms_of(crowd: Crowd) -> list[str]:
    """Return the terms that are named after somebody."""
    return [person.company[:TERM] for person in crowd.people[:MOST_TERMS]]


async def at_once(calls: Iterator[Any]) -> None:
    """Make calls, so many at a time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(call: Any) -> None:
        async with room:
            await call

    await asyncio.gather(*map(one, calls))


async def name_terms(web: Web, terms: list[str]) -> None:
    """Put terms into every vocabulary, and change one."""
    async with web.client("admin") as admin:
        for term in terms:
            for kind in KINDS:
                await admin.post(f"/v1/vocabulary/{kind}", json={"term": term})
        draft = await admin.post("/v1/vocabulary/need", json={"term": f"{terms[0][:-1]}!"})
        await admin.patch(f"/v1/vocabulary/need/{draft.json().get('id')}", json={"retired": True})
        await admin.get("/v1/vocabulary/need")


async def write(web: Web, person: Canary, term: str) -> None:
    """Make somebody and all that can be about them, and let it go again."""
    async with web.client("staff") as staff, web.client("privacy") as privacy, web.client("auditor") as auditor:
        body = {**body_of(person), "stage": term, "tags": [term], "product": term}
        contact = await _made(staff, "/v1/contacts", body)
        url = f"/v1/contacts/{contact}"
        opened = await staff.get(url, params=SERVE)
        change = {"job_title": person.note, "profile": None}
        await staff.patch(url, json=change, headers={"if-match": opened.headers.get("etag", "")})
        await staff.post("/v1/contacts/search", json={"q": person.name})
        await staff.post("/v1/contacts", json={**body_of(person), "confirm_duplicate": False})
        await write_down(staff, url, person, term)
        twin = await _made(staff, "/v1/contacts", {"given_name": person.name, "confirm_duplicate": True})
        await interact(staff, contact, twin, person, term)
        await plan(staff, contact, person)
        await staff.post("/v1/contacts/compare", json={"ids": [contact, twin]})
        await staff.post(f"/v1/contacts/{twin}/merge", json={"into": contact})
        await staff.post(f"/v1/contacts/{twin}/merge/undo")
        await firms(staff, privacy, person, term)
        await privacy.put(f"{url}/restriction")
        await privacy.delete(f"{url}/restriction")
        await privacy.post(f"{url}/keep", json={"until": DUE[:10]})
        await staff.delete(url, params={"ground": "request"})
        await privacy.post(f"{url}/erase/cancel")
        await auditor.post("/v1/log/subject", json={"email": person.email})
        await auditor.post("/v1/log/subject", json={"phone": person.phone})
        await auditor.get(f"{url}/looks")


async def _made(client: AsyncClient, url: str, body: dict[str, Any]) -> str:
    """Make something; what is no address is left out when it is refused."""
    answer = await client.post(url, json=body)
    if answer.status_code == 422:
        answer = await client.post(url, json={key: value for key, value in body.items() if key != "emails"})
    return str(answer.json().get("id"))


async def write_down(staff: AsyncClient, url: str, person: Canary, term: str) -> None:
    """Write what somebody agreed to, and a draft."""
    said = {"state": "given", "topic": term, "channel": "email", "wording": term, "source": "form"}
    await staff.post(f"{url}/consents", json=said)
    await staff.get(f"{url}/consents")
    await staff.put(f"{url}/draft", json={"summary": person.note, "notes": person.email})
    await staff.get(f"{url}/draft")
    await staff.delete(f"{url}/draft")
    await staff.post("/v1/contacts/count", json={"tags": [term]})


async def interact(staff: AsyncClient, contact: str, twin: str, person: Canary, term: str) -> None:
    """Write a call, a second version of it and a file with it, and move it to somebody else."""
    url = f"/v1/contacts/{contact}/interactions"
    call = {**CALL, "summary": person.company, "notes": person.note, "product": term, "needs": [term]}
    made = f"{url}/{await _made(staff, url, call)}"
    await staff.post(f"{made}/versions", json={**call, "notes": person.email, "version": 1})
    await staff.get(f"{made}/versions")
    file = (f"{person.name}.txt", person.note.encode() * 3, "text/plain")
    attached = await staff.post(f"{made}/attachments", files={"file": file})
    await staff.get(f"{made}/attachments/{attached.json().get('id')}")
    await staff.get(url)
    await staff.post(f"{made}/move", json={"to": twin})


async def plan(staff: AsyncClient, contact: str, person: Canary) -> None:
    """Follow somebody up."""
    made = await staff.post("/v1/follow-ups", json={"contact": contact, "due": DUE, "title": person.note})
    url = f"/v1/follow-ups/{made.json().get('id')}"
    await staff.patch(url, json={"due": DUE, "title": person.email}, headers={"if-match": '"1"'})
    await staff.patch(url, json={"due": DUE}, headers={"if-match": '"1"'})
    await staff.get("/v1/follow-ups")
    await staff.post(f"{url}/done")


async def firms(staff: AsyncClient, privacy: AsyncClient, person: Canary, term: str) -> None:
    """Make two companies of one, and one of two."""
    body = {
        "name": person.company,
        "emails": [person.email],
        "phones": [person.phone],
        "profile": {"note": person.note},
    }
    firm, other = [await _made(staff, "/v1/companies", {**body, "confirm_duplicate": True}) for _ in range(2)]
    url = f"/v1/companies/{firm}"
    opened = await staff.get(url)
    change = {"name": person.name, "stage": term}
    await staff.patch(url, json=change, headers={"if-match": opened.headers.get("etag", "")})
    await staff.post("/v1/companies/search", json={"q": person.company})
    await staff.post(f"/v1/companies/{other}/merge", json={"into": firm})
    await staff.post(f"/v1/companies/{other}/merge/undo")
    await staff.delete(url, params={"ground": "request"})
    await privacy.post(f"{url}/erase/cancel")


async def keep_house(web: Web, person: Canary) -> None:
    """Do what is about no customer: staff, sessions, decisions, alerts, the log."""
    async with web.client("staff") as staff, web.client("admin") as admin, web.client("auditor") as auditor:
        for path in _HOUSE:
            assert (await staff.get(path)).is_success
        lift = await staff.post("/v1/me/lift")
        await auditor.post(f"/v1/decisions/{lift.json().get('decision')}", json={"verdict": "refuse"})
        await join(web, admin, person)
        await watch(staff, auditor, person)
        await read_log(auditor)


_HOUSE = (
    "/v1/contacts?owner=me", "/v1/retention", "/v1/me", "/v1/me/recent", "/v1/me/log", "/v1/colleagues", "/v1/sessions",
    "/v1/promises", "/health", "/openapi.json",
)  # fmt: skip


async def join(web: Web, admin: AsyncClient, person: Canary) -> None:
    """Let somebody join, sign in, sign out and leave; what staff are called is no secret of a customer's."""
    name = f"Joiner {secrets.token_hex(8)}"
    invited = (await admin.post("/v1/people", json={"name": name, "roles": ["product"]})).json()
    async with web.client() as nobody:
        await nobody.post("/v1/invitations", json={"code": invited["code"], "password": PASSWORD})
    token = await _signed_in(web, name, PASSWORD)
    async with web.signed(token) as joined:
        await joined.post("/v1/sessions/current/proof", json={"password": person.note})
        await joined.post("/v1/sessions/current/proof", json={"password": PASSWORD})
        await keep_passkey(joined, person)
        secret = (await joined.post("/v1/me/totp")).json()["secret"]
        codes = Person("", name, [], token, secret)
        await joined.put("/v1/me/totp", json={"code": codes.code()})
        await joined.post("/v1/me/password", json={"old": PASSWORD, "new": person.note})
        await joined.delete("/v1/sessions/current")
    # A code is good once; that of the step after is good as well.
    token = await _signed_in(web, name, person.note, codes.code(1))
    async with web.signed(token) as joined:
        await joined.delete("/v1/sessions")
    staff = {one["name"]: one["id"] for one in (await admin.get("/v1/people")).json()["people"]}
    await admin.post(f"/v1/people/{invited['id']}/hand-over", json={"to": staff["staff2"], "kind": "leaver"})
    await admin.patch(f"/v1/people/{invited['id']}", json={"state": "left"})
    await admin.get("/v1/decisions")


async def keep_passkey(joined: AsyncClient, person: Canary) -> None:
    """Enrol a passkey, and forget it."""
    await joined.post("/v1/sessions/options")
    challenge = challenge_of(await joined.post("/v1/passkeys/options", json={"ceremony": "enrol"}))
    made = Authenticator().made(challenge)
    for passkey in ({**made, "id": person.email}, made):
        answer = await joined.post("/v1/passkeys", json={"passkey": passkey})
    await joined.get("/v1/passkeys")
    await joined.delete(f"/v1/passkeys/{answer.json().get('id')}")


def challenge_of(answer: Response) -> bytes:
    """Read what a passkey is to sign."""
    challenge = str(answer.json()["challenge"])
    return urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))


async def _signed_in(web: Web, name: str, password: str, totp: str | None = None) -> str:
    async with web.client() as nobody:
        answer = await nobody.post("/v1/sessions", json={"name": name, "password": password, "totp": totp})
        return str(answer.json()["token"])


async def watch(staff: AsyncClient, auditor: AsyncClient, person: Canary) -> None:
    """Plant somebody who does not exist, look at them, and answer the alarm."""
    planted = await auditor.post("/v1/canaries", json={"given_name": person.name, "family_name": person.company})
    await staff.get(f"/v1/contacts/{planted.json().get('id')}", params=SERVE)
    await auditor.get("/v1/canaries")
    while (page := (await auditor.get("/v1/alerts")).json())["read"] < page["size"]:
        pass
    for alert in page["alerts"][:1]:
        await auditor.post(f"/v1/alerts/{alert['id']}/acknowledge", json={"note_code": "followed_up"})


async def read_log(auditor: AsyncClient) -> None:
    """Read the whole log as an auditor may."""
    size = int((await auditor.get("/log/checkpoint")).text.split("\n")[1])
    for n in range(-(-size // 256)):
        rest = min(256, size - n * 256)
        width = "" if rest == 256 else f".p/{rest}"
        await auditor.get(f"/log/tile/entries/{n:03d}{width}")
        await auditor.get(f"/log/tile/0/{n:03d}{width}")
    await auditor.get("/v1/log/entries")
    await auditor.get("/v1/log/entries/3/proof")


async def hand_in(web: Web, people: list[Canary]) -> None:
    """Import a file of people, of whom some cannot be stored, under a file name that is one of them."""
    person = people[0]
    broken = f"BEGIN:VCARD\nFN:{person.name}\nEMAIL:{person.name} at {person.email}\nEND:VCARD\n"
    long = f"BEGIN:VCARD\nFN:{person.note * 400}\nEND:VCARD\nBEGIN:VCARD\nFN:{person.email}"
    cards = ("".join(map(card_of, people)) + broken + long).encode()
    lines = "".join(f'"{one.name.replace(chr(34), chr(39))}",{one.email},{one.phone},x\n' for one in people)
    table = f"Name,E-mail,Phone,Shoe size\n{lines}".encode()
    async with web.client("staff") as staff:
        for data in (cards, table, table.decode().encode("utf-16"), b"Name,E-mail\n\xff\xfe" + lines.encode()):
            answer = await staff.post("/v1/imports", files={"file": (f"{ascii_of(person.email)}.vcf", data)})
            while (await staff.get(f"/v1/imports/{answer.json().get('id')}")).json().get("state") == "running":
                await asyncio.sleep(0.05)
        await staff.post("/v1/imports", files={"file": ("x", person.note.encode())}, data={"id": person.email})
        await staff.post("/v1/imports", data={person.email: person.note * 40})
        await staff.post("/v1/imports", files={person.email: (person.name, cards)})
        form = {"content-type": f"multipart/form-data; boundary={ascii_of(person.email)}"}
        await staff.post("/v1/imports", content=person.note.encode(), headers=form)


# Wrong


def wrong(person: Canary) -> Iterator[dict[str, Any]]:
    """Give bodies that are refused, each for another reason."""
    email = person.email.encode()
    yield {"json": {person.email: person.note}}
    yield {"json": {"given_name": [person.name], "q": {"x": person.name}, "into": person.email, "term": [person.name]}}
    yield {"json": {"emails": [f"{person.name} at {person.email}"], "q": person.name[:2], "name": [person.email]}}
    yield {"json": {"id": person.email, "roles": [person.name], "verdict": person.name, "email": person.phone}}
    yield {
        "json": {
            "state": person.name,
            "until": person.email,
            "code": person.note,
            "due": person.phone,
            "q": "\0" + person.name,
        }
    }
    yield {"json": [person.name, person.email]}
    yield {"content": b'{"given_name": "' + email, "headers": JSON}
    yield {"content": b'{"given_name": "\xff\xfe' + email + b'"}', "headers": JSON}
    # Half of a surrogate pair: text that no encoder takes.
    lone = b'"\\ud83d' + person.company.encode() + b'"'
    yield {"content": b"{" + b", ".join(name + b": " + lone for name in _TEXTS) + b"}", "headers": JSON}
    yield {"content": b'{"a":' * 40_000 + json.dumps(person.email).encode(), "headers": JSON}
    yield {"content": b"[" * 15 + json.dumps(person.email).encode() + b"]" * 15, "headers": JSON}
    yield {"content": email * 20_000, "headers": JSON}
    yield {"content": email, "headers": {"content-type": ascii_of(person.email)}}
    yield {"content": email, "headers": {**JSON, "content-encoding": ascii_of(person.email)}}
    yield {"files": {person.email: (person.name, person.note.encode(), ascii_of(person.email))}}


_TEXTS = (b'"given_name"', b'"q"', b'"name"', b'"term"', b'"title"', b'"notes"', b'"code"', b'"password"', b'"email"')


def url_of(path: str, value: str) -> str:
    """Put a value into every place of a route's path."""
    return re.sub(r"\{[^}]+\}", lambda _: value, path)


async def misuse(web: Web, crowd: Crowd, routes: Sequence[Route], *, by_all: bool = False) -> None:
    """Ask every route wrongly, with somebody in each position; or with everybody."""
    people = cycle(crowd.people)
    for role in ("staff", "marketing", ""):
        async with web.client(role) as client:
            each = crowd.people if by_all and role == "staff" else [next(people)]
            await at_once(_ask_around(client, *route, person) for route in routes for person in each)
            if role == "staff" or by_all:
                await at_once(_ask_wrongly(client, *route, next(people)) for route in routes if route[0] in WRITES)
    await raw(web, next(people))


async def _ask_wrongly(client: AsyncClient, method: str, path: str, person: Canary) -> None:
    for call in wrong(person):
        await ask(client, method, url_of(path, quote(person.name, safe="")), **call)


async def _ask_around(client: AsyncClient, method: str, path: str, person: Canary) -> None:
    """Put somebody into address, query and headers, with a body that another route would take."""
    if method == "DELETE" and "sessions" in path:
        return
    query = {person.email: person.name, "q": person.email, "purpose": person.name, "ref": person.phone}
    query |= {"ground": person.name, "before": person.email, "reason": person.name, "subject": person.name}
    query |= {
        "due": person.name,
        "owner": person.email,
        "after": person.name,
        "actor": person.name,
        "from": person.email,
    }
    url = url_of(path, quote(person.email, safe=""))
    body = {"json": body_of(person)} if method in WRITES else {}
    await ask(client, method, url, params=query, headers=headers_of(person), **body)
    await ask(client, method, f"{url}/{quote(person.name, safe='')}/")
    # The right shape with the wrong person in it.
    await ask(client, method, url, **_CALLS.get((method, path), {}))


_CALLS = {(row.method, row.path): row.call for row in ROWS if row.method != "DELETE"}


async def ask(client: AsyncClient, method: str, url: str, **call: Any) -> int:
    """Send a request; returns the status, or 0 when there was no answer."""
    # A server may hang up on what is no request; a client that does not send it at all would test nothing.
    with contextlib.suppress(NetworkError, RemoteProtocolError):
        return (await client.request(method, url, **call)).status_code
    return 0


async def raw(web: Web, person: Canary) -> None:
    """Send what no client would: methods, versions, headers and addresses of the sender's own making."""
    email, name = person.email.encode(), person.name.encode()
    requests = (
        email + b" / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /" + quote(person.email).encode() * 3000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /health?" + name + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET http://" + email + b"/health HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /health HTTP/" + email + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\n" + name + b": x\r\nhost: " + email + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: x\r\nupgrade: " + email + b"\r\nconnection: upgrade\r\n\r\n",
        b"POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: " + email + b"\r\n\r\n",
        b"POST /v1/sessions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: " + email + b"\r\n\r\n",
        b"POST /v1/sessions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + email,
        b"POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n\r\n" + email,
    )
    await asyncio.gather(*(_send(web, request) for request in requests))


async def _send(web: Web, request: bytes) -> None:
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


async def mishap(web: Web, person: Canary, kind: str) -> None:
    """Meet a mistake that the process under test makes."""
    async with web.client("staff") as staff:
        answer = await staff.post("/v1/contacts", json={**body_of(person), "emails": [], "company": kind})
        assert answer.status_code in {500, 503}
