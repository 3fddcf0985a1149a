"""Nothing leads out of web, keeper and inbound: asked from inside, of everything that carries bytes.

A listener on an address that is not the loopback's, a resolver and a service's socket of this machine stand
ready; the control, the same program without the locks, reaches every one of them.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crm.host import accounts
from tests.conftest import Need
from tests.host.conftest import PROJECT

HERE = Path(__file__).parent
# Tests may run side by side.
_NUMBER = 77 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ADDRESS = f"192.0.2.{_NUMBER}"
NAME = "out.example"
RESOLVER = f"127.0.0.{_NUMBER}"
CLONE_NEWNET = 0x40000000


@dataclass
class Outside:
    """The world, as far as a probe can see it, and what of it was reached."""

    port: int
    program: Path
    service: Path
    resolv_conf: Path
    heard: set[str] = field(default_factory=set)

    def words(self, handles: list[int]) -> list[str]:
        return [ADDRESS, str(self.port), NAME, str(self.program), str(self.service), *map(str, handles)]

    def all_heard(self) -> set[str]:
        """Return what arrived, when everything that was sent before this call has been read."""
        with socket.create_connection((ADDRESS, self.port)) as tcp, socket.socket(socket.AF_UNIX) as unix:
            unix.connect(str(self.service))
            tcp.sendall(b"end of tcp")
            unix.sendall(b"end of unix")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(b"end of udp", (ADDRESS, self.port))
        ends = {"end of tcp", "end of unix", "end of udp"}
        for _ in range(1000):
            if ends <= self.heard:
                break
            time.sleep(0.01)
        assert ends <= self.heard
        return self.heard - ends


@pytest.fixture
def outside(folder: Path, need: Need) -> Iterator[Outside]:
    need(os.geteuid() == 0, "root, to lay out addresses and accounts")
    need(sys.platform == "linux", "Linux")
    need(shutil.which("gcc"), "apt-get install gcc libc6-dev")
    need(shutil.which("ip"), "apt-get install iproute2")
    program = folder / "reach"
    subprocess.run(["gcc", "-Wall", "-Werror", "-O1", "-o", program, HERE / "reach.c"], check=True)
    service = Path("/run") / f"kept-test-{os.getpid()}.sock"
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text(f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n")
    with ExitStack() as stack:
        stack.enter_context(_address(ADDRESS))
        tcp = stack.enter_context(socket.create_server((ADDRESS, 0)))
        world = Outside(tcp.getsockname()[1], program, service, resolv_conf)
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind((ADDRESS, world.port))
        names = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        names.bind((RESOLVER, 53))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(str(service))
        stack.callback(service.unlink)
        service.chmod(0o777)
        unix.listen()
        for listening, work in ((tcp, _accept), (unix, _accept), (udp, _receive), (names, _resolve)):
            thread = threading.Thread(target=work, args=(listening, world.heard), daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(_hang_up, listening)
        yield world


@contextmanager
def _address(address: str) -> Iterator[None]:
    subprocess.run(["ip", "address", "replace", f"{address}/32", "dev", "lo"], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "address", "delete", f"{address}/32", "dev", "lo"], check=True)


def _hang_up(listening: socket.socket) -> None:
    # A datagram socket that is not connected says so, and wakes its reader all the same.
    with contextlib.suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, heard: set[str]) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(5)
            text = connection.recv(1000).decode()
            heard.add(text.split()[1].strip("/") if text.startswith("GET") else text.strip())
            if text.startswith("GET"):
                connection.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")


def _receive(listening: socket.socket, heard: set[str]) -> None:
    while data := listening.recv(1000):
        heard.add(data.decode())


def _resolve(listening: socket.socket, heard: set[str]) -> None:
    """Answer every question for an address with one, in the least bytes that resolvers take."""
    while True:
        question, asker = listening.recvfrom(1000)
        if not question:
            return
        heard.add("getaddrinfo")
        is_v4 = question[question.index(b"\0", 12) + 1 :][:2] == b"\0\1"
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(ADDRESS) if is_v4 else b""
        end = question.index(b"\0", 12) + 5
        head = question[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_v4 else b"\0\0") + b"\0\0\0\0"
        listening.sendto(head + question[12:end] + answer, asker)


def _probe(outside: Outside, *options: str) -> dict[str, str]:
    """Run the probe through ``enter``, with listening sockets of this namespace in its hands."""
    with ExitStack() as stack:
        handles = [stack.enter_context(socket.create_server(("127.0.0.1", 0))).fileno() for _ in range(4)]
        line = [
            "unshare", "--mount", "--", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"',
            str(outside.resolv_conf), sys.executable, "-m", "crm.host.enter",
            "--account", "kept-web", "--show", str(outside.program.parent), *options,
            "--", "tests.host.probe", *outside.words(handles),
        ]  # fmt: skip
        done = subprocess.run(
            line, cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, pass_fds=handles,
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_without_the_locks_every_way_leads_out(outside: Outside) -> None:
    accounts.of_role("web")
    found = _probe(outside)
    # Some kernels have no vsock, and packet sockets ask for root: no way out there for anybody.
    assert {way for way, how in found.items() if how != "out"} <= {"C vsock", "C packet", "C uring"}
    reached = {"urllib", "uvloop", "getaddrinfo", "service socket", "shell", "tcp", "udp", "reuse", "fastopen"}
    assert reached <= outside.all_heard()


def test_entered_process_reaches_nothing(outside: Outside) -> None:
    accounts.of_role("web")
    found = _probe(outside, "--no-network", "--hide", "/run")
    assert [way for way, how in found.items() if how == "out"] == []
    assert outside.all_heard() == set()


def test_running_processes_are_locked_in(outside: Outside, folder: Path) -> None:
    environ = os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
    line = [sys.executable, "-m", "crm.cli", "serve", "--home", str(folder / "home"), "--port", "0"]
    launcher = subprocess.Popen(line, cwd=PROJECT, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert launcher.stdout is not None
        for said in launcher.stdout:
            if said.startswith("Kept runs"):
                break
        for role in ("web", "keeper", "inbound", "postgres"):
            account = accounts.of_role(role)
            assert account is not None
            pids = _children(launcher.pid, account.uid)
            assert pids, role
            for pid in pids:
                status = dict(row.split(":\t", 1) for row in Path(f"/proc/{pid}/status").read_text().splitlines())
                assert status["NoNewPrivs"] == "1"
                assert status["Seccomp"] == "2"
                assert int(status["CapEff"], 16) == 0
                assert status["Groups"].strip() == ""
                assert _in_network_of(pid, outside) == 1, role
    finally:
        launcher.send_signal(signal.SIGTERM)
        launcher.communicate(timeout=60)
    assert launcher.returncode == 0
    assert outside.all_heard() == set()


def _children(parent: int, uid: int) -> list[int]:
    """Find the processes of an account that the launcher started itself."""
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in found if Path(f"/proc/{pid}").stat().st_uid in (uid, 0) and _uid(pid) == uid]


def _uid(pid: str) -> int:
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Uid:"))


def _in_network_of(pid: int, outside: Outside) -> int:
    """Connect as root from inside a running process's network namespace; the C program's status."""

    def go_there() -> None:
        handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
            os._exit(9)

    line = [str(outside.program), "tcp", ADDRESS, str(outside.port)]
    return subprocess.run(line, preexec_fn=go_there, capture_output=True, check=False).returncode
