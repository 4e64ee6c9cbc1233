"""What a run tells the operator: counts, by reason and together."""

from msgspec import Struct, field

from sealed_relay_replay.entry import Entry
from sealed_relay_replay.event import Event
from sealed_relay_replay.selection import Choice


class Counts(Struct):
    """Entries. `chosen` are those to be moved, which a dry run does not do; `left` stay in the failure queue."""

    seen: int = 0
    chosen: int = 0
    withheld: int = 0
    delivered: int = 0
    moved: int = 0
    left: int = 0

    def see(self, choice: Choice) -> None:
        """Count an entry that was received, and what is to be done with it."""
        self.seen += 1
        self.left += 1
        self.chosen += choice is Choice.MOVE
        self.withheld += choice is Choice.WITHHOLD
        self.delivered += choice is Choice.LEAVE_DELIVERED

    def move(self) -> None:
        """Count an entry that the ingress queue has taken."""
        self.moved += 1
        self.left -= 1


class Answer(Struct):
    """`complete` is whether all entries were seen that were in sight; otherwise the run was ended, and wants another.

    A reason that was asked for has its counts even where there was none: so a misspelt one is noticed.
    """

    dry_run: bool
    complete: bool = False
    total: Counts = field(default_factory=Counts)
    by_reason: dict[str, Counts] = field(default_factory=dict)

    def see(self, entry: Entry, choice: Choice) -> None:
        """Count an entry that was received, and what is to be done with it."""
        for counts in self._counts_of(entry):
            counts.see(choice)

    def move(self, entry: Entry) -> None:
        """Count an entry that the ingress queue has taken."""
        for counts in self._counts_of(entry):
            counts.move()

    def _counts_of(self, entry: Entry) -> tuple[Counts, Counts]:
        return self.total, self.by_reason.setdefault(entry.reason, Counts())


def empty_answer(event: Event) -> Answer:
    """The answer of a run that has seen nothing yet."""
    return Answer(event.dry_run, by_reason={reason: Counts() for reason in sorted(event.reasons or ())})
