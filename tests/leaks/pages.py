"""The pages as their readers use them, and wrongly: people in every form, address, header and file name."""

import asyncio
import re
import secrets
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any
from urllib.parse import quote

import orjson
from httpx import AsyncClient, Response

from api.http.deps import PUBLIC
from api.http.headers import LANGUAGE, REASON, THEME, ZONE
from crm.kit.ids import new_id
from crm.promises.classes import PAGES
from tests.keeper.authenticator import Authenticator
from tests.keeper.home import PASSWORD, Person
from tests.leaks import drive
from tests.leaks.people import Canary
from tests.leaks.running import Web
from tests.web.pages import ROWS
from web.assets import ASSETS
from web.errors import REST
from web.forms import PASSWORD as PROOF

Form = dict[str, Any]
FRAGMENT = {"hx-request": "true"}
UNKNOWN, REFUSED = 401, 403
DAY = "2026-12-25"
# Every field a page reads, but those of a proof: wrong ones are counted, and would lock the cast out.
FIELDS = (
    "act", "actor", "again", "assignee", "at", "ceremony", "channel", "code", "company", "company_id", "confirm",
    "direction", "do", "due", "email", "emails", "etag", "everywhere", "family_name", "first", "follow_up",
    "given_name", "ground", "id", "job_title", "kind", "language", "name", "new", "next", "nickname", "note",
    "note_code", "notes", "occurred_at", "owner", "passkey", "password", "phone", "phones", "product", "q",
    "reason", "retired", "roles", "second", "source", "stage", "state", "summary", "tags", "take", "term", "theme",
    "to", "topic", "totp", "until", "verdict", "version", "was_due", "with", "wording", "zone", "websites", "needs",
    "address_street", "address_city",
)  # fmt: skip
_ROLES = ("staff", "privacy", "auditor", "admin", "marketing")
_WHO = {(row.method, row.path): row.who for row in ROWS}
# What would end the session that asks, or use up its proofs.
_ENDS = {"/sign-out", "/me/password"}


def is_page(path: str) -> bool:
    """Tell pages from REST, by the address."""
    return not path.startswith(REST)


def form_of(person: Canary) -> Form:
    return {
        "given_name": person.name, "family_name": person.name, "company": person.company, "job_title": person.company,
        "emails": [person.email], "phones": [person.phone], "nickname": person.name, "note": person.note,
        "address_street": person.company, "address_city": person.name, "address_region": "", "address_postcode": "",
        "address_country": "",
    }  # fmt: skip


# Right


async def use(web: Web, people: Sequence[Canary], terms: Sequence[str]) -> None:
    """Use every page as it is meant to be used."""
    await drive.at_once(serve(web, person, term) for person, term in zip(people, cycle(terms)))
    person = people[0]
    await hand_in(web, people)
    await come_and_go(web, person)
    await watch(web, person)
    await name_terms(web, terms[0])


async def serve(web: Web, person: Canary, term: str) -> None:
    """Make somebody and all that can be about them, and let them go again."""
    async with web.browser("staff") as staff, web.browser("privacy") as privacy:
        await staff.get("/contacts/new")
        form = {**form_of(person), "stage": term, "tags": [term], "product": term, "confirm": "yes"}
        contact, twin = await _made(staff, "/contacts/new", form), await _made(staff, "/contacts/new", form)
        await staff.post("/contacts/new", data={**form, "confirm": ""})
        await staff.post("/contacts/new", data={**form, "confirm": ""}, headers=FRAGMENT)
        await find(staff, "/contacts", person.name)
        url = f"/contacts/{contact}"
        await change(staff, url, {"job_title": person.note, "company": person.company, "stage": term})
        await log(staff, url, twin, person, term)
        await plan(staff, person)
        await merge(staff, contact, twin, person)
        await firm(staff, person, term)
        await staff.get(f"{url}/consents")
        said = {"state": "given", "topic": term, "channel": "email", "wording": term, "source": "form"}
        await staff.post(f"{url}/consents", data=said)
        await staff.post(f"{url}/consents", data={**said, "wording": person.note, "topic": person.name})
        for client in (staff, privacy):
            await client.get(url)
            await client.get(f"{url}/erase")
        await staff.post(f"{url}/erase", data={"ground": person.note})
        await staff.post(f"{url}/erase", data={"ground": "request"})
        await staff.post(f"{url}/erase/cancel")
        await staff.get(f"{url}/erase/cancel")
        await privacy.post(f"{url}/erase/cancel")
        for page in ("/", "/today", "/contacts", "/contacts/counts?owner=me"):
            await staff.get(page)


