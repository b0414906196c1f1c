"""Messages of a provider as plain values: good ones, and faulty ones with the code they deserve.

.. code-block:: python

    token = SignedToken(alg="EdDSA", claims={"acr": "gold"})
    faulty = SignedToken(fault="wrong_nonce")
    assert (judged(token), judged(faulty)) == ("", faulty.code)

Every sample prints as the call that builds it, and the call builds the same value in every process:
keys, nonces, codes and tokens follow from small seeds.  Only RSA keys are made once in a process,
so there the header and the claims are the same, and the signature is not.  A sample
holds seeds in place of secrets, so its call never shows a secret.

:mod:`oidc_adapters.testing.strategies` draws samples with Hypothesis; this module needs it not.
"""

from oidc_adapters.testing.samples.clocks import JumpingClock, SampleClock
from oidc_adapters.testing.samples.judges import (
    client_for,
    demands_on,
    driven,
    judged,
    logout_request,
    userinfo_answer,
)
from oidc_adapters.testing.samples.keys import (
    KEY_ALGS,
    KEY_FAULTS,
    SET_FAULTS,
    KeyFault,
    SampleKey,
    SampleKeySet,
    key_faults,
)
from oidc_adapters.testing.samples.messages import (
    CALLBACK_FAULTS,
    METADATA_FAULTS,
    TOKEN_RESPONSE_FAULTS,
    SampleCallback,
    SampleMetadata,
    SampleTokenResponse,
)
from oidc_adapters.testing.samples.parties import (
    CLIENT_ID,
    ISSUER,
    LOGOUT_URI,
    NOW,
    REDIRECT_URI,
    SUB,
    TOKEN_KINDS,
    TokenKind,
    client_secret,
    decryption_key,
    login_secrets,
)
from oidc_adapters.testing.samples.rows import misbehaviour
from oidc_adapters.testing.samples.sample import Sample, call_of
from oidc_adapters.testing.samples.token_faults import (
    ENCRYPTION,
    TOKEN_FAULTS,
    token_faults,
)
from oidc_adapters.testing.samples.tokens import SignedToken

__all__ = [
    "CALLBACK_FAULTS",
    "CLIENT_ID",
    "ENCRYPTION",
    "ISSUER",
    "KEY_ALGS",
    "KEY_FAULTS",
    "LOGOUT_URI",
    "METADATA_FAULTS",
    "NOW",
    "REDIRECT_URI",
    "SET_FAULTS",
    "SUB",
    "TOKEN_FAULTS",
    "TOKEN_KINDS",
    "TOKEN_RESPONSE_FAULTS",
    "JumpingClock",
    "KeyFault",
    "Sample",
    "SampleCallback",
    "SampleClock",
    "SampleKey",
    "SampleKeySet",
    "SampleMetadata",
    "SampleTokenResponse",
    "SignedToken",
    "TokenKind",
    "call_of",
    "client_for",
    "client_secret",
    "decryption_key",
    "demands_on",
    "driven",
    "judged",
    "key_faults",
    "login_secrets",
    "logout_request",
    "misbehaviour",
    "token_faults",
    "userinfo_answer",
]
