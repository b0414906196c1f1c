"""One store for everything that the processes of an application share."""

from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.metadata_in_records import RecordMetadata
from oidc_adapters.stores.pending.cookies import CookieProfile
from oidc_adapters.stores.pending.in_browser import PROFILE
from oidc_adapters.stores.pending.in_records import RecordPendingLogins
from oidc_adapters.stores.provider_keys_in_records import RecordProviderKeys
from oidc_adapters.stores.records.ports import AsyncRecords, Records
from oidc_adapters.stores.sessions import EndSession, SessionIndex


class SharedStore:
    """One store for the workers and hosts of an application.

    .. code-block:: python

        shared = SharedStore(SqliteRecords("sessions.db"), secret)
        client = OidcClient(
            setup,
            shared.pending,
            keys=shared.keys,
            metadata=shared.metadata,
            grants=shared.grants,
            sessions=shared.sessions,
        )

    An application that keeps no tokens leaves out ``grants``, and one whose sessions no provider
    ends leaves out ``sessions``.

    Args:
        records: the store; one that waits serves waiting and awaiting clients, one that is awaited
            serves awaiting clients.
        secrets: the sealing secrets, newest first, each of at least 32 octets of entropy; the same
            in all processes.  To rotate, give all processes the new one behind the old one first,
            then put it in front.
        profile: how cookies are written.
        end_session: ends a session of the application by its name, when the provider says so; see
            :class:`~oidc_adapters.stores.sessions.SessionIndex`.

    Attributes:
        pending: where logins wait for their browser; each is taken out once among all processes.
        keys: the key sets of providers.
        metadata: the metadata of providers.
        grants: the tokens of sessions; make :class:`~oidc_adapters.stores.grants.Grants` yourself
            for other settings than its defaults.
        sessions: the names of sessions, so that the provider can end them.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ("grants", "keys", "metadata", "pending", "sessions")

    def __init__(
        self,
        records: Records | AsyncRecords,
        *secrets: bytes | str,
        profile: CookieProfile = PROFILE,
        end_session: EndSession | None = None,
    ) -> None:
        self.pending = RecordPendingLogins(records, *secrets, profile=profile)
        self.keys = RecordProviderKeys(records, *secrets)
        self.metadata = RecordMetadata(records, *secrets)
        self.grants = Grants(records, *secrets)
        self.sessions = SessionIndex(records, *secrets, end_session=end_session)
