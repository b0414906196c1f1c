"""The duties of a driver, each with its name, and how a machine says which of them was broken."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn

DRIVER_DUTIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "asked-for": "A driver sends only the requests of steps.",
        "sent-once": "A request is sent once, and again only as its resend allows.",
        "as-prepared": "A request goes out exactly as it was prepared.",
        "limits-kept": "A transport gets the request's own deadline, size limit and reach.",
        "fresh-proofs": "Each transmission has a fresh assertion and a fresh DPoP proof.",
        "dpop-nonces": "A proof has the newest nonce of its issuer, origin and role.",
        "no-redirects": "No redirect is followed.",
        "own-answer": "A step is resumed with the answer to its own request, unchanged.",
        "answers-told": "No answer is dropped.",
        "failures-told": "A failed exchange is told to its step as it was.",
        "stamped": "An answer has the time at which it came.",
        "keys-dated": "A key set has the time at which it was fetched.",
        "keys-when-due": "The provider is asked for keys when the step needs newer ones.",
        "keys-throttled": "A stranger's tokens do not lead to one fetch of keys each.",
        "stored-first": "Refreshed tokens are stored before they are verified.",
        "no-misuse": "A step gets its relying party and the kind of answer that it waits for.",
        "outcome-told": "The caller gets the result, or the refusal, of the core.",
        "honest-passes": "An operation ends well where nothing went wrong.",
    }
)
"""The duties of a driver, by name: a sentence for each."""


class DutyBroken(AssertionError):
    """A driver broke a duty.

    Attributes:
        duty: its name in :data:`DRIVER_DUTIES`.
    """

    def __init__(self, duty: str, what: str) -> None:
        super().__init__(f"{duty}: {DRIVER_DUTIES[duty]} But {what}.")
        self.duty = duty


def broken(duty: str, what: str) -> NoReturn:
    """Say which duty was broken, and what happened.

    Raises:
        DutyBroken: always.
    """
    raise DutyBroken(duty, what)
