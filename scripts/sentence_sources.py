"""The sentences of the repository: of docstrings, comments, error messages and documents.

Code is not prose: code blocks, doctests and tables of values are left out, and text between
backquotes becomes the one word `CODE`.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCES: Final = ("src", "tests", "scripts", "benchmarks", "examples")
DOCUMENTS: Final = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "changelog.d")
DOCUMENTS_BELOW: Final = ("docs", "examples")
GENERATED: Final = "docs/reference/"
"""Made from the docstrings, which are read in the source."""
SKIPPED: Final = frozenset({"node_modules", "__pycache__", "golden"})
SHORTEST: Final = 3
"""Words of a sentence: less is a label."""

CODE: Final = "CODE"
_FENCE: Final = re.compile(r"^\s*(?:```|~~~)")
_INDENTED: Final = re.compile(r"^ {4,}\S.*$", re.MULTILINE)
"""Code of a document, which indents no text as far as this."""
_QUOTED: Final = re.compile(r"``[^`]+``|`[^`]+`")
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_ADDRESS: Final = re.compile(r"\bhttps?://\S+")
_ITEM: Final = re.compile(
    r"^\s*(?:[-*+]|\d+\.)\s+|^\s*>\s?|^\s*#+\s+"
    r"|^\s*(?:Args|Attributes|Raises|Returns|Yields|Note):\s*"
    r"|^\s+\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*:\s+"
)
"""The beginning of a paragraph: an item, a quotation, a heading, a section, an argument."""
_CODE_LINE: Final = re.compile(r"^\s*(?:>>> |\.\.\. |\.venv/|pip |\$ )")
_RESULT: Final = re.compile(r"^\s*(?:>>> |\.\.\. )")
_RULER: Final = re.compile(r"^[\s|:=-]*\Z")
_END: Final = re.compile(r"(?<=[.!?])[*_\"')\]]*\s+(?=[*_\"'(\[]*[A-Z`])")
_MESSAGE: Final = re.compile(r"[A-Za-z_]+(?:[,;:]? \S+){3}")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_NO_END: Final = re.compile(r"\b(?:e\.g|i\.e|cf|etc|vs|RFC|no)\.\Z")
_DIRECTIVE: Final = re.compile(r"^(?:!|-\*-|ruff:|mypy:|pyright:|fmt:|type:|noqa|-{3,})")


class Sentence(NamedTuple):
    """A sentence, with the file and the line where its paragraph begins."""

    path: str
    line: int
    text: str


def sentences(root: Path) -> Iterator[Sentence]:
    """Yield every sentence of the repository at `root`."""
    for folder in SOURCES:
        for path in _files(root, folder):
            if path.suffix == ".py" or _is_script(path):
                text = path.read_text("utf-8")
                yield from _of(
                    path.relative_to(root).as_posix(), _source(text, shown=_is_shown(path))
                )
    for name in (*DOCUMENTS, *DOCUMENTS_BELOW):
        for path in _files(root, name):
            where = path.relative_to(root).as_posix()
            if path.suffix == ".md" and not where.startswith(GENERATED):
                text = _INDENTED.sub("", path.read_text("utf-8"))
                yield from _of(where, paragraphs(text, 1))


def _files(root: Path, name: str) -> list[Path]:
    start = root / name
    found = [start] if start.is_file() else sorted(start.rglob("*"))
    return [path for path in found if path.is_file() and SKIPPED.isdisjoint(path.parts)]


def _is_script(path: Path) -> bool:
    """Tell a script of Python without a suffix by its first line."""
    return not path.suffix and path.open("rb").readline().rstrip().endswith(b"python3")


def _is_shown(path: Path) -> bool:
    """Tell whether the strings of a module are shown to users: those of the package are."""
    return "src" in path.parts


def _of(path: str, found: Iterator[tuple[int, str]]) -> Iterator[Sentence]:
    for line, paragraph in found:
        for text in split(paragraph):
            yield Sentence(path, line, text)


def _source(text: str, *, shown: bool) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs of docstrings and comments, and messages if users see them."""
    tree = ast.parse(text)
    own = {id(text): text for text in _statements(tree)}
    for docstring in own.values():
        yield from paragraphs(str(docstring.value), docstring.lineno)
    yield from _comments(text)
    if shown:
        yield from _messages(tree, set(own))


def _messages(tree: ast.Module, known: set[int]) -> Iterator[tuple[int, str]]:
    """Yield strings that read as sentences, with `CODE` for each part that is filled in."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=parts):
                known |= {id(part) for part in parts}
                text = "".join(
                    str(part.value) if isinstance(part, ast.Constant) else CODE for part in parts
                )
            case ast.Constant(value=str() as text) if id(node) not in known:
                pass
            case _:
                continue
        if _MESSAGE.match(text):
            yield node.lineno, text


def _statements(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield docstrings, also those of attributes: strings that are statements."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as text):
                yield text
            case _:
                pass


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield comments; lines that follow each other are one paragraph."""
    first, last, lines = 0, -1, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        number, column = token.start
        said = token.string[1:].strip()
        own = not token.line[:column].strip()
        if lines and not (own and number == last + 1):
            yield from paragraphs("\n".join(lines), first)
            lines = []
        if _DIRECTIVE.match(said):
            continue
        first, last = (first if lines else number), (number if own else -1)
        lines.append(said)
    if lines:
        yield from paragraphs("\n".join(lines), first)


def paragraphs(text: str, first: int) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs, items and table cells of a text, each with its line."""
    start, held = first, list[str]()
    for number, line in _prose(text, first):
        begins = not line.strip() or line.lstrip().startswith("|") or _ITEM.match(line)
        if begins and held:
            yield start, " ".join(held)
            held = []
        if line.lstrip().startswith("|"):
            yield from ((number, cell) for cell in line.strip().strip("|").split("|"))
        elif line.strip():
            start = start if held else number
            bare = _ITEM.sub("", line).strip()
            held += [bare] if bare else []
    if held:
        yield start, " ".join(held)


def _prose(text: str, first: int) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers; a line of code is an empty line."""
    fenced, block, before = False, -1, ""
    for number, line in enumerate(text.splitlines(), first):
        indent = len(line) - len(line.lstrip())
        if 0 <= block < indent or (block >= 0 and not line.strip()):
            yield number, ""
            continue
        block = indent if line.rstrip().endswith("::") else -1
        marks = bool(_FENCE.match(line))
        fenced = fenced != marks
        hidden = fenced or marks or _RULER.match(line) or _CODE_LINE.match(line)
        yield number, "" if hidden or _RESULT.match(before) else line
        before = line if _CODE_LINE.match(line) else ""


def split(paragraph: str) -> Iterator[str]:
    """Yield the sentences of a paragraph, without its code, addresses and links."""
    plain = _ADDRESS.sub(CODE, _QUOTED.sub(CODE, _LINK.sub(r"\1", paragraph)))
    held = ""
    for part in _END.split(plain):
        held = f"{held} {part}".strip()
        if _NO_END.search(held):
            continue
        if len(_WORD.findall(held)) >= SHORTEST:
            yield held
        held = ""
    if len(_WORD.findall(held)) >= SHORTEST:
        yield held
