"""Constructions that make a sentence hard for readers who learned English as a second language.

Each row has a pattern, the reason why a reader has to stop there, and an example with the sentence
to write instead. Rows are archaic words, inverted or elliptic clauses, and idioms with a plain word
for them. Common words and long but regular sentences are not in the list.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_END: Final = r"(?=[.,;:!)]|\Z)"


class Pattern(NamedTuple):
    """One construction: why it is hard, a sentence that has it, and the plain sentence."""

    name: str
    regex: re.Pattern[str]
    why: str
    hard: str
    plain: str


def _row(name: str, regex: str, why: str, hard: str, plain: str) -> Pattern:
    return Pattern(name, re.compile(regex), why, hard, plain)


_WORDS: Final = (
    _row(
        "archaic-word",
        r"(?i)\b(?:anew|lest|hence|thus|henceforth|seldom|upon|till|beneath|amid|whilst|afresh"
        r"|there(?:in|of|by|upon|with)|where(?:of|in|by|upon|with)|forthwith|oneself|likewise"
        r"|for ever|of late|vouch(?:es|ed)?|ere)\b",
        "the word is of older or formal English, and learners do not meet it",
        "Sign each assertion anew.",
        "Sign each assertion again.",
    ),
    _row(
        "mend",
        r"\bmend(?:s|ed|ing)?\b",
        "an old word for repair",
        "The user cannot mend this.",
        "The user cannot repair this.",
    ),
    _row(
        "err",
        r"\b(?:err|errs|erred|erring)\b",
        "an old verb: say what somebody does wrong",
        "A provider that errs is refused.",
        "The client refuses a provider that makes a mistake.",
    ),
    _row(
        "chance",
        r"\bchance\b",
        "means luck: the technical word is randomness, or random",
        "The key is replaced by chance.",
        "The decrypter takes a random key instead.",
    ),
    _row(
        "beside",
        r"\bbeside\b",
        "an old word for next to, and easily read as besides",
        "An error beside a code is refused.",
        "The client refuses an answer with both an error and a code.",
    ),
    _row(
        "whoever",
        r"(?i)\b(?:who(?:m|so)?ever|whatever|whichever)\b",
        "one word is pronoun and conjunction at once: name the person or the thing",
        "Whoever asks is let in.",
        "The provider accepts every user.",
    ),
    _row(
        "whom",
        r"(?i)\bwhom\b",
        "a case form that few learners use",
        "Return whom the answers are encrypted for.",
        "Return the client that can decrypt the answers.",
    ),
    _row(
        "said-of",
        r"\b(?:say|says|said|tell|tells|told|speak|speaks|spoke|spoken) (?:nothing )?of\b",
        "today one speaks about something",
        "What evidence says of the policy.",
        "The policy as the evidence names it.",
    ),
)

_IDIOMS: Final = (
    _row(
        "is-over",
        r"\b(?:is|are|was|were) (?:long )?over\b(?! the\b)",
        "does not say what ended it: expired, finished, closed",
        "Check both clocks; the token is over.",
        "The token has expired; check both clocks.",
    ),
    _row(
        "hangs-on",
        r"\b(?:hang|hangs|hanging|hung) on\b",
        "an idiom for depends on",
        "Nothing hangs on this member.",
        "The client does not use this member.",
    ),
    _row(
        "holds",
        r"\b(?:signatures?|MAC|rules?|promises?|it|they|which) (?:all )?(?:held|holds?)"
        r"(?=[.,;:)]|\Z| (?:for|here|in|with|but|and|or|when|it)\b)",
        "an idiom: a signature is valid, a rule is fulfilled or applies",
        "A JWS whose signature held.",
        "A JWS with a valid signature.",
    ),
    _row(
        "stands",
        r"\b(?:stand|stands|stood) (?!for\b)|\b(?:stand|stands|stood)" + _END,
        "an idiom for is, is written or remains valid",
        "The name stands in the table.",
        "The table has the name.",
    ),
    _row(
        "be-had",
        r"\bbe had\b",
        "an old passive of have: is available, or the sender cannot get it",
        "A key set that cannot be had.",
        "A key set that the client cannot fetch.",
    ),
    _row(
        "has-it",
        r"\bas [^.;:,]*\b(?:has|have|had) it" + _END,
        "an idiom: as somebody writes or defines it",
        "Sign as JOSE has it.",
        "Sign in the format of JOSE.",
    ),
    _row(
        "become-of",
        r"\b(?:becomes?|became) of\b",
        "an idiom: what happened to it",
        "Write down what became of the request.",
        "Write down how the request ended.",
    ),
    _row(
        "will-do",
        r"\bwill (?:not )?do" + _END,
        "an idiom: is enough, is accepted",
        "Any port will do.",
        "The provider accepts any port.",
    ),
    _row(
        "gone-wrong",
        r"\bgone wrong\b",
        "an elliptic idiom: name the fault",
        "Metadata gone wrong.",
        "Metadata with one fault each.",
    ),
    _row(
        "the-very",
        r"\b(?:the|this|that|its) very (?!few\b|least\b)\w",
        "an old stress: exactly, the same",
        "A point of the very curve of the key.",
        "A point on the same curve as the key.",
    ),
    _row(
        "under-way",
        r"\bunder way\b|\bmid-flight\b|\bon (?:the|its|their) way" + _END,
        "an idiom: say that it has started and not ended",
        "A fetch under way serves both.",
        "Both callers wait for the same fetch.",
    ),
    _row(
        "as-it-came",
        r"\bas (?:it|they) (?:came|come|comes|stand|stands|stood)" + _END,
        "an idiom: unchanged",
        "The header as it came.",
        "The unchanged header.",
    ),
)

_MODALS: Final = (
    _row(
        "may-not",
        r"\bmay (?:not|never)\b",
        "means both must not and perhaps not",
        "The redirect_uris may not be empty.",
        "The redirect_uris must not be empty.",
    ),
    _row(
        "need-not",
        r"\bneed (?:not|be)\b",
        "need as a modal verb is old: does not have to",
        "The key need not be here.",
        "The key can be elsewhere.",
    ),
    _row(
        "has-to-be",
        r"\b(?:has|have|had|having) to be\b",
        "a long form of must be, which the specifications use",
        "The nonce has to be sent.",
        "The client must send the nonce.",
    ),
    _row(
        "is-to",
        r"\b(?:is|are|was|were) (?:still )?to (?:be )?(?!the\b|a\b|an\b|it\b|them\b)[a-z]+",
        "be with an infinitive can mean must, will or can",
        "The key that is to be used.",
        "The key that the client uses.",
    ),
)

_NEGATIONS: Final = (
    _row(
        "is-no",
        r"\b(?<!here )(?:is|are|was|were) no (?!longer\b|more\b|other\b)\w+",
        "a noun is negated instead of the verb: is not a",
        "The hint is no ID token.",
        "The hint is not an ID token.",
    ),
    _row(
        "none",
        r"(?<![=\"])(?<!method )\bnone\b(?! of\b)|(?:\A|[.!?] )None\b(?! of\b)",
        "a pronoun: the reader has to search for the noun that is missing",
        "Return the key, or why there is none.",
        "Return the key, or why there is no key.",
    ),
    _row(
        "nothing-of",
        r"(?i)\bnothing of\b",
        "a partitive that most languages do not have",
        "The caller knows nothing of this.",
        "The caller does not know this.",
    ),
    _row(
        "nobody-is",
        r"(?i)\b(?:nothing|nobody)(?: else)? (?:is|are|was|were|has been) \w+",
        "the negation is in the subject and the acting part is missing: say who does not do what",
        "Nobody is named as the user.",
        "The token does not name a user.",
    ),
    _row(
        "not-one",
        r"\bnot an? (?:octet|word|byte)\b|\bnot one (?!of\b)",
        "a stressed negation: no, not any",
        "The peer sent not an octet.",
        "The peer sent no octet.",
    ),
    _row(
        "nothing-but",
        r"(?i)\b(?:nothing|none|nobody|any \w+|all) but\b",
        "an exception in place of only",
        "It needs nothing but the core.",
        "It needs only the core.",
    ),
    _row(
        "but-for",
        r"\b(?:but|save|safe) for\b|\bbut (?:once|one|a few)\b|\bnot but\b",
        "but in its old sense of except or only",
        "A member may be there but once.",
        "A member must not be there twice.",
    ),
)

_CLAUSES: Final = (
    _row(
        "what-subject",
        r"\AWhat\b(?!.*\?)",
        "a clause without a noun begins the sentence: name the thing, then say something about it",
        "What is expired is removed.",
        "The store removes expired records.",
    ),
    _row(
        "what-object",
        r"\b(?:of|for|with|to|in|by|on|from|as|than|about|but|except|into|against|after|at|beyond"
        r"|among|over|under|before|without) what\b(?! time\b)(?!.*\?)"
        r"|\bwhat (?:nothing|nobody|no|came)\b",
        "a relative clause without its noun: name the noun",
        "The members of what was signed.",
        "The members of the signed object.",
    ),
    _row(
        "what-stranded",
        r"\bwhat\b[^.;:,]* (?:with|for|on|of|to|by|at|from|about|in|under|into)" + _END,
        "the preposition is far away from its noun, at the end",
        "Return what the login is refused with.",
        "Return the code of the refusal.",
    ),
    _row(
        "all-that",
        r"(?i)\ball (?:that (?:is|was|are|has|have|a|the|this|it|they|can|may|we|you)"
        r"|there (?:is|are)|it has|they have)\b",
        "a relative clause on a bare all: everything that, or every with a noun",
        "All that is derived here is derived once.",
        "Each value here is derived once.",
    ),
    _row(
        "that-which",
        r"(?i)\bthat which\b|\bthose who\b|\bit is (?:they|he|we) who\b",
        "a formal or stressed relative: name the person or the thing",
        "The call is for those who drive the steps.",
        "The call is for an application that drives the steps.",
    ),
    _row(
        "that-of",
        r"\b(?:as|is|than|are|not) (?:that|those) of\b|\bthe same of\b",
        "a pronoun in place of a noun: repeat the noun",
        "The key is that of the client.",
        "The key is the key of the client.",
    ),
    _row(
        "of-its-own",
        r"\bof (?:its|their|our|your|his|one's|my) own(?: (?:that|which|for|so|and|or|in|to|as"
        r"|has|have|had|is|are|was|where|by|with|without|needs|behind|under|here|between|on|since|may|must"
        r"|does|instead|can|makes|at|when|too|raises)\b|(?! [a-z]))",
        "an old possessive behind its noun: its own, or a separate",
        "Each login has a cookie of its own.",
        "Each login has its own cookie.",
    ),
    _row(
        "such",
        r"\b[Ss]uch an?\b|(?:\A|[;:] )[Ss]uch (?!as\b)\w+",
        "points back without saying to what: this, or the noun",
        "Refuse such a token.",
        "Refuse this token.",
    ),
    _row(
        "else",
        r"(?:\A|[,;:] |\bor )[Ee]lse\b",
        "else at the start of a clause: otherwise, or a sentence with if",
        "Keep the key, else the login fails.",
        "Keep the key; otherwise the login fails.",
    ),
    _row(
        "for-because",
        r", for (?:it|they|we|he|she|nothing|nobody|there|without)\b",
        "for in its old sense of because",
        "Keep the set, for it may help later.",
        "Keep the set, because it may help later.",
    ),
    _row(
        "inverted",
        r"\b[Nn]or (?:do|does|is|are|may|can|must|has|was|were|did|will|would)\b"
        r"|(?:\A|[;,] )(?:Should|Were|Had|were|had) (?:the|a|an|it|they|this|that)\b(?!.*\?)"
        r"|\b[Ss]o (?:is|are|does|do|did|has|have|can|must|may|was|were) (?!far\b)[a-z]"
        r"|\b[Nn]o sooner\b",
        "the verb comes before its subject, as in a question",
        "Nor does the client read it.",
        "The client does not read it either.",
    ),
    _row(
        "if-it-does",
        r"\bif (?:it|they|there|he|one) (?:does|do|did|is|are|was|has|have|were)"
        + _END
        + r"|\bif need be\b|\bbe it\b|\bwhether [^.]* or no\b",
        "the verb of the condition is missing: repeat it",
        "The fault of the provider, if it does.",
        "The fault of the provider, or CODE.",
    ),
    _row(
        "than-is",
        r"\b(?:as|than) (?:is|are|was|were) (?!a |an |the |it |they )\w+|\banother \w+ than\b",
        "the subject of the comparison is missing",
        "The list is longer than was meant.",
        "The list is longer than the caller meant.",
    ),
    _row(
        "as-code",
        r"(?:\A|[;,] )as (?:for )?(?::\w+:)?CODE[.]?\Z",
        "an elliptic clause: like, with a verb",
        "Discover the provider; as CODE.",
        "Discover the provider, like CODE does.",
    ),
    _row(
        "see-word",
        r"\bsee [a-z_]+\Z",
        "names no place: say what the reader finds there",
        "the provider refused; see error",
        "the provider refused: CODE says why",
    ),
)

PATTERNS: Final = (*_WORDS, *_IDIOMS, *_MODALS, *_NEGATIONS, *_CLAUSES)


def found(text: str) -> list[str]:
    """Return the names of the patterns that a sentence matches."""
    return [row.name for row in PATTERNS if row.regex.search(text)]
