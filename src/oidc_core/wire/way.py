"""The way of a request over the network, and what is known of the way its answer came."""

from typing import Final, Literal, NamedTuple, TypeAlias

from oidc_core.wire.addresses import Reach

ChannelState: TypeAlias = Literal["verified", "unverified", "not_told"]


class Channel(NamedTuple):
    """The transport's facts about the way an answer came.

    Attributes:
        server: whether the server was the one the URL names: ``verified`` by its certificate,
            ``unverified``, or ``not_told``.
        addresses_judged: whether the transport compared exactly the address it connected to with
            the request's ``reach``.
    """

    server: ChannelState = "not_told"
    addresses_judged: bool = False


NOT_TOLD: Final = Channel()
"""The transport knows no facts about the way an answer came."""

_SERVERS: Final[tuple[ChannelState, ...]] = ("verified", "not_told", "unverified")
CHANNELS: Final = tuple([Channel(of, judged) for of in _SERVERS for judged in (True, False)])
"""All of them."""


class Way(NamedTuple):
    """How a request goes over the network, under the policy.

    Without more it goes to public addresses only, over TLS that did not fail.

    Attributes:
        reach: which addresses it may go to.
        judged: whether it may be sent only by a transport that judges addresses.
        channels: the ways by which its answer may come.
        url: where it is sent in place of the URL, on a named back channel.
    """

    reach: Reach = "public"
    judged: bool = False
    channels: frozenset[Channel] = frozenset(CHANNELS[:4])
    url: str | None = None
