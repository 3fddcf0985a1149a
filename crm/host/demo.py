"""The demo: accounts for every role, made the way real ones are, and customers who do not exist.

Everything goes through the doors a customer has: the first admin and auditor over the keeper's own socket,
everybody else by invitation and an auditor's decision over REST, the customers by importing a file. Names are
made up; addresses, domains and telephone numbers are from the ranges kept free for fiction.
"""

import asyncio
import json
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from crm.contacts.commands import Client, RefusedError
from crm.errors import CrmError
from crm.host.home import Home, write_for
from crm.keeper_client import Keeper

STAFF = "staff"
ROLES = {
    STAFF: STAFF,
    "staff2": STAFF,
    "marketing": "marketing",
    "marketing2": "marketing",
    "auditor": "auditor",
    "counsel": "counsel",
    "counsel2": "counsel",
    "privacy": "privacy",
    "privacy2": "privacy",
    "product": "product",
    "admin": "admin",
    "admin2": "admin",
}
FIRST = ("admin", "auditor")
FILE = "demo-accounts.json"

_COMPANIES = (
    "Ahornweg Möbel", "Birch & Bell", "Costa Azul Foods", "Dunmore Cycles", "Ember Lane Studio",
    "Fjordlys Energi", "Glasgow Rope Works", "Harbour Tea Company",
)  # fmt: skip
_PEOPLE = (
    ("Amara", "Okonkwo-Reed"), ("Bjørn", "Aasland"), ("Chiara", "Montefosco"), ("Dagny", "Søndervik"),
    ("Edwin", "Hartleybrook"), ("Fatou", "Diarra-Klein"), ("Gregor", "Weißenau"), ("Hana", "Tsukimori"),
    ("Ignacio", "Valdeolmos"), ("Jolanta", "Łąkowska"), ("Kieran", "Mossvale"), ("Leïla", "Benhaddou"),
    ("Magnus", "Østerlund"), ("Nadia", "Farrowgate"), ("Oskar", "Birkenthal"), ("Priya", "Sundarekha"),
    ("Quentin", "Marchebois"), ("Rosalind", "Applethwaite"), ("Stellan", "Nordquay"),
    ("Tamsin", "Wrenfield"), ("Umberto", "Castelrosso"), ("Viktorie", "Dvořáčková"),
    ("Wanjiru", "Kamande-Holt"), ("Xenia", "Papadelos"), ("Yusuf", "Karadeniz"), ("Zofia", "Wiśnielas"),
    ("Anselm", "Kupferberg"), ("Brigid", "Carrowmore"), ("Cosmin", "Valenaru"),
    ("Delphine", "Beaurivage"), ("Emeka", "Adiobi"), ("Freya", "Thistlewick"), ("Gustavo", "Monteclaro"),
    ("Hilde", "Brückmann"), ("Ines", "Alvorada"), ("Jasper", "Quillington"), ("Kaja", "Rønneberg"),
    ("Lorenzo", "Pianforte"), ("Mirela", "Zagorjan"), ("Noor", "van Elderveld"),
)  # fmt: skip
_TITLES = ("Buyer", "Owner", "Head of Operations", "Office Manager", "Engineer")
_HEADS = ("+1 202 555 01", "+44 20 7946 09", "+49 30 23125 0", "+44 7700 9001")
_STREETS = ("1 Example Street", "22 Sample Lane", "3 Muster Weg", "14 Placeholder Road")


class DemoFailed(OSError):
    """Raised when the running product does not answer as it should."""


def furnish(home: Home, address: str) -> list[str]:
    """Make accounts and customers in a home that has none yet; returns the lines that say who can sign in.

    Raises:
        DemoFailed: the product refuses one of the steps.
    """
    file = home.root / FILE
    try:
        if file.exists():
            accounts = json.loads(file.read_text(encoding="utf-8"))
        else:
            accounts = _make_accounts(home, address)
            _import_customers(address, accounts[STAFF])
            # Last: a demo that broke off before has no file, and is not taken for a whole one.
            write_for(file, json.dumps(accounts, indent=2) + "\n", None)
    except (CrmError, RefusedError) as error:
        raise DemoFailed(f"The demo could not be furnished: {error}") from error
    width = max(len(name) for name in accounts)
    rows = [f"  {name:<{width}}  {account['password']}" for name, account in accounts.items()]
    return [f"Who can sign in (also in {file}):", *rows, "Everybody in this demo is made up."]


def _make_accounts(home: Home, address: str) -> dict[str, dict[str, str]]:
    accounts = {name: {"name": name, "password": secrets.token_urlsafe(12)} for name in ROLES}
    with Client(address) as admin, Client(address) as auditor:
        for client, (name, code) in zip((admin, auditor), asyncio.run(_first_codes(home)).items(), strict=True):
            _accept(client, code, accounts[name])
            client.sign_in(name, accounts[name]["password"])
        for name, role in ROLES.items():
            if name not in FIRST:
                asked = admin.ask("POST", "/v1/people", {"name": name, "roles": [role]})
                code = str(asked["code"])
                if asked.get("decision"):
                    decided = auditor.ask("POST", f"/v1/decisions/{asked['decision']}", {"verdict": "approve"})
                    code += f".{decided['code']}"
                _accept(admin, code, accounts[name])
        admin.sign_out()
        auditor.sign_out()
    return accounts


async def _first_codes(home: Home) -> dict[str, str]:
    keeper = Keeper(home.socket("admin"), home.service_key("admin"))
    try:
        made = {name: await keeper.call("people_add", name=name, roles=[name]) for name in FIRST}
        return {name: str(answer["code"]) for name, answer in made.items()}
    finally:
        await keeper.close()


def _accept(client: Client, code: str, account: dict[str, str]) -> None:
    client.ask("POST", "/v1/invitations", {"code": code, "password": account["password"]})


def _import_customers(address: str, account: dict[str, str]) -> None:
    with Client(address) as client, tempfile.NamedTemporaryFile("w", suffix=".vcf", encoding="utf-8") as file:
        file.write(vcards())
        file.flush()
        client.sign_in(account["name"], account["password"])
        *_, last = client.follow(client.send_file(Path(file.name)))
        client.sign_out()
    if last["state"] != "done":
        raise DemoFailed(f"The import of the demo's customers is {last['state']}.")


def vcards() -> str:
    """Write the customers as a file that any address book would give out."""
    return "".join(_card(number, *name) for number, name in enumerate(_PEOPLE))


def _card(number: int, given: str, family: str) -> str:
    company = _COMPANIES[number % len(_COMPANIES)]
    domain = "example.org" if number % 3 == 0 else "example.com"
    head = _HEADS[number % len(_HEADS)]
    lines: Sequence[str] = (
        "BEGIN:VCARD", "VERSION:3.0", f"N:{family};{given};;;", f"FN:{given} {family}", f"ORG:{company}",
        f"TITLE:{_TITLES[number % len(_TITLES)]}",
        f"EMAIL;TYPE=INTERNET:customer{number + 1:02}@{domain}",
        f"TEL;TYPE=CELL:{head}{number:02}",
        f"ADR;TYPE=WORK:;;{_STREETS[number % len(_STREETS)]};Exampleton;;{10000 + number};",
        "END:VCARD",
    )  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines)
