from tests.bench.table import Row, compared, in_megabytes, in_milliseconds, in_seconds, markdown


def test_figure_within_its_goal_meets_it() -> None:
    row = compared("CPU per call", 0.0002, 0.002, "canonical", in_milliseconds, most=0.1)
    assert row.cells() == ("CPU per call", "0.20 ms", "2.00 ms canonical", "0.100", "at most 0.1", "yes")


def test_figure_beyond_its_goal_misses_it() -> None:
    row = compared("ten messages", 0.3, 0.2, "one round trip", in_seconds, most=1.3)
    assert row.cells() == ("ten messages", "0.300 s", "0.200 s one round trip", "1.50", "at most 1.3", "no")


def test_figure_without_a_goal_is_neither_met_nor_missed() -> None:
    assert compared("memory", 2.0**27, 2.0**20, "peer", in_megabytes).cells()[1:] == (
        *("128 MB", "1 MB peer", "128"),
        *("", ""),
    )


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert markdown([Row("a", "1"), Row("a long figure", "12345", met=True)]) == (
        "| figure        | ours  | peer or floor | ratio | goal | met |\n"
        "| ------------- | ----- | ------------- | ----- | ---- | --- |\n"
        "| a             | 1     |               |       |      |     |\n"
        "| a long figure | 12345 |               |       |      | yes |\n"
    )
