"""How do MySQL's client and server speak while a connection is made? Packets, greeting, proofs of a password.

MySQL source code documentation, "Client/Server Protocol", "Connection Phase". Only what a proxy needs that answers for
the server and then logs in to another one.
"""

import asyncio
import hashlib
from dataclasses import dataclass

WITH_DATABASE, PROTOCOL_41, TLS = 1 << 3, 1 << 9, 1 << 11
SECURE, PLUGIN, ATTRIBUTES, LENGTH_CODED = 1 << 15, 1 << 19, 1 << 20, 1 << 21
_OFFERED = (
    1 | 2 | 4 | WITH_DATABASE | PROTOCOL_41 | TLS | 1 << 13 | SECURE  # transactions
    | 1 << 16 | 1 << 17 | 1 << 18  # several statements and results
    | PLUGIN | ATTRIBUTES | LENGTH_CODED | 1 << 24  # no EOF packets
)  # fmt: skip
TLS_REQUEST = 36  # bytes: header and the first part of a handshake response
OK, ERROR, SWITCH, MORE = 0x00, 0xFF, 0xFE, 0x01
NATIVE, SHA2, CLEAR = b"mysql_native_password", b"caching_sha2_password", b"mysql_clear_password"


class RefusedError(Exception):
    """A MySQL error for the client; `reason` is for the log only."""

    def __init__(self, packet: bytes, reason: str) -> None:
        super().__init__(reason)
        self.packet = packet

    @classmethod
    def made(cls, code: int, state: str, text: str, reason: str) -> "RefusedError":
        """From code, SQL state and message."""
        return cls(b"\xff" + code.to_bytes(2, "little") + b"#" + state.encode() + text.encode(), reason)


@dataclass
class Wire:
    """Packets over a stream; `number` is the next one's."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int = 0

    async def read(self) -> bytes:
        """The next packet's content. Raises IncompleteReadError at the end."""
        head = await self.reader.readexactly(4)
        self.number = head[3] + 1
        return await self.reader.readexactly(int.from_bytes(head[:3], "little"))

    def send(self, content: bytes) -> None:
        """One packet."""
        self.writer.write(framed(content, self.number))
        self.number += 1


@dataclass(frozen=True)
class Login:
    """What a client says in its handshake response."""

    flags: int
    charset: int
    user: str
    proof: bytes
    database: bytes
    plugin: bytes

    @classmethod
    def read(cls, packet: bytes) -> "Login":
        """Parse the response (the one after TLS)."""
        flags = int.from_bytes(packet[:4], "little")
        user, at = text(packet, 32)
        length, at = packet[at], at + 1
        proof, at = packet[at : at + length], at + length
        database, at = text(packet, at) if flags & WITH_DATABASE else (b"", at)
        plugin = text(packet, at)[0] if flags & PLUGIN else b""
        return cls(flags, packet[8], user.decode(), proof, database, plugin)

    def response(self, offered: int, user: str, proof: bytes) -> bytes:
        """The same client's response to another server that offers these capabilities."""
        flags = (self.flags & (offered | 1) & ~(TLS | ATTRIBUTES)) | PLUGIN | SECURE | LENGTH_CODED
        body = flags.to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + bytes([self.charset]) + bytes(23)
        body += user.encode() + b"\0" + bytes([len(proof)]) + proof
        if flags & WITH_DATABASE:
            body += self.database + b"\0"
        return body + NATIVE + b"\0"


def framed(content: bytes, number: int) -> bytes:
    """A packet: length, number, content."""
    return len(content).to_bytes(3, "little") + bytes([number & 255]) + content


def greeting(nonce: bytes, version: str) -> bytes:
    """Protocol 10, as a server of this version begins."""
    return (
        b"\x0a" + version.encode() + b"\0" + (1).to_bytes(4, "little") + nonce[:8] + b"\0"
        + (_OFFERED & 0xFFFF).to_bytes(2, "little") + b"\xff\x02\0" + (_OFFERED >> 16).to_bytes(2, "little")
        + bytes([21]) + bytes(10) + nonce[8:] + b"\0" + SHA2 + b"\0"
    )  # fmt: skip


def offered(hello: bytes) -> tuple[bytes, int]:
    """(nonce, capabilities) of a server's greeting."""
    _, at = text(hello, 1)
    nonce = hello[at + 4 : at + 12] + hello[at + 31 : at + 43]
    low, high = hello[at + 13 : at + 15], hello[at + 18 : at + 20]
    return nonce, int.from_bytes(low, "little") | int.from_bytes(high, "little") << 16


def text(packet: bytes, at: int) -> tuple[bytes, int]:
    """A text that ends with a zero, and the place behind it."""
    end = packet.index(0, at)
    return packet[at:end], end + 1


def sha2_proof(password: str, nonce: bytes) -> bytes:
    """What proves a password under caching_sha2_password."""
    inner = hashlib.sha256(password.encode()).digest()
    return _xor(inner, hashlib.sha256(hashlib.sha256(inner).digest() + nonce).digest())


def native_proof(password: str, nonce: bytes) -> bytes:
    """What proves a password under mysql_native_password."""
    inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    outer = hashlib.sha1(inner, usedforsecurity=False).digest()
    return _xor(inner, hashlib.sha1(nonce + outer, usedforsecurity=False).digest())


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