async def _made(client: AsyncClient, url: str, form: Form) -> str:
    """Send a form that makes something, and return its id; what is no address is left out when it is refused."""
    answer = await client.post(url, data={**form, "id": new_id()})
    if answer.status_code == 422:
        answer = await client.post(url, data={**form, "emails": [], "id": new_id()})
    return answer.headers["location"].rpartition("/")[2]


async def find(staff: AsyncClient, place: str, text: str) -> None:
    """Search as a page and as a part of one."""
    await staff.get(place)
    for q in (text, text[:2], ""):
        for headers in ({}, FRAGMENT):
            await staff.post(f"{place}/search", data={"q": q}, headers=headers)


def _field(answer: Response, name: str) -> str:
    """Read what a hidden field of a page holds."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    return found[1] if found else ""


async def change(staff: AsyncClient, url: str, form: Form) -> None:
    """Change what a form holds, from the version it was made of; then from the same, which is stale."""
    etag = _field(await staff.get(f"{url}/edit"), "etag")
    await staff.get(f"{url}/edit", headers=FRAGMENT)
    for headers in ({}, {}, FRAGMENT):
        await staff.post(f"{url}/edit", data={**form, "etag": etag}, headers=headers)
        form = {**form, "phones": [str(form.get("job_title", ""))]}


async def log(staff: AsyncClient, url: str, twin: str, person: Canary, term: str) -> None:
    """Log a call, say it anew, with a draft before it and a file behind it, and move it to somebody else."""
    said = {
        "kind": "call", "direction": "in", "summary": person.company, "notes": person.note, "product": term,
        "needs": [term], "follow_up": person.note, "due": DAY,
    }  # fmt: skip
    for headers in ({}, FRAGMENT):
        await staff.post(f"{url}/draft", data=said, headers=headers)
        await staff.get(url)
    await staff.post(f"{url}/draft/drop")
    call, file = new_id(), new_id()
    await staff.post(f"{url}/interactions", data={**said, "id": call})
    await staff.post(f"{url}/interactions", data={**said, "product": person.name}, headers=FRAGMENT)
    await staff.get(f"{url}/interactions?before=9999999999999-{'f' * 32}")
    one = f"{url}/interactions/{call}"
    await staff.get(one)
    for version in ("1", "1", person.phone):
        await staff.post(one, data={**said, "notes": person.email, "version": version})
    part = (f"{person.name}.txt", person.note.encode() * 3, "text/plain")
    await staff.post(f"{one}/attachments", data={"id": file}, files={"file": part})
    await staff.post(f"{one}/attachments", data={person.email: person.note}, headers=FRAGMENT)
    await staff.get(f"{one}/attachments/{file}")
    await staff.get(f"{one}/move")
    await find(staff, f"{one}/move", person.name)
    await staff.post(f"{one}/move", data={"to": person.email})
    await staff.post(f"{one}/move", data={"to": twin})


async def plan(staff: AsyncClient, person: Canary) -> None:
    """Put off what is due first, and do it; whoever serves others at the same time may have been faster."""
    found = re.findall(r"/follow-ups/([0-9a-f]{32})/done", (await staff.get("/today")).text)
    for one in found[:2]:
        await staff.post(f"/follow-ups/{one}", data={"due": person.name, "was_due": DAY, "version": "1"})
        await staff.post(f"/follow-ups/{one}", data={"due": "2026-12-28", "was_due": DAY, "version": "1"})
        await staff.post(f"/follow-ups/{one}", data={"due": "2026-12-29", "was_due": DAY, "version": person.name})
        await staff.post(f"/follow-ups/{one}/done")


async def merge(staff: AsyncClient, contact: str, twin: str, person: Canary) -> None:
    """Make two of one, and one of two."""
    url = f"/contacts/{contact}"
    await staff.get(f"{url}/merge")
    await find(staff, f"{url}/merge", person.name)
    await staff.get(f"{url}/merge", params={"with": twin})
    await staff.post(f"{url}/merge", data={"with": person.name, "take": person.email})
    await staff.post(f"{url}/merge", data={"with": twin, "take": ["given_name"]})
    await staff.get(f"{url}/merged", params={"with": twin})
    await staff.post(f"/contacts/{twin}/merge/undo")


async def firm(staff: AsyncClient, person: Canary, term: str) -> None:
    """Make a company, find it, change it, and make somebody who works there."""
    await staff.get("/companies/new")
    form = {"company": person.company, "phones": [person.phone], "note": person.note, "emails": [person.email]}
    made = await _made(staff, "/companies/new", {**form, "confirm": "yes"})
    await staff.post("/companies/new", data=form)
    await find(staff, "/companies", person.company)
    await staff.get(f"/companies/{made}")
    await change(staff, f"/companies/{made}", {"company": person.name, "stage": term})
    await staff.get("/contacts/new", params={"company": made})


async def hand_in(web: Web, people: Sequence[Canary]) -> None:
    """Look at what a file of people would do, then import it, under a file name that is one of them."""
    person, cards = people[0], "".join(map(drive.card_of, people)).encode()
    part = (f"{drive.ascii_of(person.email)}.vcf", cards)
    async with web.browser("staff") as staff:
        await staff.get("/import")
        for headers in ({}, FRAGMENT):
            await staff.post("/import", data={"do": "look"}, files={"file": part}, headers=headers)
            await staff.post("/import", data={person.email: person.note}, files={"file": (person.name, b"\xff\xfe")})
        begun = await staff.post("/import", data={"do": "import"}, files={"file": part})
        while "hx-trigger" in (await staff.get(begun.headers["location"], headers=FRAGMENT)).text:
            await asyncio.sleep(0.05)
        await staff.get(begun.headers["location"])


def _secret_of(answer: Response) -> str:
    """Read what a page shows once."""
    (secret,) = re.findall(r'class="secret">([^<]+)<', answer.text)
    return str(secret).replace(" ", "")


async def come_and_go(web: Web, person: Canary) -> None:
    """Let somebody join, sign in, enrol what there is, sign out and leave; their password is somebody's note."""
    id_, name, password = new_id(), f"Joiner {secrets.token_hex(8)}", f"{person.note} {person.email}"
    async with web.browser("admin") as admin, web.browser() as nobody:
        await admin.get("/people")
        asked = await admin.post("/people", data={"id": id_, "name": name, "roles": "product", PROOF: PASSWORD})
        code = _secret_of(asked)
        await nobody.get("/invitation")
        for first, again in ((person.email, PASSWORD), (code, person.note), (code, PASSWORD)):
            await nobody.post("/invitation", data={"first": first, "password": PASSWORD, "again": again})
        async with web.seated(await sign_in(nobody, person, name)) as joined:
            await joined.post("/me/password", data={"old": person.note, "new": person.email, "again": person.name})
            await joined.post("/me/password", data={"old": person.note, "new": person.email, "again": person.email})
            key = await enrol(joined, person)
            await joined.post("/me/password", data={"old": PASSWORD, "new": password, "again": password})
        async with web.seated(await by_passkey(nobody, key, person)) as joined:
            (passkey,) = re.findall(r"/me/passkeys/([0-9a-f]{32})/remove", (await joined.get("/me")).text)
            await joined.post(f"/me/passkeys/{passkey}/remove")
            await joined.get("/me/log")
            await joined.post("/sign-out", data={"everywhere": "yes", "next": person.email})
        await leave(web, admin, id_, person)


