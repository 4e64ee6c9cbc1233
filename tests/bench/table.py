"""The bench's one table, in Markdown that reads well on a terminal too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MEGABYTE = 1024 * 1024
HEADER = ("figure", "ours", "peer or floor", "ratio", "goal", "met")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its peer or floor. `ratio` is ours to that; `met` is None where there is no goal."""

    figure: str
    ours: str
    beside: str = ""
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        ratio = "" if self.ratio is None else _three_digits(self.ratio)
        met = {None: "", True: "yes", False: "no"}[self.met]
        return (self.figure, self.ours, self.beside, ratio, self.goal, met)


def compared(
    figure: str, ours: float, other: float, name: str, spelled: Callable[[float], str], *, most: float | None = None
) -> Row:
    """A figure beside its peer's or floor's, both in the same unit; `most` is the goal for their ratio."""
    goal = "" if most is None else f"at most {most:g}"
    met = None if most is None else ours <= most * other
    return Row(figure, spelled(ours), f"{spelled(other)} {name}", ours / other, goal, met)


def markdown(rows: Sequence[Row]) -> str:
    """The table, its columns as wide as their widest cell."""
    lines = [HEADER, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = tuple("-" * width for width in widths)
    return "".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |\n"
        for line in (lines[0], rule, *lines[1:])
    )


def in_milliseconds(seconds: float) -> str:
    """To a hundredth."""
    return f"{seconds * 1000:.2f} ms"


def in_seconds(seconds: float) -> str:
    """To a thousandth."""
    return f"{seconds:.3f} s"


def in_megabytes(size_bytes: float) -> str:
    """Whole ones."""
    return f"{size_bytes / MEGABYTE:.0f} MB"


def _three_digits(ratio: float) -> str:
    digits = next((digits for digits, least in ((0, 100), (1, 10), (2, 1)) if ratio >= least), 3)
    return f"{ratio:.{digits}f}"
