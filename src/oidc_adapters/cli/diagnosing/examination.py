"""The examination of one provider, from its issuer to the settings of a client."""

from attrs import evolve, frozen

from oidc_adapters.cli.diagnosing.answers import clock_verdict, tls_verdict
from oidc_adapters.cli.diagnosing.configuration import Configuration, configuration_for
from oidc_adapters.cli.diagnosing.finding import Found, find
from oidc_adapters.cli.diagnosing.keys import key_verdicts
from oidc_adapters.cli.diagnosing.metadata import metadata_verdicts
from oidc_adapters.cli.stand_in import stand_in
from oidc_adapters.cli.verdicts import Verdict, any_failed
from oidc_adapters.clients.shell import Shell
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import UsageError


@frozen(kw_only=True)
class Examination:
    """The result of an examination.

    Attributes:
        issuer: as it was given.
        examined: the issuer whose metadata was examined; empty if no metadata was found.
        verdicts: what was established, in order.
        configuration: the settings of a client; ``None`` without metadata.
    """

    issuer: str
    examined: str = ""
    verdicts: tuple[Verdict, ...]
    configuration: Configuration | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing prevents a login."""
        return not any_failed(self.verdicts)


def examine(
    shell: Shell, issuer: str, *, client_id: str = "", redirect_uri: str = ""
) -> Examination:
    """Examine a provider, by requests that anybody may send.

    Args:
        shell: sends them.
        issuer: the issuer, as it is configured at a client configured.
        client_id: of the client, for its settings.
        redirect_uri: likewise.
    """
    found, of_issuer = find(shell, issuer)
    if found is None:
        return Examination(issuer=issuer, verdicts=(of_issuer,))
    verdicts = [
        of_issuer,
        tls_verdict(found.issuer, found.response),
        clock_verdict(found.response),
        *metadata_verdicts(found.metadata),
        *key_verdicts(shell, _relying_party(found)),
    ]
    return Examination(
        issuer=issuer,
        examined=found.issuer,
        verdicts=tuple(verdicts),
        configuration=configuration_for(found, client_id=client_id, redirect_uri=redirect_uri),
    )


def _relying_party(found: Found) -> RelyingParty:
    """Return a client that can do as much as the metadata lets one do."""
    rp = stand_in(issuer=found.issuer)
    try:
        return evolve(rp, provider=found.metadata)
    except UsageError:  # a verdict says so; keys are judged by every algorithm of the policy
        named = rp.provider.id_token_signing_alg_values_supported
        return evolve(
            rp, provider=evolve(found.metadata, id_token_signing_alg_values_supported=named)
        )
