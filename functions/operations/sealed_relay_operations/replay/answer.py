"""What a run tells the operator: counts of entries, by reason and in total."""

from msgspec import Struct, field

from sealed_relay_operations.replay.entry import Entry
from sealed_relay_operations.replay.selection import Choice
from sealed_relay_operations.request import Replay


class Counts(Struct):
    """Numbers of entries. Each entry seen is either moved or left.

    `chosen` entries are moved unless it is a dry run. `withheld`, `delivered`, `identifier_reused` and
    `too_young` say why entries that fit the request were not chosen; `selection.Choice` explains each.
    """

    seen: int = 0
    chosen: int = 0
    withheld: int = 0
    delivered: int = 0
    identifier_reused: int = 0
    too_young: int = 0
    moved: int = 0
    left: int = 0

    def see(self, choice: Choice) -> None:
        """Count an entry that was received, and what the run does with it."""
        self.seen += 1
        self.left += 1
        self.chosen += choice is Choice.MOVE
        self.withheld += choice is Choice.UNRESOLVED
        self.delivered += choice is Choice.DELIVERED
        self.identifier_reused += choice is Choice.IDENTIFIER_REUSED
        self.too_young += choice is Choice.TOO_YOUNG

    def move(self) -> None:
        """Count an entry that its queue has taken."""
        self.moved += 1
        self.left -= 1


class Answer(Struct):
    """`complete` says that the run saw all entries that were visible. If it is false, invoke the function again.

    Each reason that the request names has counts, even if no entry has this reason.
    `moved_calls` is the number of calls in the moved entries.
    """

    dry_run: bool
    complete: bool = False
    moved_calls: int = 0
    total: Counts = field(default_factory=Counts)
    by_reason: dict[str, Counts] = field(default_factory=dict)

    def see(self, entry: Entry, choice: Choice) -> None:
        """Count an entry that was received, and what the run does with it."""
        for counts in self._counts_of(entry):
            counts.see(choice)

    def move(self, entry: Entry) -> None:
        """Count an entry that its queue has taken."""
        self.moved_calls += len(entry.calls.call_ids)
        for counts in self._counts_of(entry):
            counts.move()

    def _counts_of(self, entry: Entry) -> tuple[Counts, Counts]:
        return self.total, self.by_reason.setdefault(entry.reason, Counts())


def empty_answer(request: Replay) -> Answer:
    """The answer of a run that has seen nothing yet."""
    return Answer(request.dry_run, by_reason={reason: Counts() for reason in sorted(request.reasons or ())})
