"""The machine that users subclass: all moves, and the laws as invariants.

.. code-block:: python

    class Shop(ApplicationMachine):
        def application(self, world: World) -> Flask:
            return create_app(world.settings())


    TestShop = Shop.TestCase

The moves are rules of Hypothesis, so ``TestShop.settings``, its database and
``@reproduce_failure`` work as ever.  A subclass can add rules and invariants.
"""

from hypothesis.stateful import invariant, precondition

from oidc_adapters.testing.applications.laws import OF_VISITS, LawBrokenError, sent_secrets_stay
from oidc_adapters.testing.applications.stage import Who
from oidc_adapters.testing.applications.trouble_moves import TroubleMoves


class ApplicationMachine(TroubleMoves):
    """Drives browsers against an application, with honest and hostile providers.

    A subclass defines ``application``; :class:`Stage` lists the other members that it may define.
    """

    def __init__(self) -> None:
        super().__init__()
        self._judged = dict.fromkeys([*OF_VISITS, "sent", "logged"], 0)
        self._offences: dict[str, str] = {}
        self._seen: dict[int, Who | None] = dict.fromkeys(range(len(self.browsers)))
        self._seen_at = -1

    # Hypothesis prints each invariant that it calls.  These are called once they are broken: a
    # program that it prints has the moves, and the one law at its end.

    @precondition(lambda self: self.offence("nobody_is_signed_in_without_an_honest_login"))
    @invariant()
    def nobody_is_signed_in_without_an_honest_login(self) -> None:
        """The user who is signed in has logged in with that browser, and nobody else did later."""
        self.broken("nobody_is_signed_in_without_an_honest_login")

    @precondition(lambda self: self.offence("an_honest_login_signs_in"))
    @invariant()
    def an_honest_login_signs_in(self) -> None:
        """The user is signed in after a login that nothing disturbed."""
        self.broken("an_honest_login_signs_in")

    @precondition(lambda self: self.offence("no_answer_is_a_server_fault"))
    @invariant()
    def no_answer_is_a_server_fault(self) -> None:
        """No answer is a 500; one of 502 to 504 comes only in times of trouble."""
        self.broken("no_answer_is_a_server_fault")

    @precondition(lambda self: self.offence("no_redirect_leaves_the_site"))
    @invariant()
    def no_redirect_leaves_the_site(self) -> None:
        """No redirect leaves the site but to a configured provider."""
        self.broken("no_redirect_leaves_the_site")

    @precondition(lambda self: self.offence("secrets_stay_in_their_messages"))
    @invariant()
    def secrets_stay_in_their_messages(self) -> None:
        """No secret is in an answer, a log or a request but in the message that carries it."""
        self.broken("secrets_stay_in_their_messages")

    @precondition(lambda self: self.offence("every_refusal_has_a_way_on"))
    @invariant()
    def every_refusal_has_a_way_on(self) -> None:
        """Every refusal that a person sees has a link or a form."""
        self.broken("every_refusal_has_a_way_on")

    @precondition(lambda self: self.offence("no_browser_goes_round_in_circles"))
    @invariant()
    def no_browser_goes_round_in_circles(self) -> None:
        """No browser is redirected without end."""
        self.broken("no_browser_goes_round_in_circles")

    def offence(self, law: str) -> str:
        """Return what is new and breaks a law, or an empty string."""
        if self._seen_at != len(self.book.visits) + len(self.book.trace):
            self._see()
        if law == "nobody_is_signed_in_without_an_honest_login":
            found = self._strangers()
        elif law == "an_honest_login_signs_in":
            found = self._in_vain()
        elif law == "no_browser_goes_round_in_circles":
            found = next(iter(self.book.loops), "")
        else:
            found = self._in_visits(law)
            if not found and law == "secrets_stay_in_their_messages":
                found = self._sent() or self._logged()
        if found:
            self._offences[law] = found
        return found

    def broken(self, law: str) -> None:
        """Say that a law is broken.

        Raises:
            LawBrokenError: always, with the trace of the example.
        """
        raise LawBrokenError(law, self._offences[law], self.book.trace)

    def _see(self) -> None:
        """See who is signed in with each browser."""
        for browser in self.browsers:
            seen = self.who(browser)
            if seen != self._seen[browser.number]:
                name = "nobody" if seen is None else f"{seen[1]} of {seen[0]}"
                self.book.move(f"  browser {browser.number}: signed in is {name}")
            self._seen[browser.number] = seen
        self._seen_at = len(self.book.visits) + len(self.book.trace)

    def _strangers(self) -> str:
        for browser in self.browsers:
            seen = self._seen[browser.number]
            if seen is not None and seen not in browser.identities:
                may = ", ".join([sub for _, sub in browser.identities]) or "nobody"
                who = f"browser {browser.number} is signed in as {seen[1]} of {seen[0]}"
                return f"{who}; it may be {may}"
        return ""

    def _in_vain(self) -> str:
        """Judge the newest login that nothing disturbed."""
        honest, self.honest = self.honest, None
        if honest is None or not self.admits(honest[1]) or self._seen[honest[0]] is not None:
            return ""  # of another user who is signed in, another law knows
        return f"browser {honest[0]} logged in as {honest[1][1]}, and nobody is signed in"

    def _in_visits(self, law: str) -> str:
        """Judge the visits that this law has not seen."""
        fresh = self.book.visits[self._judged[law] :]
        self._judged[law] += len(fresh)
        judged = [OF_VISITS[law](visit, self.world, self.book) for visit in fresh]
        return next(filter(None, judged), "")

    def _sent(self) -> str:
        fresh = self.world.lines.exchanges[self._judged["sent"] :]
        self._judged["sent"] += len(fresh)
        judged = [sent_secrets_stay(exchange, self.world, self.book) for exchange in fresh]
        return next(filter(None, judged), "")

    def _logged(self) -> str:
        fresh = self.book.logged[self._judged["logged"] :]
        self._judged["logged"] += len(fresh)
        for line in fresh:
            for text, secret in self.book.secrets.items():
                if text in line:
                    return f"a {secret.kind} is in the log"
        return ""
