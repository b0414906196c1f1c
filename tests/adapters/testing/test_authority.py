"""An authority signs for servers and clients."""

from __future__ import annotations

import ssl
from pathlib import Path

from oidc_adapters.testing.authority import Authority


def test_its_certificates_can_be_loaded_and_trusted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.path)
    context.load_cert_chain(*authority.issue("client", host=None))

    assert [each["subject"] for each in context.get_ca_certs()] == [
        ((("commonName", "authority"),),)
    ]
    assert authority.server(ask_client=True).verify_mode is ssl.CERT_REQUIRED
    assert authority.own()[0].read_text() == authority.pem
