"""The project's pages: their links, anchors, commands and tables, read from Markdown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE_SPAN = re.compile(r"``.+?``|`[^`\n]+`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path inside the repository."""
        return self.path.relative_to(REPOSITORY).as_posix()

    @property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text()

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return _FENCE.sub("", self.text)

    @property
    def headings(self) -> list[str]:
        """The text of each heading, of any level."""
        return _HEADING.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """What a link to a heading of this page can name, by GitHub's rule."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in self.headings}

    @property
    def code(self) -> str:
        """All code blocks and code spans."""
        return "\n".join([*_FENCE.findall(self.text), *_CODE_SPAN.findall(self.prose)])

    def relative_links(self) -> Iterator[tuple[Path, str]]:
        """The file and the anchor ("" for none) that each link into the project names."""
        for target in _LINK.findall(_CODE_SPAN.sub("", self.prose)):
            if "://" not in target:
                file, _, anchor = target.partition("#")
                yield (self.path.parent / file if file else self.path), anchor

    def rows(self, header: str) -> list[list[str]]:
        """The cells of the first table whose header begins with `header`. Raises ValueError if there is none."""
        lines = self.text[self.text.index(header) :].splitlines()
        body = lines[2 : next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))]
        return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in body]

    def between(self, marker: str) -> str:
        """What stands between `<!-- marker -->` and `<!-- end -->`. Raises ValueError if the markers are not there."""
        start = self.text.index(f"<!-- {marker} -->")
        return self.text[start : self.text.index("<!-- end -->", start)]


def page(name: str) -> Page:
    """One page, by its path inside the repository."""
    return Page(REPOSITORY / name)


def all_pages() -> list[Page]:
    """README, CONTRIBUTING and everything under docs/."""
    return [page("README.md"), page("CONTRIBUTING.md"), *map(Page, sorted(DOCS.rglob("*.md")))]
