"""A dict that holds no more than it may."""

from sealed_relay.bounded import BoundedDict


def test_dict_forgets_what_was_set_first() -> None:
    kept: BoundedDict[str, int] = BoundedDict(2)
    for number, key in enumerate("abac"):
        kept[key] = number

    assert kept == {"a": 2, "c": 3}


def test_100_000_keys_leave_the_stated_maximum() -> None:
    kept: BoundedDict[str, int] = BoundedDict(1000)
    for number in range(100_000):
        kept[f"{number:08}"] = number

    assert len(kept) == 1000
    assert list(kept.values()) == list(range(99_000, 100_000))