async def sign_in(nobody: AsyncClient, person: Canary, name: str) -> str:
    """Type somebody into the door, then sign in; returns the token."""
    await nobody.get("/sign-in", params={"next": "/today"})
    for typed in (person.name, person.email):
        await nobody.post("/sign-in", data={"name": typed, "password": person.note, "totp": person.phone})
    await nobody.post("/look", data={"theme": "dark", "reason": person.name, "zone": person.email, "next": "/me"})
    return _token_of(await nobody.post("/sign-in", data={"name": name, "password": PASSWORD, "next": "/me"}))


async def enrol(joined: AsyncClient, person: Canary) -> Authenticator:
    """Enrol a second factor and a passkey, with somebody where each goes wrong."""
    for page in ("/me", "/me/factor"):
        await joined.get(page)
    for proof in (person.note, PASSWORD):
        begun = await joined.post("/me/factor", data={PROOF: proof, "next": person.email})
    codes = Person("", "", [], "", _secret_of(begun))
    for code in (person.phone, codes.code()):
        await joined.post("/me/factor/confirm", data={"code": code})
    key = Authenticator()
    challenge = drive.challenge_of(await joined.post("/me/passkeys/options", data={"ceremony": "enrol"}))
    for made in (person.email, orjson.dumps(key.made(challenge)).decode()):
        await joined.post("/me/passkeys", data={"passkey": made})
    return key


