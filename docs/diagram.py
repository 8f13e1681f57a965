"""Draw the life of an action, `reference/life.svg`, from the table `TRANSITIONS`.

Statuses with the same row in the table share a box. Which arrows there are, and what they say,
comes from the table; only the places of boxes and arrows are written down here, so that an
arrow without a place is an error.
"""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from listboss.delivery import TRANSITIONS, Status

__all__ = ["FILE", "life_of_an_action"]

FILE = Path(__file__).parent / "reference" / "life.svg"
WIDTH, HEIGHT = 1000, 500
ROW = 36
"""The height that a status takes in its box."""

Group = tuple[Status, ...]
Point = tuple[int, int]

BOXES: Mapping[Status, tuple[int, int, str]] = {
    Status.PLANNED: (60, 150, "not sent"),
    Status.SENDING: (410, 168, "being sent"),
    Status.APPLIED: (790, 50, "over"),
    Status.REFUSED: (790, 310, "needs the host"),
    Status.SUPERSEDED: (60, 390, "not needed"),
}
"""The upper left corner and the title of each box, by its first status."""

ARROWS: Mapping[tuple[Status, Status], tuple[tuple[Point, ...], Point]] = {
    (Status.PLANNED, Status.PLANNED): (((60, 172), (34, 172), (34, 202), (60, 202)), (6, 125)),
    (Status.PLANNED, Status.SENDING): (((200, 178), (410, 178)), (290, 171)),
    (Status.SENDING, Status.PLANNED): (((410, 196), (200, 196)), (250, 213)),
    (Status.PLANNED, Status.APPLIED): (((150, 150), (150, 80), (790, 80)), (360, 56)),
    (Status.PLANNED, Status.SUPERSEDED): (((185, 222), (185, 390)), (192, 340)),
    (Status.SENDING, Status.APPLIED): (((550, 178), (790, 140)), (562, 106)),
    (Status.SENDING, Status.REFUSED): (((550, 200), (790, 316)), (650, 210)),
    (Status.SUPERSEDED, Status.PLANNED): (((165, 390), (165, 222)), (26, 300)),
    (Status.SUPERSEDED, Status.APPLIED): (
        ((130, 426), (130, 480), (970, 480), (970, 120), (930, 120)),
        (440, 473),
    ),
    (Status.REFUSED, Status.PLANNED): (((790, 372), (225, 268), (196, 222)), (420, 348)),
    (Status.REFUSED, Status.SUPERSEDED): (((790, 408), (200, 408)), (440, 401)),
    (Status.REFUSED, Status.APPLIED): (((900, 310), (900, 194)), (776, 262)),
}
"""The points of each arrow, from the first status of a box to that of another, and its label."""

STYLE = (
    "text{font:13px sans-serif;fill:#222}.title{fill:#666;font-style:italic}"
    ".box{fill:#fff;stroke:#888}.status{font-weight:bold}"
    ".arrow{fill:none;stroke:#556;marker-end:url(#head)}"
)
HEAD = (
    '<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8"'
    ' orient="auto"><path d="M0 0L8 4L0 8z" fill="#556"/></marker>'
)


def groups() -> list[Group]:
    """Return the statuses that share a row of the table, in the order of the table."""
    found: list[list[Status]] = []
    for status, moves in TRANSITIONS.items():
        equal = [group for group in found if TRANSITIONS[group[0]] == moves]
        if equal:
            equal[0].append(status)
        else:
            found.append([status])
    return [tuple(group) for group in found]


def arrows() -> dict[tuple[Status, Status], list[str]]:
    """Return what leads from one box to another, by the first status of each."""
    first = {status: group[0] for group in groups() for status in group}
    size = {group[0]: len(group) for group in groups()}
    found: dict[tuple[Status, Status], list[str]] = {}
    for group in groups():
        for cause, then in TRANSITIONS[group[0]].items():
            name = cause if isinstance(cause, str) else cause.__name__
            label = name if size[first[then]] == 1 else f"{name} → {then}"
            found.setdefault((group[0], first[then]), []).append(label)
    return found


def _text(at: Point, words: str, kind: str = "") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'<text x="{at[0]}" y="{at[1]}"{shown}>{escape(words)}</text>'


def _box(group: Group) -> Iterable[str]:
    x, y, title = BOXES[group[0]]
    height = ROW * len(group)
    yield f'<rect class="box" x="{x}" y="{y}" width="140" height="{height}" rx="8"/>'
    yield _text((x, y - 6), title, "title")
    for n, status in enumerate(group):
        yield _text((x + 14, y + ROW * n + 23), status, "status")


def _arrow(pair: tuple[Status, Status], labels: list[str]) -> Iterable[str]:
    points, (x, y) = ARROWS[pair]
    path = " ".join(f"{a},{b}" for a, b in points)
    yield f'<polyline class="arrow" points="{path}"/>'
    for n, label in enumerate(labels):
        yield _text((x, y + 16 * n), label)


def life_of_an_action() -> str:
    """Return the diagram."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>The life of an action</title>",
        f"<style>{STYLE}</style><defs>{HEAD}</defs>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fafafa"/>',
    ]
    for group in groups():
        lines += _box(group)
    for pair, labels in arrows().items():
        lines += _arrow(pair, labels)
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    FILE.write_text(life_of_an_action(), "utf-8")
