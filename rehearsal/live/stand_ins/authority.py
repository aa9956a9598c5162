"""Which certificates make real host names answer on this machine? An authority of this rehearsal, and leaves of it.

The authority is kept in its folder and made anew when it is about to expire; nothing outside the rehearsal trusts it.
"""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAYS = 30
_LEFT_DAYS = 2  # an authority with less than this is made anew


class Authority:
    """An authority below `folder`; `certificate` is what pods trust instead of the public ones."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.certificate = folder / "authority.crt"
        self._key_file = folder / "authority.key"
        if not self._usable():
            self._make()
        self._key = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        self._name = x509.load_pem_x509_certificate(self.certificate.read_bytes()).subject

    def pem(self, *hosts: str, valid_for: dt.timedelta = dt.timedelta(days=_DAYS)) -> Path:
        """Certificate and key for these hosts (wildcards and addresses allowed), in one file; kept while it is good."""
        path = self._folder / f"{hosts[0].replace('*', '_')}.pem"
        if path.exists() and _covers(path, hosts):
            return path
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
        names = [x509.IPAddress(ipaddress.ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts]
        public = self._public()
        leaf = (
            _begun(subject, key.public_key(), self._name, valid_for)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        )
        signed = leaf.sign(self._private(), hashes.SHA256())
        _write(path, signed.public_bytes(serialization.Encoding.PEM) + _pem(key))
        return path

    def server(self, *hosts: str) -> ssl.SSLContext:
        """A server's context for these hosts."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.pem(*hosts))
        return context

    def _private(self) -> ec.EllipticCurvePrivateKey:
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)  # noqa: S101
        return self._key

    def _public(self) -> ec.EllipticCurvePublicKey:
        return self._private().public_key()

    def _usable(self) -> bool:
        try:
            found = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        except (OSError, ValueError):
            return False
        left = found.not_valid_after_utc - dt.datetime.now(dt.UTC)
        return self._key_file.exists() and left > dt.timedelta(days=_LEFT_DAYS)

    def _make(self) -> None:
        for leaf in self._folder.glob("*.pem"):
            leaf.unlink()
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "live rehearsal")])
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        made = (
            _begun(name, key.public_key(), name, dt.timedelta(days=_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        _write(self._key_file, _pem(key))
        self.certificate.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _begun(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, valid_for: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + valid_for)
    )


def _covers(path: Path, hosts: tuple[str, ...]) -> bool:
    found = x509.load_pem_x509_certificate(path.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(one.value) for one in names}
    fresh = found.not_valid_after_utc - dt.datetime.now(dt.UTC) > dt.timedelta(days=_LEFT_DAYS)
    return set(hosts) <= known and fresh


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
