"""Every record reads back as it was; reading any other text is the store's failure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_core import codec
from oidc_core.jose.key_set import parse_key_set
from oidc_core.wire.errors import StoreFailure
from oidc_core.wire.jsontypes import render
from tests.strategies import (
    MOMENTS,
    grant_records,
    json_objects,
    json_values,
    mixed_key_sets,
    pending_logins,
    pending_logouts,
    provider_metadata,
    stored_tokens,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_core.model.grants import GrantRecord
    from oidc_core.model.pending import PendingLogin
    from oidc_core.model.provider import ProviderMetadata
    from oidc_core.model.records import PendingLogout, Tokens
    from oidc_core.wire.jsontypes import JsonObject, JsonValue

LOADERS: list[Callable[[str], object]] = [
    codec.load_pending_login,
    codec.load_pending_logout,
    codec.load_tokens,
    codec.load_grant,
    codec.load_metadata,
    codec.load_key_set,
]


@given(pending_logins())
def test_a_login_reads_back_as_it_was(pending: PendingLogin) -> None:
    assert codec.load_pending_login(codec.dump_pending_login(pending)) == pending


@given(pending_logouts())
def test_a_logout_reads_back_as_it_was(pending: PendingLogout) -> None:
    assert codec.load_pending_logout(codec.dump_pending_logout(pending)) == pending


@given(stored_tokens())
def test_tokens_read_back_as_they_were(stored: Tokens) -> None:
    assert codec.load_tokens(codec.dump_tokens(stored)) == stored


@given(grant_records())
def test_a_shared_grant_reads_back_as_it_was(record: GrantRecord) -> None:
    assert codec.load_grant(codec.dump_grant(record)) == record


@given(provider_metadata())
def test_metadata_reads_back_as_it_was(metadata: ProviderMetadata) -> None:
    again = codec.load_metadata(codec.dump_metadata(metadata))
    assert again == metadata
    assert again.endpoints_digest == metadata.endpoints_digest


@given(mixed_key_sets(), MOMENTS)
def test_a_key_set_reads_back_as_it_was(document: JsonObject, fetched_at: int) -> None:
    keys = parse_key_set(document)
    assert codec.load_key_set(codec.dump_key_set(keys, fetched_at)) == (keys, fetched_at)


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
@given(text=st.text() | json_objects().map(render) | json_values().map(render))
def test_any_text_is_refused_as_the_stores_failure(
    load: Callable[[str], object], text: str
) -> None:
    with pytest.raises(StoreFailure) as caught:
        load(text)
    assert caught.value.code in {"record_invalid", "record_version_unknown"}


@given(pending_logins(), st.data(), json_values())
def test_a_login_with_one_member_changed_is_another_login_or_refused(
    pending: PendingLogin, data: st.DataObject, value: JsonValue
) -> None:
    members = json.loads(codec.dump_pending_login(pending))
    members[data.draw(st.sampled_from(sorted(members)))] = json.loads(render(value))
    again = loaded(json.dumps(members))
    if isinstance(again, StoreFailure):
        assert again.code in {"record_invalid", "record_version_unknown"}
    else:
        assert codec.load_pending_login(codec.dump_pending_login(again)) == again


def loaded(text: str) -> PendingLogin | StoreFailure:
    try:
        return codec.load_pending_login(text)
    except StoreFailure as failure:
        return failure
