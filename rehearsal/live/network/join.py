"""How are sockets made inside a pod's network? A helper joins the namespaces and hands the sockets out (SCM_RIGHTS).

Run as `python -I -S join.py CHANNEL PID`: one JSON request a datagram on the socket CHANNEL, one datagram back with
`{"error": ...}` or `{}` and the sockets. It has joined without exec, so it may bind ports below 1024 and give the
loopback device further addresses; it needs no right outside the pod. Standard library only: it starts in 30 ms.
"""

import array
import ctypes
import json
import os
import socket
import struct
import sys
from typing import Any

_NEW_ADDRESS, _REQUEST_ACK_REPLACE = 20, 0x1 | 0x4 | 0x100  # linux/rtnetlink.h, linux/netlink.h
_LOCAL, _ADDRESS = 2, 1  # linux/if_addr.h: IFA_LOCAL, IFA_ADDRESS


def join(pid: int) -> None:
    """Enter the user and network namespace of a process. Raises OSError."""
    system = ctypes.CDLL(None, use_errno=True)
    for descriptor in [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in ("user", "net")]:
        if system.setns(descriptor, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def add_address(address: str) -> None:
    """Give the loopback device an address (IPv4). Raises OSError with the kernel's reason."""
    packed = socket.inet_aton(address)
    body = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, socket.if_nametoindex("lo"))
    for kind in (_LOCAL, _ADDRESS):
        body += struct.pack("=HH", 8, kind) + packed
    head = struct.pack("=IHHII", 16 + len(body), _NEW_ADDRESS, _REQUEST_ACK_REPLACE, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as channel:
        channel.send(head + body)
        answer = channel.recv(4096)
    (code,) = struct.unpack_from("=i", answer, 16)
    if code:
        raise OSError(-code, os.strerror(-code))


def made(request: dict[str, Any]) -> list[socket.socket]:
    """Listeners at `listen`, then one unconnected socket for each source in `dial` (null: any source)."""
    for address in request.get("addresses", []):
        add_address(address)
    sockets = []
    for address, port in request.get("listen", []):
        listener = socket.create_server((address, port), backlog=200)
        sockets.append(listener)
    for source in request.get("dial", []):
        dialling = socket.socket()
        if source is not None:
            dialling.bind((source, 0))
        sockets.append(dialling)
    return sockets


def main(channel: int, pid: int) -> None:
    """Answer until the other end closes."""
    requests = socket.socket(fileno=channel)
    join(pid)
    while data := requests.recv(1 << 16):
        sockets: list[socket.socket] = []
        answer = {}
        try:
            sockets = made(json.loads(data))
        except OSError as error:
            answer = {"error": str(error)}
        for one in sockets:
            one.setblocking(False)
        numbers = array.array("i", [one.fileno() for one in sockets])
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)] if sockets else []
        requests.sendmsg([json.dumps(answer).encode()], rights)
        for one in sockets:
            one.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
