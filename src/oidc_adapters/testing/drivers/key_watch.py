"""The judge's facts about key sets: the requests for them, and the sets that came."""

from typing import Final, NamedTuple

from attrs import define, field

from oidc_adapters.testing.drivers.duties import broken
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.key_fetching import BUCKET_SIZE, REFILL, STALE_IF_ERROR, key_set_of
from oidc_core.machine.steps import KeysAnswer, KeysFound
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import Answer, HttpResponse, KeysWanted

_BUCKETS: Final = 2
"""One for the tokens of the provider itself, one for those that strangers bring."""

_MOST: Final = _BUCKETS * (BUCKET_SIZE + 1)
"""So many fetches are possible within a minute."""


class _Served(NamedTuple):
    wanted: KeysWanted
    at: int
    key_set: KeySet

    def lacks_for(self, wanted: KeysWanted, now: int) -> bool:
        """Tell whether this set is newer, or proves that the provider has no key of that name."""
        kid, since = wanted.missing_kid, wanted.newer_than
        if self.at == since == self.wanted.newer_than:  # fetched again within one second
            return True
        return (
            kid is not None
            and kid == self.wanted.missing_kid
            and not self.key_set.has(kid)
            and self.wanted.source in {"solicited", wanted.source}
            and now < self.at + REFILL
        )


@define(kw_only=True)
class KeyWatch:
    """All requests for key sets, and all sets that were served.

    Attributes:
        asked: where and when a set was asked for.
        served: the sets.
    """

    asked: list[tuple[str, int]] = field(factory=list[tuple[str, int]])
    served: list[_Served] = field(factory=list[_Served])

    def fetch(self, jwks_uri: str, now: int) -> None:
        """Take note of a request.

        Raises:
            DutyBroken: there were too many.
        """
        self.asked.append((jwks_uri, now))
        if self._count(jwks_uri, now - REFILL) > _MOST:
            broken("keys-throttled", f"{jwks_uri} was asked more than {_MOST} times in a minute")

    def serve(self, wanted: KeysWanted, answer: Answer) -> None:
        """Take note of a set, if the answer has one."""
        if not isinstance(answer, HttpResponse):
            return
        try:
            key_set = key_set_of(answer, wanted.limits)
        except OidcError:
            return
        self.served.append(_Served(wanted, answer.received_at, key_set))

    def check(self, wanted: KeysWanted, found: KeysAnswer, now: int) -> None:
        """Judge the keys that a step gets.

        Raises:
            DutyBroken: the set was not fetched then, is too old, or the provider was not asked.
        """
        uri = wanted.jwks_uri
        lately = self._count(uri, now - BUCKET_SIZE * REFILL)
        if not isinstance(found, KeysFound):
            if not lately:
                broken("keys-when-due", f"keys of {uri} are withheld, and nobody asked for them")
            return
        if found.now != now:
            broken("stamped", f"the time of the keys is {found.now}, not {now}")
        of_uri = [served for served in self.served if served.wanted.jwks_uri == uri]
        if (found.fetched_at, found.key_set) not in [(one.at, one.key_set) for one in of_uri]:
            broken("keys-dated", f"no such set of {uri} was fetched at {found.fetched_at}")
        age, oldest = now - found.fetched_at, wanted.max_age + STALE_IF_ERROR
        if age > oldest or (age >= wanted.max_age and not lately):
            broken("keys-when-due", f"the keys of {uri} are {age} seconds old")
        since = wanted.newer_than
        if since is None or found.fetched_at > since:
            return
        if not any(served.lacks_for(wanted, now) for served in of_uri):
            broken("keys-when-due", f"the step needs keys of {uri} that are newer than {since}")

    def _count(self, jwks_uri: str, since: int) -> int:
        return sum([uri == jwks_uri and at >= since for uri, at in self.asked])
