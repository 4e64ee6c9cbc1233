"""Queue messages of one call each, as producers write them: no white space, two flow variables, a size of choice."""

import random
from collections.abc import Iterator


def one_call_bodies(
    count: int, size_bytes: int, spread_bytes: int = 0, *, flow_id: str = "FLOWAAAA", seed: int = 0
) -> Iterator[str]:
    """So many bodies of `size_bytes`, give or take up to `spread_bytes`: names and products differ in length.

    The API's payload of such a call is ten bytes longer: it has a start time, and no message around it.
    """
    draw = random.Random(seed)
    for number in range(count):
        yield _body(number, size_bytes + draw.randint(-spread_bytes, spread_bytes), flow_id)


def _body(number: int, size_bytes: int, flow_id: str) -> str:
    # Put together by hand: a figure over simulated minutes takes half a million of them.
    start = (
        f'{{"flow-id":"{flow_id}","calls":[{{"client-identifier":"order-{number:09}",'
        # No subscriber's number in India starts with 0.
        f'"contact-numbers":["+910{5 * 10**8 + number % 10**8}"],'
        '"keys":[{"name":"$flow.key.amount","value":"4500"},{"name":"$flow.key.product","value":"'
    )
    end = '"}]}]}'
    return f"{start}{'x' * max(1, size_bytes - len(start) - len(end))}{end}"
