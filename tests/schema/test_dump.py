"""A superuser's dump of everything, and the server's files with their write-ahead log, name nobody.

Canaries go in through every field of every route that takes one, and through an import. Then every row of
every table is copied out and every file of the server is read, for each canary in every form that
software has been seen to keep it in.
"""

import asyncio
import base64
import hashlib
from typing import Any

import asyncpg

from crm.kit.ids import new_id
from tests.contacts.imported import give
from tests.product import Product, Server


def canary(core: str, what: str) -> str:
    """A word nobody uses: the same core in each, so that one search finds all, and the field's name to tell them."""
    return f"{core}Q{what}"


def forms(core: str) -> set[bytes]:
    """The core as bytes, in the forms a database, a library or a careless cache would keep it in."""
    found: set[bytes] = set()
    for text in (core, core.lower(), core.upper(), core[::-1], core.swapcase()):
        raw = text.encode()
        found |= {raw, text.encode("utf-16-le"), text.encode("utf-16-be"), raw.hex().encode()}
        found |= {raw.hex().upper().encode(), "".join(f"%{byte:02X}" for byte in raw).encode()}
        # Base64 has three alignments; the characters at the ends belong to the neighbours as well.
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4]
            found |= {encoded, encoded.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def digests(word: str) -> set[bytes]:
    """The whole word hashed, as a lookup column would keep it."""
    found: set[bytes] = set()
    for text in (word, word.lower(), f"{word}@example.org", f"{word}@example.org".lower()):
        for name in ("md5", "sha1", "sha256"):
            digest = hashlib.new(name, text.encode(), usedforsecurity=False).digest()
            found |= {digest, digest.hex().encode(), base64.b64encode(digest).rstrip(b"=")}
    return found


async def plant(product: Product, core: str) -> dict[str, str]:
    """Put a canary into every field there is; returns them by field."""
    names = (
        "given_name", "family_name", "company", "job_title", "email", "phone", "street", "city", "region", "postcode",
        "land", "line", "nickname", "birthday", "website", "note", "stage", "tag", "product", "need", "topic",
        "summary", "notes", "import", "patched", "confirmed", "followed", "title", "again", "draft", "file", "bytes",
        "wording", "renamed", "firm", "firmmail", "firmnote",
    )  # fmt: skip
    word = {name: canary(core, name.replace("_", "")) for name in names}
    for kind in ("stage", "tag", "product", "need", "topic", "wording"):
        await product.term(kind, word[kind])
    need = await product.term("need", f"{word['renamed']} at first")
    assert (
        await product.admin.patch(f"/v1/vocabulary/need/{need}", json={"term": word["renamed"], "retired": True})
    ).status_code == 200
    firm = {
        "name": word["firm"], "emails": [f"{word['firmmail']}@example.org"], "profile": {"note": word["firmnote"]},
    }  # fmt: skip
    company = (await product.staff.post("/v1/companies", json=firm)).json()["id"]
    body: dict[str, Any] = {
        "given_name": word["given_name"], "family_name": word["family_name"], "company": word["company"],
        "job_title": word["job_title"], "emails": [f"{word['email']}@example.org"], "phones": [word["phone"]],
        "addresses": [
            {"street": word["street"], "city": word["city"], "region": word["region"],
             "postcode": word["postcode"], "country": word["land"]},
            word["line"],
        ],
        "profile": {"nickname": word["nickname"], "birthday": word["birthday"], "websites": [word["website"]],
                    "note": word["note"]},
        "stage": word["stage"], "tags": [word["tag"]], "product": word["product"],
        "language": "de-CH", "country": "CH", "time_zone": "Europe/Zurich", "company_id": company,
    }  # fmt: skip
    contact = await product.contact(**body)
    consent = {
        "state": "given", "topic": word["topic"], "channel": "email", "wording": word["wording"], "source": "form",
    }  # fmt: skip
    assert (await product.staff.post(f"/v1/contacts/{contact}/consents", json=consent)).status_code == 201
    assert (await product.staff.post("/v1/contacts/count", json={"tags": [word["tag"]]})).status_code == 200
    await product.staff.post("/v1/companies/search", json={"q": word["firm"]})
    call = {
        "kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z", "summary": word["summary"],
        "notes": word["notes"], "product": word["product"], "needs": [word["need"]],
    }  # fmt: skip
    call["follow_up"] = {"due": "2026-11-25T09:00:00Z", "title": word["followed"]}
    logged = await product.staff.post(f"/v1/contacts/{contact}/interactions", json=call)
    assert logged.status_code == 201
    await plant_around(product, contact, logged.json()["id"], word)
    etag = (await product.staff.get(f"/v1/contacts/{contact}", params={"purpose": "serve"})).headers["etag"]
    patch = {"job_title": word["patched"], "language": "fr"}
    answer = await product.staff.patch(f"/v1/contacts/{contact}", json=patch, headers={"if-match": etag})
    assert answer.status_code == 200
    card = f"BEGIN:VCARD\nFN:{word['import']}\nEMAIL:{word['import']}@example.org\nNOTE:{word['import']}\nEND:VCARD\n"
    assert (await give(product, card.encode()))["stored"] == 1
    word["heading"] = heading = canary(core, "heading")
    table = f"Name,E-mail,{heading}\n{heading},{heading}@example.org,{heading}\n{heading},{heading},\n"
    assert (await give(product, table.encode()))["unknown_columns"] == [heading]
    # What fails is the likelier leak: a clash, a wrong value, an unknown term.
    duplicate = {"given_name": word["confirmed"], "emails": body["emails"]}
    assert (await product.staff.post("/v1/contacts", json=duplicate)).status_code == 409
    assert (await product.staff.post("/v1/contacts", json={**body, "stage": word["confirmed"]})).status_code == 422
    await product.staff.post("/v1/contacts/search", json={"q": word["family_name"]})
    await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"})
    return word


async def plant_around(product: Product, contact: str, interaction: str, word: dict[str, str]) -> None:
    """Put canaries into what goes with an interaction, by every way it changes place."""
    staff, url = product.staff, f"/v1/contacts/{contact}/interactions/{interaction}"
    again = {"kind": "note", "direction": "internal", "occurred_at": "2026-11-23T10:00:00Z", "notes": word["again"]}
    plan = {"contact": contact, "due": "2026-11-25T09:00:00Z", "title": word["title"]}
    file = (f"{word['file']}.txt", word["bytes"].encode() * 3, "text/plain")
    answers = [
        await staff.post(f"{url}/versions", json={**again, "version": 1}),
        await staff.post("/v1/follow-ups", json=plan),
        await staff.post(f"{url}/attachments", files={"file": file}),
        await staff.post(f"{url}/move", json={"to": await product.contact()}),
        await staff.put(f"/v1/contacts/{contact}/draft", json={"notes": word["draft"]}),
    ]
    assert all(answer.is_success for answer in answers)
    # What fails, too: a file that is refused, a draft that is none.
    file = (f"{word['file']}.svg", word["bytes"].encode(), "image/svg+xml")
    assert (await staff.post(f"{url}/attachments", files={"file": file})).is_client_error
    assert (await staff.put(f"/v1/contacts/{contact}/draft", json={word["draft"]: 1})).is_client_error


async def dump(server: Server) -> bytes:
    """Copy every table out as a superuser would, as text and as bytes."""
    admin = await asyncpg.connect(server.admin_dsn, database="kept")
    tables = await admin.fetch(
        "select format('%I.%I', schemaname, tablename) as name, schemaname = 'public' as is_ours from pg_tables"
    )
    parts = bytearray()
    for row in tables:
        # Some types of the catalogue have no binary form; what those tables hold is text.
        for kind in ("text", "binary") if row["is_ours"] else ("text",):

            async def take(data: bytes) -> None:
                parts.extend(data)

            await admin.copy_from_query(f"select * from {row['name']}", output=take, format=kind)  # noqa: S608
    # Whatever is still in memory goes to the files, and the log is cut so that it is read whole.
    await admin.execute("checkpoint")
    await admin.execute("select pg_switch_wal()")
    await admin.close()
    return bytes(parts)


def files(server: Server) -> dict[str, bytes]:
    """Read every file of the server, its log and its write-ahead log."""
    folder = server.home.root / "postgres"
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and "runtime" not in path.relative_to(folder).parts:
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def hits(patterns: set[bytes], where: dict[str, bytes]) -> list[str]:
    """Say where a pattern was found, with what stands around it."""
    return [
        f"{name}: {data[max(0, at - 40) : at + 60]!r}"
        for name, data in where.items()
        for pattern in patterns
        if (at := data.find(pattern)) >= 0
    ]


async def test_a_dump_and_the_servers_files_name_nobody(product: Product) -> None:
    core, marker = f"Zq{new_id()[:14]}Xj", f"Zq{new_id()[:14]}Xj"
    words = await plant(product, core)
    admin = await asyncpg.connect(product.server.admin_dsn, database="kept")
    await admin.execute("create table marker (word text)")
    await admin.execute("insert into marker values ($1)", marker)

    try:
        copied = await dump(product.server)
    finally:
        await admin.execute("drop table marker")
        await admin.close()
    sinks = await asyncio.to_thread(files, product.server)

    assert hits(forms(core), {"dump": copied, **sinks}) == []
    assert hits(set().union(*map(digests, words.values())), {"dump": copied}) == []
    # The search itself finds what is there: a word written in the clear is in the dump and in the log.
    assert hits({marker.encode()}, {"dump": copied})
    assert any("pg_wal" in hit for hit in hits({marker.encode()}, sinks))


async def test_the_write_ahead_log_can_be_searched(server: Server) -> None:
    admin = await asyncpg.connect(server.admin_dsn)
    value = await admin.fetchval("show wal_compression")
    await admin.close()

    assert value == "off"


def test_every_form_is_looked_for() -> None:
    core = f"Zq{new_id()[:14]}Xj"
    raw = core.encode()
    kept = {
        "base64": base64.b64encode(b"name=" + raw + b";more"),
        "urlsafe": base64.urlsafe_b64encode(b"12" + raw + b"34"),
        "hex": b"\\x" + b"name=".hex().encode() + raw.hex().encode(),
        "utf-16": ("x" + core + "y").encode("utf-16-le"),
        "upper": raw.upper(),
        "reversed": raw[::-1],
        "url": "".join(f"%{byte:02X}" for byte in raw).encode(),
    }

    assert [name for name, data in kept.items() if not hits(forms(core), {name: data})] == []
    assert hits(digests(core), {"sha256": b"\\x" + hashlib.sha256(raw).hexdigest().encode()})
