"""Runs inside a process that must have no way out, and tries them all: one line of JSON, way by way.

The same file, started without the locks, is the control: there every way must lead out.
"""

import asyncio

# Imported by urllib and by the resolver at the moment of use.
import encodings.idna  # noqa: F401
import json
import os
import socket
import subprocess
import sys
import urllib.request  # noqa: TID251 - trying is the point

import uvloop

SECONDS = 5


def main(words: list[str]) -> int:
    host, port, name, program, service, *inherited = words
    ways = {
        "urllib": lambda: _urllib(f"http://{host}:{port}/urllib"),
        "uvloop": lambda: _uvloop(host, int(port)),
        "getaddrinfo": lambda: socket.getaddrinfo(name, 80),
        "service socket": lambda: _connect_unix(service),
        "shell": lambda: _shell(host, port),
        "interpreter": lambda: _interpreter(host, port),
    }
    for way in ("tcp", "udp", "vsock", "packet", "netlink", "uring"):
        ways[f"C {way}"] = lambda way=way: _run(program, way, host, port)
    # Each needs a socket of its own: the first to use one has taken it apart.
    for handle, way in zip(inherited, ("reuse", "fastopen", "fastopen-message", "fastopen-messages"), strict=False):
        ways[f"C {way}"] = lambda way=way, handle=handle: _run(program, way, host, port, handle)
    sys.stdout.write(json.dumps({way: _tried(attempt) for way, attempt in ways.items()}) + "\n")
    sys.stdout.flush()
    return 0


def _tried(attempt):
    try:
        attempt()
    except Exception as error:  # noqa: BLE001 - whatever it is, it did not lead out
        return f"{type(error).__name__}: {error}"
    return "out"


def _urllib(address: str) -> None:
    urllib.request.urlopen(address, timeout=SECONDS).read()  # noqa: S310, TID251 - trying is the point


def _uvloop(host: str, port: int) -> None:
    async def go() -> None:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), SECONDS)  # noqa: TID251
        writer.write(b"uvloop")
        await writer.drain()
        writer.close()

    uvloop.run(go())


def _connect_unix(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as to:
        to.connect(path)
        to.sendall(b"service socket")


def _shell(host: str, port: str) -> None:
    _checked(["bash", "-c", f"echo shell > /dev/tcp/{host}/{port}"])


def _interpreter(host: str, port: str) -> None:
    _checked([sys.executable, "-c", f"import socket; socket.create_connection(('{host}', {port}))"])


def _run(program: str, way: str, host: str, port: str, *handle: str) -> None:
    _checked([program, way, host, port, *handle], [int(number) for number in handle])


def _checked(line: list[str], handles: list[int] | None = None) -> None:
    done = subprocess.run(
        line, pass_fds=handles or (), capture_output=True, text=True, timeout=SECONDS, check=False, env=os.environ
    )
    if done.returncode != 0:
        raise OSError((done.stdout + done.stderr).strip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