async def by_passkey(nobody: AsyncClient, key: Authenticator, person: Canary) -> str:
    """Sign in with a passkey; returns the token."""
    challenge = drive.challenge_of(await nobody.post("/sign-in/options", data={"next": person.email}))
    await nobody.post("/sign-in/passkey", data={"passkey": person.email, "next": person.name})
    signed = orjson.dumps(key.signed(challenge)).decode()
    return _token_of(await nobody.post("/sign-in/passkey", data={"passkey": signed, "next": "/me"}))


def _token_of(answer: Response) -> str:
    (token,) = re.findall(r"__Host-kept=([^;]+)", answer.headers["set-cookie"])
    return str(token)


async def leave(web: Web, admin: AsyncClient, id_: str, person: Canary) -> None:
    """Change an account in every way, and end it."""
    url = f"/people/{id_}"
    async with web.client("auditor") as auditor:
        staff = {one["name"]: one["id"] for one in (await auditor.get("/v1/colleagues")).json()["colleagues"]}
    await admin.get(url)
    for to, until in ((person.name, ""), (staff["staff2"], person.email), (staff["staff2"], "")):
        await admin.post(f"{url}/hand-over", data={"to": to, "until": until})
    for roles in (person.name, "marketing"):
        await admin.post(f"{url}/roles", data={"roles": roles, PROOF: PASSWORD})
    await admin.post(f"{url}/reset", data={PROOF: PASSWORD})
    await admin.post(f"{url}/end", data={PROOF: PASSWORD})
    await admin.get("/status")


async def watch(web: Web, person: Canary) -> None:
    """Plant somebody who does not exist and look at them; answer the alarm, decide, and read the log in every way."""
    async with web.browser("staff") as staff, web.browser("auditor") as auditor:
        await staff.post("/me/lift")
        await auditor.get("/decisions")
        for one in re.findall(r"/decisions/([0-9a-f]{32})", (await auditor.get("/decisions")).text):
            await auditor.post(f"/decisions/{one}", data={"verdict": person.name})
            await auditor.post(f"/decisions/{one}", data={"verdict": "refuse", PROOF: PASSWORD})
        planted = new_id()
        form = {"given_name": person.name, "family_name": person.name, "company": person.company}
        await auditor.post("/alerts/canaries", data={**form, "id": planted, "emails": person.name})
        await auditor.post("/alerts/canaries", data={**form, "id": planted})
        await auditor.get("/alerts/canaries")
        await staff.get(f"/contacts/{planted}")
        await answer(web, auditor, person)
        for page in _AUDIT:
            await auditor.get(page)
        await auditor.get(f"/reports/people/{planted}")
        await auditor.get(f"/reports/colleagues?person={web.parts.keeper.cast['staff'].id}")
        for form in ({"email": person.email}, {"phone": person.phone}, {"email": person.name}):
            await auditor.post("/reports/subject", data=form)


async def answer(web: Web, auditor: AsyncClient, person: Canary) -> None:
    """Answer the alarms, once the log is read to its end."""
    async with web.client("auditor") as rest:
        while (page := (await rest.get("/v1/alerts")).json())["read"] < page["size"]:
            pass
    for one in re.findall(r"/alerts/([0-9a-f]{32})/acknowledge", (await auditor.get("/alerts")).text)[:1]:
        for note in (person.note, "followed_up"):
            await auditor.post(f"/alerts/{one}/acknowledge", data={"note_code": note})


_AUDIT = (
    "/", "/log", "/log/tree", "/log/entries/3", "/log/entries/3/proof", "/reports",
    "/reports/refusals", "/reports/week", "/people", ASSETS.url("app.css"),
)  # fmt: skip


