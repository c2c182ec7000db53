"""Lines on logarithmic axes, as SVG: time against size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 130, 40, 50
COLOURS = {
    "ws13": "#d6336c",
    "wsproto": "#868e96",
    "websockets": "#1971c2",
    "aiohttp": "#2f9e44",
    "picows": "#e8590c",
}
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#444}"
    ".grid{stroke:#8884;stroke-width:1}"
    ".line{fill:none;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}}"
)


def svg(title: str, sizes: Sequence[int], lines: dict[str, list[float]]) -> str:
    """A chart of nanoseconds by bytes, a line for each library."""
    values = [value for line in lines.values() for value in line]
    low, high = (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))))

    def x(size: float) -> float:
        share = math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        share = (math.log10(value) - low) / (high - low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text x="{LEFT}" y="22" font-weight="bold">{escape(title)}</text>',
        f'<text x="{LEFT}" y="{HEIGHT - 10}">bytes of the message</text>',
    ]
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(
            f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{time(power)}</text>'
        )
    for size in sizes:
        at = x(size)
        parts.append(f'<path class="grid" d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        label = f"{size // 1024} Ki" if size >= 1024 else str(size)
        parts.append(
            f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{label}</text>'
        )
    for name, line in lines.items():
        points = " ".join(f"{x(size):.1f},{y(v):.1f}" for size, v in zip(sizes, line, strict=True))
        parts.append(f'<polyline class="line" stroke="{COLOURS[name]}" points="{points}"/>')
    for name, at in apart({name: y(line[-1]) for name, line in lines.items()}).items():
        parts.append(
            f'<text x="{WIDTH - RIGHT + 8}" y="{at + 4:.1f}" style="fill:{COLOURS[name]}">'
            f"{name}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


def time(power: int) -> str:
    """A power of ten nanoseconds."""
    return f"{10 ** (power % 3)} {('ns', 'us', 'ms')[power // 3]}"


def apart(places: dict[str, float]) -> dict[str, float]:
    """The same places, far enough from each other to write a name at each."""
    found: dict[str, float] = {}
    last = -math.inf
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        last = max(place, last + 16)
        found[name] = last
    return found
