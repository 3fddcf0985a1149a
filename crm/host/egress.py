"""Asked from inside a process: does anything lead out of it?

The addresses are of TEST-NET-1 and the documentation prefix: nobody has them. Where a way out is closed the
kernel refuses at once and nothing is sent; where it is open the attempt is dropped before an answer.
"""

import os
import socket

from crm.host.enter import FACT

CLOSED, TCP_CLOSED, OPEN = "closed", "tcp closed", "open"
_NOBODY = ("192.0.2.1", 443)
_NOBODY_6 = ("2001:db8::1", 443)


def egress_state(*, inherits_socket: bool = False) -> str:
    """Try TCP and UDP, IPv4 and IPv6; say which is closed.

    A process that inherited a TCP socket made elsewhere could use that one again, whatever becomes of new
    ones: then it takes Landlock, for connect(), and the filter, for sends that connect.
    """
    is_held = {"landlock", "filter"} <= set(os.environ.get(FACT, "").split())
    tcp = _is_closed(socket.SOCK_STREAM) and (is_held or not inherits_socket)
    if not tcp:
        return OPEN
    return CLOSED if _is_closed(socket.SOCK_DGRAM) else TCP_CLOSED


def _is_closed(kind: socket.SocketKind) -> bool:
    return _is_refused(socket.AF_INET, kind, _NOBODY) and _is_refused(socket.AF_INET6, kind, _NOBODY_6)


def _is_refused(family: socket.AddressFamily, kind: socket.SocketKind, address: tuple[str, int]) -> bool:
    try:
        with socket.socket(family, kind) as probe:
            probe.setblocking(False)  # noqa: FBT003 - its only way to say it
            probe.connect(address)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False
