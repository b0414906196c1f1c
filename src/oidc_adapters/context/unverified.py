"""The transport of a context that was told not to verify who the provider is."""

import warnings
from typing import ClassVar

from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_adapters.transport.tls import StrPath


class UnverifiedTransport(Urllib3Transport):
    """Accepts any certificate for any name, and says so: in a warning, and of each answer.

    The core takes its answers only under the quirk ``insecure_skip_tls_verification``, which the
    context names; so nothing else can be built with it by mistake.
    """

    verifies: ClassVar[bool] = False

    def __init__(self, *, ca: StrPath | None = None) -> None:
        warnings.warn("the provider's TLS certificate is not verified", stacklevel=2)
        super().__init__(ca=ca)
