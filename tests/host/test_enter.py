"""How one process is started: the locks it gets, what it is told, and what it refuses to start without."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from crm.host import confine, egress, enter
from tests.conftest import Need
from tests.host.conftest import PROJECT

PROGRAM = """
import json, os, resource, socket, sys
PRELOAD = ("colorsys", "wsgiref.*", "no.such.module")
def main(words):
    facts = {
        "words": words, "uid": os.getuid(), "groups": os.getgroups(), "home": os.environ.get("HOME"),
        "confined": os.environ["KEPT_CONFINED"].split(), "core": resource.getrlimit(resource.RLIMIT_CORE),
        "preloaded": "colorsys" in sys.modules and "wsgiref.headers" in sys.modules, "cwd": os.getcwd(),
        "listen": os.environ.get("LISTEN_FDS"), "is_named": os.environ.get("LISTEN_PID") == str(os.getpid()),
        "can_list": {},
    }
    for path in words:
        try:
            facts["can_list"][path] = sorted(os.listdir(path))
        except OSError as error:
            facts["can_list"][path] = type(error).__name__
    print(json.dumps(facts))
    return 3
"""


def _enter(folder: Path, *options: str, what: str = "said", words: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    (folder / "said.py").write_text(PROGRAM)
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(PROJECT)])}
    line = [sys.executable, "-m", "crm.host.enter", *options, "--", what, *words]
    return subprocess.run(line, env=environ, cwd=PROJECT, capture_output=True, text=True, check=False)


def _facts(done: subprocess.CompletedProcess) -> dict:
    assert done.returncode == 3, done.stderr
    return dict(json.loads(done.stdout))


def test_module_is_run_and_its_answer_is_the_status(folder: Path) -> None:
    facts = _facts(_enter(folder, words=("--flag", "word")))
    assert facts["words"] == ["--flag", "word"]
    assert facts["core"] == [0, 0]
    assert facts["cwd"] == "/"
    assert facts["confined"] == []
    assert facts["preloaded"] is True
    assert facts["listen"] is None


def test_listening_socket_is_made_first_and_told_as_systemd_tells_it(folder: Path) -> None:
    facts = _facts(_enter(folder, "--no-network", "--listen", "127.0.0.1:0"))
    assert (facts["listen"], facts["is_named"]) == ("1", True)


def test_account_is_entered_with_nothing_of_roots(folder: Path, need: Need) -> None:
    need(os.geteuid() == 0, "root, to become somebody else")
    facts = _facts(_enter(folder, "--account", "nobody", "--preload", "cgi.nothing", "--preload", "json"))
    assert facts["uid"] == 65534
    assert facts["groups"] == []
    assert facts["home"] == "/nonexistent"


def test_way_is_shown_and_the_rest_hidden(folder: Path, need: Need) -> None:
    need(os.geteuid() == 0, "root, to become somebody else")
    closed, hidden = folder / "closed", folder / "hidden"
    for path in (closed / "a" / "in", closed / "b", hidden / "shown", hidden / "other"):
        path.mkdir(parents=True)
    (closed / "a" / "in" / "file").touch()
    closed.chmod(0o700)
    (closed / "a").chmod(0o700)
    shown = ["--show", str(closed / "a" / "in"), "--show", str(hidden / "shown"), "--hide", str(hidden)]
    words = (str(closed / "a" / "in"), str(closed), str(closed / "b"), str(hidden / "shown"), str(hidden / "other"))
    seen = _facts(_enter(folder, "--account", "nobody", *shown, words=words))["can_list"]
    assert list(seen.values()) == [["file"], "PermissionError", "FileNotFoundError", [], "FileNotFoundError"]
    assert (closed / "b").is_dir()


def test_folder_that_is_closed_itself_stays_closed(folder: Path, need: Need) -> None:
    need(os.geteuid() == 0, "root, to become somebody else")
    (folder / "closed").mkdir(mode=0o700)
    path = str(folder / "closed")
    assert _facts(_enter(folder, "--account", "nobody", "--show", path, words=(path,)))["can_list"] == {
        path: "PermissionError"
    }


def test_without_the_right_to_show_the_way_it_does_not_start(folder: Path, need: Need) -> None:
    need(os.geteuid() == 0, "root, to give the right away")
    need(shutil.which("setpriv"), "apt-get install util-linux")
    (folder / "closed" / "home").mkdir(parents=True)
    (folder / "closed").chmod(0o700)
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(PROJECT)])}
    (folder / "said.py").write_text(PROGRAM)
    line = [
        "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--", sys.executable, "-m", "crm.host.enter",
        "--account", "nobody", "--no-network", "--show", str(folder / "closed" / "home"), "--", "said",
    ]  # fmt: skip
    done = subprocess.run(line, env=environ, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == os.EX_OSERR
    assert "choose a folder that every account can walk to" in done.stderr
    # Where nothing is closed it starts, with the locks that need no right.
    (folder / "closed").chmod(0o711)
    done = subprocess.run(line, env=environ, cwd=PROJECT, capture_output=True, text=True, check=False)
    confined = _facts(done)["confined"]
    assert {"landlock", "filter"} <= set(confined)
    assert "files" not in confined


def test_account_that_is_missing_is_said(folder: Path) -> None:
    done = _enter(folder, "--account", "kept-nobody-knows")
    assert done.returncode == os.EX_OSERR
    assert "no account kept-nobody-knows" in done.stderr


def test_nothing_to_start_is_said() -> None:
    line = [sys.executable, "-m", "crm.host.enter", "--no-network"]
    done = subprocess.run(line, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "nothing to start" in done.stderr


def test_module_that_starts_a_thread_is_refused(folder: Path) -> None:
    text = (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1,), daemon=True).start()\ndef main(w): 0\n"
    )
    (folder / "threaded.py").write_text(text)
    done = _enter(folder, what="threaded")
    assert done.returncode == os.EX_SOFTWARE
    assert "thread" in done.stderr


def test_program_takes_the_place_of_a_module(folder: Path) -> None:
    done = _enter(folder, "--no-network", "--exec", what="/bin/sh", words=("-c", "echo $KEPT_CONFINED; exit 4"))
    assert done.returncode == 4
    assert "landlock" in done.stdout


def test_orphan_does_not_start() -> None:
    assert enter._stay_with(os.getppid() + 1, "TERM") == "the parent is gone already"
    confine.die_with_parent(0)


def test_kernel_that_knows_none_of_it_is_said_and_not_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "_IS_LINUX", False)
    locks = (confine.landlock, confine.filter_calls, confine.no_new_privileges, confine.drop_capabilities)
    assert [lock() for lock in locks] == [False] * 4
    assert not confine.unshare(confine.CLONE_NEWNET)


def test_machine_without_a_filter_of_its_own_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert not confine.filter_calls()


@pytest.mark.parametrize("machine", sorted(confine._NUMBERS))
def test_filter_is_whole_instructions_and_every_jump_lands_inside(machine: str) -> None:
    program = confine._program(machine)
    assert len(program) % 8 == 0
    steps = [program[at : at + 8] for at in range(0, len(program), 8)]
    for number, step in enumerate(steps):
        code, yes, no = int.from_bytes(step[:2], sys.byteorder), step[2], step[3]
        if code in {confine._EQUAL, confine._ANY_BIT, confine._AT_LEAST}:
            assert number + 1 + max(yes, no) < len(steps)
    assert int.from_bytes(steps[-1][:2], sys.byteorder) == confine._RETURN


class _Old:
    """A kernel's C library, as far as it is asked."""

    def __init__(self, *answers: int) -> None:
        self._answers = list(answers)

    def syscall(self, *_: object) -> int:
        return self._answers.pop(0)


@pytest.mark.parametrize("answers", [(-1,), (3,), (4, -1), (7, -1)])
def test_landlock_of_an_older_kernel_is_no_lock(monkeypatch: pytest.MonkeyPatch, answers: tuple[int, ...]) -> None:
    monkeypatch.setattr(confine, "_libc", lambda: _Old(*answers))
    assert not confine.landlock()


def test_egress_is_told_by_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(enter.FACT, raising=False)
    refused = {"tcp": True, "udp": True}

    class Probe(socket.socket):
        def connect(self, _: object) -> None:
            kind = "tcp" if self.type == socket.SOCK_STREAM else "udp"
            if refused[kind]:
                raise PermissionError
            if kind == "tcp":
                raise BlockingIOError

    monkeypatch.setattr(egress.socket, "socket", Probe)
    assert egress.egress_state() == "closed"
    # A socket that was made elsewhere is a way out unless both locks on it hold.
    assert egress.egress_state(inherits_socket=True) == "open"
    monkeypatch.setenv(enter.FACT, "namespace landlock filter")
    assert egress.egress_state(inherits_socket=True) == "closed"
    refused["udp"] = False
    assert egress.egress_state() == "tcp closed"
    refused["tcp"] = False
    assert egress.egress_state() == "open"
