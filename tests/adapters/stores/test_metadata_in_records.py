"""The metadata documents of providers, each for the configuration that it was read for."""

from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.kept_answer import Kept
from oidc_adapters.stores.metadata_in_records import RecordMetadata
from oidc_adapters.stores.records import MemoryRecords, at_once
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.operations.discovery import discover
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpRequest, HttpResponse
from oidc_core.wire.way import Way
from tests.adapters.stores.pending.started import ISSUER, NOW, RP, SECRET
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords, failing_at

REQUEST: Final = discover(RP).request


def asked(metadata: RecordMetadata, request: HttpRequest = REQUEST, rp: Any = RP) -> bool:
    """Whether the provider is asked, for want of a document."""
    calls: list[HttpRequest] = []

    async def ask() -> HttpResponse:
        calls.append(request)
        return HttpResponse(200, (), b"{}", NOW)

    def take(_kept: Kept) -> bool:
        return True

    at_once(
        metadata.through(
            metadata.waiting, rp, request, take, ask, clock=FrozenClock(NOW), max_age=60
        )
    )
    return calls != []


def test_a_document_serves_the_configuration_that_it_was_read_for() -> None:
    metadata = RecordMetadata(MemoryRecords(), SECRET)
    rule = IssuerRule(canonical=ISSUER, accepted={ISSUER, f"{ISSUER}/"})

    assert asked(metadata)
    assert not asked(metadata)
    for request, rp in (
        (evolve(REQUEST, url=f"{REQUEST.url}?tenant=1"), RP),
        (evolve(REQUEST, way=Way(reach="private")), RP),
        (evolve(REQUEST, way=Way(url="https://inside.example/")), RP),
        (REQUEST, evolve(RP, issuer_rule=rule)),
    ):
        assert asked(metadata, request, rp)
        assert not asked(metadata, request, rp)


def test_it_tells_the_failure_of_its_store() -> None:
    records = PluggedRecords()
    metadata = RecordMetadata(records, SECRET)
    assert metadata.failure is None
    records.before = failing_at("read")

    assert asked(metadata)
    assert metadata.failure is not None
    assert (metadata.failure.code, metadata.failure.about) == ("store_unavailable", "metadata")


def test_code_that_waits_needs_a_store_that_waits() -> None:
    metadata = RecordMetadata(AwaitedRecords(), SECRET)
    with pytest.raises(UsageError) as caught:
        _ = metadata.waiting
    assert caught.value.code == "config_invalid"
    assert metadata.awaiting.records is not None