async def name_terms(web: Web, term: str) -> None:
    """Put a term into a vocabulary, change it, and retire it."""
    async with web.browser("admin") as admin:
        await admin.get("/vocabulary")
        for text in (f"{term[:-1]}?", term * 20):
            await admin.post("/vocabulary/product", data={"term": text})
        listed = (await admin.get("/vocabulary/product")).text
        (one, *_) = re.findall(r"/vocabulary/product/([0-9a-f]+)", listed)
        for form in ({"term": f"{term[:-1]}&"}, {"term": term * 20}, {"retired": "yes"}):
            await admin.post(f"/vocabulary/product/{one}", data=form)


# Wrong


def wrong(person: Canary) -> Iterator[dict[str, Any]]:
    """Give forms that are refused, each for another reason."""
    email = person.email.encode()
    form = {"content-type": "application/x-www-form-urlencoded"}
    for value in (person.note, person.email, person.phone * 20, "\0" + person.name):
        yield {"data": dict.fromkeys(FIELDS, value)}
    yield {"data": dict.fromkeys(FIELDS, person.name), "headers": FRAGMENT}
    yield {"data": {person.email: person.note, "__proto__": person.name}}
    yield {"content": b"&".join(b"%s=%%ED%%A0%%BD%s" % (name.encode(), email) for name in FIELDS), "headers": form}
    yield {"content": b"&".join(b"%s=\xff\xfe%s" % (name.encode(), email) for name in FIELDS), "headers": form}
    yield {"content": b"&".join(email + b"%d=1" % number for number in range(300)), "headers": form}
    yield {"content": b"q=" + email * 20_000, "headers": form}
    yield {"content": email, "headers": {"content-type": drive.ascii_of(person.email)}}
    yield {"files": {person.email: (person.name, person.note.encode(), drive.ascii_of(person.email))}}
    yield {"data": {"id": person.email, "do": person.name}, "files": {"file": (person.name, person.note.encode())}}
    yield {"data": {"q": person.email}, "headers": {"sec-fetch-site": drive.ascii_of(person.name)}}


async def misuse(web: Web, people: Sequence[Canary], routes: Sequence[drive.Route], *, by_all: bool) -> None:
    """Ask every page wrongly, with somebody in each position: as one it is for, or as everybody; and as nobody."""
    every, each = [route for route in routes if is_page(route[1]) and route[1] not in _ENDS], cycle(people)
    for role in (*_ROLES, ""):
        own = [route for route in every if by_all or role in {"", _first(route)}]
        async with web.browser(role) as client:
            await drive.at_once(_ask_around(client, f"{web.cookie(role)}; ", *route, next(each)) for route in own)
            await drive.at_once(_ask_wrongly(client, *route, next(each)) for route in own if route[0] == "POST")


def _first(route: drive.Route) -> str:
    """Return the first role that a page is for; of a public one there is none."""
    return next((role for role in _ROLES if role in _WHO.get(route, ())), "")


async def _ask_around(client: AsyncClient, cookie: str, method: str, path: str, person: Canary) -> None:
    """Put somebody into address, query and headers; as a page, and as a part of one."""
    known = PAGES[method, path].query
    query = dict.fromkeys(known, person.email) | {person.email: person.name}
    headers = {**drive.headers_of(person), "sec-fetch-site": "same-origin"}
    headers["cookie"] = cookie + _looks(person) + headers["cookie"]
    wrong_place, place = (drive.url_of(path, step) for step in (quote(person.email, safe=""), new_id()))
    for url in (wrong_place, place):
        for more in ({}, FRAGMENT):
            if await drive.ask(client, method, url, headers=more) == REFUSED:
                return
            await drive.ask(client, method, url, params=query, headers={**headers, **more})
        await drive.ask(client, method, f"{url}/{quote(person.name, safe='')}/")
    for name in known:
        await drive.ask(client, method, place, params={name: person.name})


def _looks(person: Canary) -> str:
    """Return the cookies of how pages look, each holding somebody instead of a word of its list."""
    return "".join(f"{name}={drive.ascii_of(person.name)}; " for name in (THEME, ZONE, LANGUAGE, REASON))


async def _ask_wrongly(client: AsyncClient, method: str, path: str, person: Canary) -> None:
    for url in {drive.url_of(path, step) for step in (new_id(), quote(person.name, safe=""))}:
        # Whoever is refused for who they are is refused before anything that was sent is read.
        if await drive.ask(client, method, url) in {UNKNOWN, REFUSED} and (method, path) not in PUBLIC:
            return
        for call in wrong(person):
            await drive.ask(client, method, url, **call)
