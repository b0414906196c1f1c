"""One bar chart, drawn by hand: validation over the floor, a group of bars for each algorithm."""

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

from benchmarks.peers import OURS, Ratios

_LEFT: Final = 150
_SCALE: Final = 100
_BAR: Final = 16
_GAP: Final = 14
_STYLE: Final = "font-family='sans-serif' font-size='12' fill='#1c2733'"
_OUR_COLOUR: Final = "#2563a8"
_THEIR_COLOUR: Final = "#b4bcc6"


def picture(ratios: Ratios, versions: str) -> str:
    """Return the chart as SVG; bars beyond the width end there and still tell their number."""
    parts: list[str] = []
    top = 50
    for alg, bars in ratios.items():
        parts.append(_text(12, top + _BAR - 4, alg, "font-weight='bold'"))
        parts += _group(bars, top)
        top += len(bars) * _BAR + _GAP
    axis = f"<path d='M{_LEFT + _SCALE} 40V{top - _GAP}' stroke='#c0392b' stroke-dasharray='3 3'/>"
    title = (
        "Validating an ID token: CPU time, in multiples of decoding, parsing and the bare signature"
    )
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' width='860' height='{top + 20}' {_STYLE}>",
            "<rect width='100%' height='100%' fill='#ffffff'/>",
            _text(12, 24, title, "font-size='14' font-weight='bold'"),
            *parts,
            axis,
            _text(12, top + 8, versions, "font-size='10'"),
            "</svg>\n",
        ]
    )


def _group(bars: Mapping[str, float], top: int) -> list[str]:
    drawn: list[str] = []
    for at, (name, ratio) in enumerate(bars.items()):
        y = top + at * _BAR
        width = min(ratio, 6.2) * _SCALE
        colour = _OUR_COLOUR if name == OURS else _THEIR_COLOUR
        drawn += [
            _text(_LEFT - 6, y + _BAR - 4, name, "text-anchor='end'"),
            f"<rect x='{_LEFT}' y='{y + 1}' width='{width:.1f}' height='13' fill='{colour}'/>",
            _text(round(_LEFT + width + 5), y + _BAR - 4, f"{ratio:.2f}"),
        ]
    return drawn


def _text(x: int, y: int, text: str, style: str = "") -> str:
    return f"<text x='{x}' y='{y}' {style}>{escape(text)}</text>"
