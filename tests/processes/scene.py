"""A test's scene: a provider, a store with grants at their expiry, and workers that share them."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from attrs import evolve

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.stores.grants import Grants, Key
from oidc_adapters.stores.records import AtOnce, Times, at_once
from oidc_core.machine.grant_writes import Fresh
from oidc_core.model.grants import GrantRecord
from oidc_core.model.records import Tokens
from oidc_core.operations.grants import first_record
from oidc_core.wire.incoming import Incoming
from tests.processes.crowd import PATIENCE, Parent, Process
from tests.processes.messages import Answers, ProviderPlan, Serving, WorkerPlan
from tests.processes.operated_provider import OPERATOR
from tests.processes.places import Place
from tests.processes.trace import told
from tests.processes.worker import SEALING_SECRET, setup_of

_AGE: Final = 100
_DAY: Final = 86_400


class Fate(NamedTuple):
    """What the provider says about a grant.

    Attributes:
        sent: how many requests came with a refresh token of it.
        reused: how many of those came with one that was used before.
        revoked: whether the grant has ended.
        access, refresh: its tokens that are still good.
    """

    sent: int
    reused: int
    revoked: bool
    access: Sequence[str]
    refresh: Sequence[str]


class Scene:
    """A provider, a store, and the workers of an application.

    Args:
        parent: forks the processes.
        place: where the records are.
        folder: for the trace.
        provider: the settings of the provider.
        settings: members of :class:`WorkerPlan` that all workers have.
    """

    def __init__(
        self,
        parent: Parent,
        place: Place,
        folder: Path,
        provider: ProviderPlan | None = None,
        **settings: Any,
    ) -> None:
        self._parent = parent
        self.trace, self.down = folder / "trace", folder / "down"
        self._provider = parent.fork("provider", provider or ProviderPlan())
        self.plan = WorkerPlan(
            issuer=self._provider.expect(Serving).issuer,
            place=place,
            trace=str(self.trace),
            down=str(self.down),
            **settings,
        )
        records, self._close = place.opened(SystemClock())
        self._store, self._grants = AtOnce(records), Grants(records, SEALING_SECRET)
        self._client = OidcClient.for_development(setup_of(self.plan), grants=self._grants)
        self._login: Tokens | None = None

    def worker(self, name: str, **changed: Any) -> Process:
        """Begin a worker."""
        return self._parent.fork(name, self.plan._replace(**changed))

    def workers(self, count: int, **changed: Any) -> list[Process]:
        """Begin several workers."""
        return [self.worker(f"worker-{number}", **changed) for number in range(count)]

    def give(self, prefix: str, count: int, *, remaining: int = 0) -> tuple[str, ...]:
        """Give so many grants, each with a record whose access token is at its end.

        Args:
            prefix: of their names.
            count: how many.
            remaining: for how many seconds their access tokens are valid yet.
        """
        login = self._logged_in()
        names = tuple([f"{prefix}-{number:04}" for number in range(count)])
        refresh_tokens = self.operate("grant", names=names, like=login.refresh_token)
        times = self._store_times()
        for name, refresh_token in zip(names, refresh_tokens, strict=True):
            then = times.utc - _AGE
            expires_at = times.utc + remaining
            record = first_record(
                evolve(login, refresh_token=refresh_token, expires_at=expires_at),
                Fresh(f"first-{name}", ""),
                now=times.now - _AGE,
                utc=then,
                until=times.utc + _DAY,
            )
            assert at_once(self._grants.create(self._store, self._key(name), record))
        return names

    @property
    def first_access_token(self) -> str:
        """The access token that all records begin with."""
        return self._logged_in().access_token

    def record(self, name: str) -> GrantRecord:
        """Return a record."""
        record = at_once(self._grants.read(self._store, self._key(name))).record
        assert record is not None, name
        return record

    def fates(self) -> Mapping[str, Fate]:
        """Return what the provider says about each grant."""
        return {name: Fate(**each) for name, each in self.operate("report").items()}

    def told(self) -> str:
        """Return the end of the trace, for a message."""
        return told(self.trace)

    def teller(self, grant: str, *facts: object) -> Callable[[], str]:
        """Return what tells everything about a grant, for the message of a failure."""
        return lambda: "\n".join([grant, *map(str, facts), told(self.trace, about=grant)])

    def operate(self, operation: str, **asked: Any) -> Any:
        """Tell the provider to do something."""
        split = urlsplit(self.plan.issuer)
        connection = HTTPConnection(split.netloc, timeout=PATIENCE)
        try:
            connection.request("POST", OPERATOR + operation, json.dumps(asked))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def close(self) -> None:
        """Close the store and the client of the test."""
        self._client.close()
        self._close()

    def _logged_in(self) -> Tokens:
        """Log in once; all grants are like this one."""
        if self._login is None:
            redirect = self._client.start_login()
            cookie = "; ".join(f"{each.name}={each.value}" for each in redirect.cookies)
            split = urlsplit(redirect.url)
            connection = HTTPConnection(split.netloc, timeout=PATIENCE)
            connection.request("GET", f"{split.path}?{split.query}")
            place = connection.getresponse().headers["location"]
            connection.close()
            url, _, query = place.partition("?")
            incoming = Incoming(method="GET", url=url, query=query, cookie=cookie)
            self._login = self._client.finish_login(incoming).logged_in.tokens
        return self._login

    def _store_times(self) -> Times:
        return at_once(self._store.times())

    def _key(self, name: str) -> Key:
        return Key.of(name, self._client.rp.connection)


def gathered(answers: Sequence[Answers]) -> Mapping[str, Counter[str]]:
    """Return what all callers got, by grant: access tokens and codes, and how often."""
    got: dict[str, Counter[str]] = {}
    for each in answers:
        for grant, counts in each.got.items():
            got.setdefault(grant, Counter()).update(counts)
    return got


def all_is_well(
    scene: Scene,
    grants: Sequence[str],
    answers: Sequence[Answers],
    *,
    sent: int = 1,
    later: Sequence[str] = (),
    older: str = "",
) -> None:
    """Check that all callers got usable tokens, by one exchange for each grant, and none is lost.

    Args:
        scene: where it happened.
        grants: those that were asked for.
        answers: what callers got.
        sent: how many exchanges of each grant are right.
        later: codes with which callers may have been told to ask again.
        older: the access token that records began with, where callers may have got that.
    """
    fates, got = scene.fates(), gathered(answers)
    others = {older, *[f"~{code}" for code in later]}
    for grant in grants:
        fate, record = fates[grant], scene.record(grant)
        about = scene.teller(grant, fate, record.state, got[grant])
        assert not fate.reused, about()
        assert not fate.revoked, about()
        assert fate.sent == sent, about()
        assert got[grant], about()
        assert set(got[grant]) <= {*fate.access, *others}, about()
        assert record.state == "current", about()
        assert record.tokens.refresh_token in fate.refresh, about()
