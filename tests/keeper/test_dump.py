"""Whoever holds a copy of the keeper's file, its journal and a backup, without the keys, holds nobody."""

import base64
import json
from pathlib import Path

import pytest

from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.canaries import forms, found
from tests.keeper.home import PASSWORD, KeeperHome, Person, item
from tests.keeper.talk import contact, entries

CANARIES = {
    "given name": "Zwölfgänger", "family name": "O'Quixotłe-Ünløck", "company": "Fjordglimt Aktieselskab",
    "job title": "Oberkanarienvogel", "e-mail": "canary.bird+tag@zwitscher-kanal.example",
    "phone": "+4930901820471", "street": "Kanarienstraße 4711", "city": "Vogelsbergheim", "postcode": "XK90ZQ7",
    "profile text": "allergic to quicksilver", "profile list": "collects thimbles", "profile number": "7341902856",
    "field name": "nickname_of_canary", "note": "shouted about the blue invoice", "note's key": "canary_key_of_note",
    "second version": "Umbenanntheimer", "old address": "former.canary@zwitscher-kanal.example",
    "stage": "kanarienkunde-stufe", "tag": "kanarienvogel-halter", "erased": "Verschwundenhausen",
    "searched": "gesuchterkanarius", "matched": "matched.canary@zwitscher-kanal.example",
    "merged": "Zusammengelegtmann", "company card": "Kanarienhandel Holding", "password": "kanarienpasswort-lang",
    "wrong password": "falscherkanarius-lang",
}  # fmt: skip


async def fill(home: KeeperHome, web: Keeper) -> dict[str, str]:
    """Use everything once with canaries in it; returns the canaries, those that are secrets of ours included."""
    c, staff, ada, record, house = CANARIES, home.token("staff"), new_id(), new_id(), new_id()
    identity = {"given_name": c["given name"], "family_name": c["family name"], "company": c["company"],
                "job_title": c["job title"]}  # fmt: skip
    addresses = [{"street": c["street"], "city": c["city"], "postcode": c["postcode"]}]
    channels = {"emails": [c["e-mail"]], "phones": [c["phone"]], "addresses": addresses}
    profile = {
        "text": c["profile text"],
        "list": [c["profile list"]],
        "number": int(c["profile number"]),
        c["field name"]: 1,
    }
    await web.put(staff, "intake", item(ada, identity=identity, channels=channels, profile=profile))
    await web.put(staff, "intake", item(ada, expected=1, identity={"given_name": c["second version"]}))
    old = await contact(home, web, emails=[c["old address"]])
    await web.put(staff, "intake", item(old, expected=1, channels={"emails": []}))
    words = {"stages": [c["stage"]], "tags": {c["tag"]: 1}}
    await web.put(home.token("admin"), "house", item(house, kind="house", vocabulary=words))
    note = [{"subject": ada, "record": record, "fields": {c["note's key"]: c["note"]}}]
    blob = (await web.seal(staff, "serve", note)).blobs[record]
    records = {ada: {record: blob}}
    await web.open(staff, "serve", subjects=[ada], fields=["identity", "channels"], records=records, reason="call")
    for typed in (c["searched"], c["second version"]):
        await web.search(staff, Pii(typed))
    for kind, value in (("email", c["matched"]), ("email", c["e-mail"]), ("phone", c["phone"])):
        await web.match(staff, kind, Pii(value))
        await web.subject_of(home.token("auditor"), kind, Pii(value))
    await web.merge(staff, await contact(home, web, f"{c['merged']} Person"), ada)
    await contact(home, web, c["company card"], kind="company")
    await web.erase(staff, await contact(home, web, f"{c['erased']} Person"), "request")
    return await secrets_of_ours(home, web)


async def secrets_of_ours(home: KeeperHome, web: Keeper) -> dict[str, str]:
    """Leave tokens, codes and passwords behind, and return them."""
    await web.change_password(home.token("staff2"), Pii(PASSWORD), Pii(CANARIES["password"]))
    token = (await web.sign_in("staff2", Pii(CANARIES["password"]))).token.reveal()
    with pytest.raises(Exception, match="do not fit"):
        await web.sign_in("staff2", Pii(CANARIES["wrong password"]))
    secret = (await web.enrol_totp(token))["secret"].reveal()
    await web.confirm_totp(token, Pii(Person("", "staff2", [], token, secret).code()))
    asked = await web.invite(home.token("admin"), "Newcomer", ["product"])
    seed = base64.b32decode(secret + "=" * (-len(secret) % 8)).hex()
    return {"token": token, "one-time secret": secret, "its bytes in hex": seed, "invitation": asked["code"].reveal()}


def everything(home: KeeperHome) -> list[Path]:
    """List every file of the home but the keys, and what the process said."""
    folders = [path for path in home.path.iterdir() if path.name not in {"keys", "services"}]
    files = [path for folder in folders for path in [folder, *folder.rglob("*")] if path.is_file()]
    return [*files, home.log_file]


async def test_a_copy_of_everything_but_the_keys_names_nobody(home: KeeperHome) -> None:
    web, host = await home.client(), await home.client("admin")
    await home.searchable(web)
    canaries = CANARIES | await fill(home, web)
    await host.call("backup")

    # While it runs, as a power cut leaves it, and after a stop in good order.
    running = found(canaries, everything(home))
    home.kill()
    killed = found(canaries, everything(home))
    home.start()
    home.stop()

    names = {path.name for path in everything(home)}
    assert {"keeper.db", "log.vkey"} <= names
    assert any(name.endswith(".kj") for name in names)
    assert any(name.startswith("snapshot-") for name in names)
    assert running == killed == found(canaries, everything(home)) == []


async def test_the_log_names_people_by_id_alone(home: KeeperHome) -> None:
    web = await home.client()
    await home.searchable(web)
    canaries = CANARIES | await fill(home, web)

    told = json.dumps(entries(home), ensure_ascii=False).encode()

    assert [where for where, canary in canaries.items() for _, needle in forms(canary) if needle in told] == []
    assert b"staff2" not in told, "nor staff by their names"


@pytest.mark.parametrize("form", ["as it is", "utf-16-le", "hex", "HEX", "base64", "sha256", "escaped", "quoted"])
def test_the_search_finds_what_is_there(tmp_path: Path, form: str) -> None:
    """A check that cannot fail is a defect: each form planted in a file is found."""
    file = tmp_path / "planted"
    for name, needle in forms(CANARIES["given name"]):
        if name == form:
            file.write_bytes(b"\0before" + needle + b"after\xff")
            assert found({"planted": CANARIES["given name"]}, [file])
    file.write_bytes(base64.b64encode(b"xy" + CANARIES["city"].encode() + b" and more"))
    assert found({"planted": CANARIES["city"]}, [file])
    file.write_bytes(b"nothing here")
    assert not found(CANARIES, [file])
