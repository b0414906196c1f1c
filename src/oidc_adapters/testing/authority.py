"""A certification authority for servers and clients on loopback."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_EARLIER = dt.timedelta(days=-2)
_Key: TypeAlias = ec.EllipticCurvePrivateKey


class Authority:
    """A CA that lives in a folder for the time of a test."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self._name, self._key, ca=True)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.path = folder / f"{name}.pem"
        self.path.write_text(self.pem)

    def issue(
        self,
        name: str = "leaf",
        *,
        host: str | tuple[str, ...] | None = "127.0.0.1",
        expired: bool = False,
        begins: dt.timedelta = _EARLIER,
    ) -> tuple[Path, Path]:
        """Return the paths of a certificate for hosts or a client and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key, host=host, expired=expired, begins=begins)
        return self._written(name, certificate, key)

    def own(self) -> tuple[Path, Path]:
        """Return the paths of the authority's own certificate and key."""
        return self._written("own", self.certificate, self._key)

    def _written(self, name: str, certificate: x509.Certificate, key: _Key) -> tuple[Path, Path]:
        paths = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return paths

    def server(
        self,
        name: str = "server",
        *,
        host: str | tuple[str, ...] = "127.0.0.1",
        expired: bool = False,
        begins: dt.timedelta = _EARLIER,
        ask_client: bool = False,
    ) -> ssl.SSLContext:
        """Return a server's TLS settings with a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, host=host, expired=expired, begins=begins))
        if ask_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path)
        return context

    def _sign(
        self,
        subject: x509.Name,
        key: _Key,
        *,
        host: str | tuple[str, ...] | None = None,
        expired: bool = False,
        begins: dt.timedelta = _EARLIER,
        ca: bool = False,
    ) -> x509.Certificate:
        day = dt.timedelta(days=1)
        now = dt.datetime.now(dt.UTC)
        end = now - day if expired else now + 2 * day
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            # The demands of the strict verification that Python 3.13 has by default (RFC 5280
            # §4.2).
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(_key_usage(ca=ca), critical=True)
        )
        if host is not None:
            names = [_general_name(each) for each in ((host,) if isinstance(host, str) else host)]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
