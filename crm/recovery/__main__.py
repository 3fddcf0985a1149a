"""``kept keeper init`` and ``kept keeper restore``: offline work on a home no keeper is running on."""

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from crm.keeper.home import Home, open_home
from crm.keeper.keys import Keyring, read_root
from crm.kit.files import FileFault, lock
from crm.kit.process import harden
from crm.kit.sealing import KeyFault
from crm.kit.store import Fatal, Refuse
from crm.recovery import restore
from crm.recovery.make import init

REFUSED = 75


def _restore(home: Home, options: argparse.Namespace, passphrase: str | None) -> int:
    known = restore.read_known(options.last_known, options.key) if options.last_known else None
    cut = restore.check(home, options.snapshot, options.key, known, with_loss=options.with_loss)
    if options.escrow:
        identity = getpass.getpass("Recovery identity: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
        restore.recover_keys(
            home, options.escrow, identity, restore.tenant_of(options.snapshot),
            uids=_pairs(options.uid), passphrase=passphrase,
        )  # fmt: skip
    restore.restore(home, options.snapshot, options.key, cut)
    try:
        if options.with_loss:
            agreed = restore.agree(home, [_ask_person() for _ in range(2)])
            ring = Keyring(home.keys, read_root(home.keys, passphrase), restore.tenant_of(home.file))
            facts = restore.begin_new_log(home, ring, agreed, known)
            print(json.dumps(facts, sort_keys=True))  # noqa: T201
        else:
            store, _, log, replayed = open_home(home, passphrase)
            store.close()
            print(f"restored: {replayed} groups applied behind the snapshot, {log.size} entries")  # noqa: T201
            if cut:
                print(f"no whole record, kept beside the journal: {cut.kept.name}, {len(cut.content)} bytes")  # noqa: T201
            if not known:
                print("that nothing is missing, only a checkpoint somebody kept can tell (--last-known)")  # noqa: T201
    except BaseException:
        # Not restored is not there: the next try begins anew.
        home.file.unlink()
        raise
    return 0


def _ask_person() -> tuple[str, str]:
    if sys.stdin.isatty():
        return input("Name: "), getpass.getpass("Password: ")
    name, _, password = sys.stdin.readline().rstrip("\n").partition(" ")
    return name, password


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kept keeper", description="Make a home, or bring one back.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("init", "restore"):
        command = commands.add_parser(name)
        command.add_argument("--home", type=Path, required=True)
        command.add_argument("--uid", action="append", default=[], metavar="PRINCIPAL=UID")
        command.add_argument("--passphrase-stdin", action="store_true", help="the root key is a passphrase's: line 1")
        command.add_argument("--journal", type=Path, help="the journal's folder, on another volume")
    new, back = commands.choices["init"], commands.choices["restore"]
    new.add_argument("--origin", required=True, help="the log's name for ever, such as crm.example.com/log")
    new.add_argument("--second-factor", choices=("required", "optional"), default="required")
    new.add_argument("--rp-id", default="localhost", help="the domain passkeys are made for, for ever: example.com")
    new.add_argument("--web-origin", action="append", metavar="URL", help="where pages may use them; web, then approve")
    new.add_argument("--budget", action="append", default=[], metavar="NAME=N")
    new.add_argument("--region", default="", help="country of phone numbers written without one (ISO 3166)")
    new.add_argument("--recovery", action="append", default=[], metavar="AGE_RECIPIENT")
    back.add_argument("--snapshot", type=Path, required=True)
    back.add_argument("--key", required=True, help="the log's vkey, as pinned")
    back.add_argument("--escrow", type=Path, help="make the keys from this escrow; the identity is asked for")
    back.add_argument("--with-loss", action="store_true", help="the journal is lost: two people must agree")
    back.add_argument("--last-known", type=Path, help="the newest checkpoint anybody kept")
    return parser


def _refused(reason: str) -> int:
    print(f"refused: {reason}", file=sys.stderr)  # noqa: T201
    return REFUSED


def _pairs(given: Sequence[str]) -> dict[str, int]:
    return {name: int(value) for name, _, value in (pair.partition("=") for pair in given)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 75 refused."""
    options = _parser().parse_args(argv)
    home = Home(options.home, options.journal)
    harden()
    home.file.parent.mkdir(parents=True, exist_ok=True)
    if lock(home.file.with_name("lock")) is None:
        return _refused("a keeper, or another of these commands, is running on this home: stop it first")
    passphrase = sys.stdin.readline().rstrip("\n") if options.passphrase_stdin else None
    try:
        if options.command == "restore":
            return _restore(home, options, passphrase)
        init(
            home, origin=options.origin, second_factor=options.second_factor, rp_id=options.rp_id,
            origins=options.web_origin or ["http://localhost:8000"], limits=_pairs(options.budget),
            region=options.region, recovery=options.recovery, uids=_pairs(options.uid), passphrase=passphrase,
        )  # fmt: skip
    except (Refuse, Fatal, KeyFault, FileFault) as refused:
        return _refused(str(refused))
    return 0


if __name__ == "__main__":
    sys.exit(main())
