"""Shows the progress of a run: a bar on a terminal, otherwise a line every few seconds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Report = Callable[[int, int], None]


@contextmanager
def progress_on(console: Console, clock: Callable[[], float], seconds_between_lines: float = 2.0) -> Iterator[Report]:
    """Give a function that takes the number of calls accounted for, and of all calls."""
    if not console.is_terminal:
        yield _lines_on(console, clock, seconds_between_lines)
        return
    columns = (TextColumn("calls accounted for"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines_on(console: Console, clock: Callable[[], float], seconds_between_lines: float) -> Report:
    last_at, last_done = clock(), -1

    def report(done: int, total: int) -> None:
        nonlocal last_at, last_done
        is_news = done != last_done and (done == total or clock() - last_at >= seconds_between_lines)
        if is_news:
            console.print(f"calls accounted for: {done} of {total}")
            last_at, last_done = clock(), done

    return report
