"""Metadata that the processes of an application read together, from a store that they share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.runtime.events import MetadataRead, MetadataRefused, MetadataReplaced
from oidc_adapters.stores.metadata_in_records import RecordMetadata
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_core.machine.metadata_fetching import REREAD
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.http import Answer, HttpResponse
from oidc_core.wire.way import Channel
from tests.adapters.clients.test_life import DAY, DOWN, KINDS, Scene, honest, refused, says
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords, failing_at

SECRET: Final = b"the sealing secret of the tests!"


class Fleet(Scene):
    """Processes of one application, each with its client, and one store."""

    def __init__(self, *, awaits: bool = False, **changed: Any) -> None:
        self.records = PluggedRecords()
        super().__init__(awaits=awaits, **changed)

    def another(self, **named: Any) -> Any:
        shared: Any = AwaitedRecords(self.records) if self.awaits else self.records
        self.metadata = RecordMetadata(shared, SECRET)
        return super().another(metadata=self.metadata, **named)

    def goes_on(self) -> str:
        """Another process takes the next login, from its start to its end."""
        self.client = self.another()
        return self.finish(self.start())

    @property
    def reads(self) -> int:
        return len(self.world.reads)


@KINDS
def test_one_process_reads_for_all(awaits: bool) -> None:
    fleet = Fleet(awaits=awaits)
    for _ in range(8):
        assert fleet.goes_on() == "alice"
        fleet.clock.advance(60)

    assert fleet.reads == 1
    assert [type(event) for event in fleet.heard].count(MetadataRead) == 8


def test_eight_that_start_together_read_once() -> None:
    fleet = Fleet()
    clients = [fleet.another() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        begun = [threads.submit(client.start_login) for client in clients]
        for login in begun:
            assert login.result(30).url
    assert fleet.reads == 1


@KINDS
def test_its_age_counts_from_the_reading(awaits: bool) -> None:
    fleet = Fleet(awaits=awaits, metadata_max_age=3_600)
    fleet.goes_on()
    fleet.clock.advance(3_000)
    fleet.goes_on()
    fleet.clock.advance(599)
    assert fleet.finish(fleet.start()) == "alice"
    assert fleet.reads == 1

    fleet.clock.advance(1)
    assert fleet.finish(fleet.start()) == "alice"
    assert fleet.reads == 2
    fleet.goes_on()
    assert fleet.reads == 2


def test_evidence_says_how_it_came_when_it_was_read() -> None:
    fleet = Fleet()

    def verified(answer: Answer) -> Answer:
        assert isinstance(answer, HttpResponse)
        return evolve(answer, channel=Channel("verified", addresses_judged=True))

    fleet.world.published = verified
    fleet.goes_on()
    fleet.world.published = lambda _: DOWN
    fleet.client = fleet.another()
    fleet.start()

    assert fleet.client.rp.discovered_by == Channel("verified", addresses_judged=True)
    assert fleet.client.rp.terms.discovery == Channel("verified", addresses_judged=True)


def test_a_policy_that_wants_the_server_verified_takes_no_other_document() -> None:
    fleet = Fleet()
    fleet.goes_on()
    fleet.setup = evolve(fleet.setup, policy=Policy(require_verified_channel=True))
    fleet.client = fleet.another()

    assert refused(fleet.client.start_login).code == "channel_unverified"
    assert fleet.reads == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"metadata_overrides": {"code_challenge_methods_supported": ["S256"]}},
        {"discovery_url": "https://op.example/.well-known/openid-configuration?tenant=1"},
    ],
)
def test_a_document_is_bound_to_the_configuration(changed: Any) -> None:
    fleet = Fleet()
    fleet.goes_on()
    fleet.setup = evolve(fleet.setup, **changed)
    fleet.client = fleet.another()
    with suppress(OidcError):
        fleet.start()
    assert fleet.reads == 2


# --- what has changed ----------------------------------------------------------------------------


def test_what_a_token_contradicts_is_not_taken_out_of_the_store_again() -> None:
    fleet = Fleet()
    fleet.world.published = says(id_token_signing_alg_values_supported=("ES256",))
    fleet.client = fleet.another()
    incoming = fleet.start()
    assert refused(lambda: fleet.client.finish_login(incoming)).code == "alg_not_allowed"
    fleet.world.published = honest
    fleet.clock.advance(REREAD)

    assert fleet.finish(fleet.start()) == "alice"
    assert fleet.reads == 2
    assert fleet.goes_on() == "alice"
    assert fleet.reads == 2


def test_a_newer_document_of_another_process_replaces_the_older() -> None:
    fleet = Fleet(metadata_max_age=3_600)
    old = fleet.client
    fleet.start()
    fleet.world.published = says(jwks_uri="https://op.example/other-jwks")
    fleet.clock.advance(3_600)
    fleet.client = fleet.another()
    fleet.start()
    fleet.client = old
    fleet.start()

    assert fleet.reads == 2
    assert old.rp.provider.jwks_uri == "https://op.example/other-jwks"
    assert MetadataReplaced in map(type, fleet.heard)


def test_a_document_that_the_settings_rule_out_is_read_again_and_refused() -> None:
    fleet = Fleet()
    fleet.world.published = says(token_endpoint_auth_methods_supported=("client_secret_basic",))
    fleet.goes_on()
    fleet.setup = evolve(fleet.setup, token_endpoint_auth_method="client_secret_post")
    fleet.client = fleet.another()

    assert refused(fleet.client.start_login).code == "unsupported_by_provider"
    assert fleet.reads == 2


# --- failures ------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("call", ["read", "times", "create"])
def test_a_store_that_fails_is_in_nobodys_way(awaits: bool, call: str) -> None:
    fleet = Fleet(awaits=awaits)
    fleet.records.before = failing_at(call)
    for _ in range(2):
        assert fleet.goes_on() == "alice"
        assert fleet.metadata.failure is not None
        assert fleet.metadata.failure.code == "store_unavailable"
    assert fleet.reads == 2


def test_a_process_that_starts_while_the_provider_is_down_goes_on_with_an_old_document() -> None:
    fleet = Fleet(metadata_max_age=3_600)
    fleet.goes_on()
    fleet.clock.advance(2 * 3_600)
    fleet.world.published = lambda _: DOWN

    fleet.client = fleet.another()
    assert fleet.start().query
    (kept,) = [event for event in fleet.heard if isinstance(event, MetadataRefused)]
    assert kept.older_kept
    assert fleet.reads == 2
    fleet.clock.advance(1)
    fleet.start()
    assert fleet.reads == 2
    for wait in (1, 2, 3):
        fleet.clock.advance(wait)
        fleet.start()
    assert fleet.reads == 4


def test_a_provider_that_is_down_is_asked_by_each_process_once() -> None:
    fleet = Fleet()
    fleet.world.published = lambda _: DOWN
    for _ in range(3):
        fleet.client = fleet.another()
        assert refused(fleet.client.start_login).code == "http_connect_failed"
        assert refused(fleet.client.start_login).code == "http_connect_failed"
    assert fleet.reads == 3


def _nonsense(_name: str) -> str:
    return "nonsense"


def _sealed_by_a_stranger(name: str) -> str:
    return SealedBox(b"the sealing secret of a stranger").close("{}\n{}", label=name)


@pytest.mark.parametrize("forge", [_nonsense, _sealed_by_a_stranger])
def test_nobody_who_writes_the_store_moves_an_endpoint(forge: Callable[[str], str]) -> None:
    fleet = Fleet()
    fleet.goes_on()
    records: MemoryRecords = fleet.records.records
    (name,) = [key for key in records._records if key.startswith("metadata:")]
    found = records.read(name)
    assert found is not None
    assert records.replace(name, found.version, "forged", forge(name), 2_000_000_000)

    assert fleet.goes_on() == "alice"
    assert fleet.reads == 2
    assert fleet.metadata.failure is not None
    assert fleet.metadata.failure.code == "seal_invalid"


# --- settings ------------------------------------------------------------------------------------


def test_metadata_that_is_given_needs_no_store() -> None:
    known = Scene()
    known.start()
    fleet = Fleet(metadata=known.client.rp.provider)
    assert fleet.goes_on() == "alice"
    assert fleet.records.calls == []


def test_code_that_waits_needs_a_store_that_waits() -> None:
    scene = Scene()
    scene.client = scene.another(metadata=RecordMetadata(AwaitedRecords(), SECRET))
    error = refused(scene.client.start_login)
    assert (error.code, error.about) == ("config_invalid", "records")


def test_anything_else_is_no_store_of_metadata() -> None:
    scene = Scene()
    with pytest.raises(UsageError) as caught:
        scene.another(metadata="x")
    assert (caught.value.code, caught.value.about) == ("config_invalid", "metadata")


def test_a_day_old_document_is_read_again() -> None:
    fleet = Fleet()
    fleet.goes_on()
    fleet.clock.advance(DAY)
    fleet.goes_on()
    assert fleet.reads == 2
