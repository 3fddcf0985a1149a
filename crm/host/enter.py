"""Start one process in an account of its own with no way out: ``crm.host.enter [OPTIONS] -- MODULE ARGS``.

The account may not be able to read Python or this program (a clone below a folder of mode 0700), so what
the process needs is imported first, by the account that can; and where the system allows it, the way to them
is shown to this process alone. From then on only doors are closed, in this order: network, account, new
privileges, outward calls, debuggers. Last, ``main(args)`` of the module is called; its answer is the exit
status. With ``--exec`` a program takes the place of a module.

    --account NAME          as root: the account to become
    --no-network            nothing but unix sockets and what is inherited
    --one-account           whoever this process speaks to is in the same account
    --listen HOST:PORT      make a listening socket first; it is told as LISTEN_FDS=1, as systemd tells it
    --show FOLDER           let the account walk to FOLDER through closed ones, or do not start; repeatable
    --hide FOLDER           show nothing of FOLDER but what is shown otherwise, where the system allows it
    --preload NAME          import this as well, for a module that names nothing itself
    --with-parent SIGNAL    be sent this signal when the parent dies

A module names what it imports late in ``PRELOAD``: module names, or ``package.*`` for all in a package.
"""

import argparse
import importlib
import os
import pkgutil
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from crm.host import accounts, confine

# What the standard library itself imports at the moment of use.
_LATE = (
    "asyncio.*", "concurrent.futures.*", "encodings.*", "ctypes.util", "email.*", "getpass", "gettext",
    "importlib.resources", "inspect", "json", "linecache", "locale", "logging.handlers",
    "multiprocessing.util", "ssl", "sqlite3.dbapi2", "stringprep", "tempfile", "tokenize", "traceback",
    "urllib.parse", "zoneinfo.*",
)  # fmt: skip
EX_SOFTWARE, EX_OSERR, EX_NOUSER = 70, 71, 67
# What a process is told about the locks that hold, for /health.
FACT = "KEPT_CONFINED"
LISTEN_FDS_START = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Confine this process, then run what was asked for."""
    options = _options(arguments)
    if options.listen:
        # Before a module opens anything: the number is taken by then.
        _listen(options.listen)
    run = _program(options.what) if options.exec else _module(options.what, options.preload)
    if threading.active_count() != 1:
        sys.stderr.write("enter: a module started a thread while it was imported; locks hold for one thread\n")
        return EX_SOFTWARE
    refused = _close_doors(options)
    if refused:
        sys.stderr.write(f"enter: {refused}\n")
        return EX_OSERR
    return run()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="crm.host.enter", description="Start one process with no way out.")
    parser.add_argument("--account")
    parser.add_argument("--no-network", action="store_true")
    parser.add_argument("--one-account", action="store_true")
    parser.add_argument("--listen", metavar="HOST:PORT")
    parser.add_argument("--show", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--hide", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--preload", action="append", default=[], metavar="NAME")
    parser.add_argument("--with-parent", metavar="SIGNAL", choices=["TERM", "INT"])
    parser.add_argument("--exec", action="store_true")
    parser.add_argument("what", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    if options.what[:1] == ["--"]:
        del options.what[0]
    if not options.what:
        parser.error("nothing to start")
    return options


def _module(what: list[str], more: list[str]) -> Callable[[], int]:
    module = importlib.import_module(what[0])
    _preload((*_LATE, *getattr(module, "PRELOAD", ()), *more))
    entry: Callable[[list[str]], int] = module.main
    return lambda: entry(what[1:])


def _program(what: list[str]) -> Callable[[], int]:
    return lambda: os.execv(what[0], what)  # noqa: S606 - the launcher named it


def _preload(names: Iterable[str]) -> None:
    """Import each name; what this Python or this installation does not have is not needed either."""
    for name in names:
        package = name.removesuffix(".*")
        found = _try(package)
        if found is None or package == name or not hasattr(found, "__path__"):
            continue
        for part in pkgutil.iter_modules(found.__path__, f"{package}."):
            # Importing a __main__ would run it.
            if not part.name.endswith("__main__"):
                _try(part.name)


def _try(name: str) -> object | None:
    try:
        with warnings.catch_warnings():
            # What is imported ahead of its use may be there for somebody else.
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError:
        return None


def _listen(where: str) -> None:
    """Make the listening socket where systemd would have put it."""
    host, _, port = where.rpartition(":")
    number = socket.create_server((host, int(port)), backlog=2048).detach()
    if number != LISTEN_FDS_START:
        os.dup2(number, LISTEN_FDS_START)
        os.close(number)
    os.environ["LISTEN_FDS"] = "1"
    os.environ["LISTEN_PID"] = str(os.getpid())


def _close_doors(options: argparse.Namespace) -> str:
    """Close them in order; return why the process must not start, or nothing."""
    parent = os.getppid()
    held = []
    if options.no_network and confine.empty_network(is_one_account=options.one_account):
        held.append("namespace")
    refused = ""
    if options.account or (held and options.hide):
        refused = _narrow(options.show, options.hide, held)
    refused = refused or _become(options.account)
    if refused:
        return refused
    confine.no_new_privileges()
    if options.no_network:
        held += ["landlock"] if confine.landlock() else []
        held += ["filter"] if confine.filter_calls() else []
    os.environ[FACT] = " ".join(held)
    return _stay_with(parent, options.with_parent) or _shut_in(is_program=options.exec)


def _stay_with(parent: int, number: str | None) -> str:
    if number is not None:
        confine.die_with_parent(signal.Signals[f"SIG{number}"])
        if os.getppid() != parent:
            return "the parent is gone already"
    return ""


def _shut_in(*, is_program: bool) -> str:
    if not is_program:
        # Relative entries of the search path were for the imports.
        os.chdir("/")
    confine.no_new_code()
    confine.close_to_debuggers()
    return ""


def _narrow(folders: list[Path], hidden: list[Path], held: list[str]) -> str:
    """Show the ways to the folders, to Python and this program, and hide the rest of what is hidden."""
    code = [Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[2]]
    needed = [folder for folder in folders if accounts.is_root() and confine.closed_folder(folder) is not None]
    if confine.narrow([*code, *folders], hidden):
        held.append("files")
    elif needed:
        # Python and this program are imported already; what is needed from now on is not there.
        return (
            f"accounts cannot walk to {needed[0]}, and this system does not let them be shown the way; "
            "choose a folder that every account can walk to"
        )
    return ""


def _become(name: str | None) -> str:
    if name is None:
        confine.drop_capabilities()
        return ""
    account = accounts.find(name)
    if account is None:
        return f"there is no account {name}"
    os.environ |= {"HOME": "/nonexistent", "USER": name, "LOGNAME": name}
    confine.become(account.uid, account.gid)
    return ""


if __name__ == "__main__":
    sys.exit(main())
