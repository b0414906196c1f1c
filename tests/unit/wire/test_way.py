"""The way of a request, and of its answer."""

from itertools import product

from oidc_core.wire.way import CHANNELS, NOT_TOLD, Channel, Way


def test_nothing_is_known_of_a_channel_that_was_not_told() -> None:
    assert NOT_TOLD == Channel() == Channel("not_told", addresses_judged=False)


def test_all_channels_are_listed_once() -> None:
    states = ("verified", "not_told", "unverified")
    assert len(CHANNELS) == len(set(CHANNELS)) == 6
    assert {(each.server, each.addresses_judged) for each in CHANNELS} == {
        *product(states, (True, False))
    }


def test_a_way_without_more_is_public_and_its_tls_did_not_fail() -> None:
    way = Way()
    assert (way.reach, way.judged, way.url) == ("public", False, None)
    assert {each.server for each in way.channels} == {"verified", "not_told"}
    assert len(way.channels) == 4
