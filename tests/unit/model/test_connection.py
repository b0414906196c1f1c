"""The connection that a login is bound to."""

import pickle

import pytest

from oidc_core.model.connection import Connection

CONNECTION = Connection("https://op.example", "client-1", "tenant-1", "0" * 16, "1" * 16)


@pytest.mark.parametrize("name", Connection._fields)
def test_a_connection_is_another_if_one_of_its_members_is(name: str) -> None:
    assert CONNECTION._replace(**{name: "other"}) != CONNECTION
    assert CONNECTION._replace(**{name: getattr(CONNECTION, name)}) == CONNECTION


def test_a_connection_names_client_and_provider_and_digests_of_the_rest() -> None:
    assert Connection._fields == (
        "issuer", "client_id", "connection_id", "endpoints_digest", "policy_digest",
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(CONNECTION)) == CONNECTION
