"""`docs/guarantee.md` prints the decision tables as they are in the code."""

import pytest

from tests.docs.pages import page
from tests.support.printed_tables import TABLES, markdown_of


@pytest.mark.parametrize("name", TABLES)
def test_table_on_the_page_is_the_one_in_the_code(name: str) -> None:
    # PYTHONPATH=functions/relay python -m tests.support.printed_tables "<name>" prints the text to paste.
    printed = page("docs/guarantee.md").between(name).removeprefix(f"<!-- {name} -->").strip()

    assert printed == markdown_of(TABLES[name])


@pytest.mark.parametrize("name", TABLES)
def test_each_condition_says_in_one_line_what_it_means(name: str) -> None:
    for conditions, _ in TABLES[name]:
        for condition in conditions:
            assert condition.__doc__
            assert "\n" not in condition.__doc__
