"""Runs a command in a network namespace with nothing but the loopback; exit code 90 when it tried to leave it.

`unshare --map-root-user --net python loopback.py COMMAND...`. What finds no route is counted by the kernel, so an
attempt is noticed even when its failure is swallowed.
"""

import fcntl
import socket
import struct
import subprocess
import sys
from pathlib import Path

SIOCSIFFLAGS = 0x8914
IFF_UP, IFF_RUNNING = 0x1, 0x40


def main(command: list[str]) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))
    code = subprocess.run(command, check=False).returncode
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:"))
    attempts = int(dict(zip(names, values, strict=True))["OutNoRoutes"])
    print(f"packets without a route: {attempts}", flush=True)
    return code or (90 if attempts else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
