"""What befalls the API, its account and the flows over time."""

from collections.abc import Callable

import msgspec

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage
from tests.campaign.luck import Trouble
from tests.campaign.surroundings import FLOW_IDS, Surroundings

_LOOKS = 40
_LONGEST_OUTAGE_SECONDS = 4 * 3600.0

_OUTAGES: tuple[Fault, ...] = (
    ForeignPage(http_status=503),
    ForeignPage(http_status=429, retry_after_seconds=60),
    ForeignPage(http_status=401),
    ForeignPage(http_status=404),
    DroppedConnection(),
    DroppedConnection(after_accepting=True),
    CodeAnswer(code=500),
    CodeAnswer(code=211),
)


class Weather:
    """Looks at it so many times until the run's storm is over, then lets everything go well."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._rotations = 0
        seconds = around.profile.storm_seconds
        for number in range(_LOOKS):
            around.schedule.after(seconds * number / _LOOKS, self._look)
        around.schedule.after(seconds, self._clear_up)
        if around.profile.is_refused_all_along:
            if around.luck.has(0.5):
                self._set_balance(0)
            else:
                self._mix_up_security_ids()

    def _look(self) -> None:
        luck = self._around.luck
        if luck.strikes(Trouble.OUTAGE):
            self._begin_outage(luck.random.choice(_OUTAGES))
        if luck.strikes(Trouble.EMPTY_ACCOUNT):
            self._set_balance(0)
            self._later(lambda: self._set_balance(None))
        if luck.strikes(Trouble.SECURITY_ID_ROTATED):
            self._rotate(security_id="".join(luck.random.choices("0123456789", k=64)))
        if luck.strikes(Trouble.KEY_ROTATED):
            self._rotate(security_id=None)

    def _begin_outage(self, fault: Fault) -> None:
        self._around.tell("*** an outage begins: {}", fault)
        self._around.outage = fault
        self._later(self._end_outage)

    def _end_outage(self) -> None:
        self._around.tell("*** no outage")
        self._around.outage = None

    def _set_balance(self, calls: int | None) -> None:
        self._around.tell("*** the account can pay for {} calls", "all" if calls is None else calls)
        simulator = self._around.simulator
        simulator.settings = msgspec.structs.replace(simulator.settings, balance_calls=calls)

    def _rotate(self, security_id: str | None) -> None:
        """Give a flow another security id, or None for another key; the API and the secret learn of it in any order.

        Each learns of what is so by then: of two rotations at a time the later one holds in the end.
        """
        around, luck = self._around, self._around.luck
        self._rotations += 1
        flow_id = luck.random.choice(FLOW_IDS)
        known_as, key_name = around.identities[flow_id]
        around.identities[flow_id] = (
            (security_id, key_name) if security_id else (known_as, f"{flow_id} {self._rotations}")
        )

        def at_the_api() -> None:
            around.tell("*** {} rotated at the API", flow_id)
            around.register(flow_id)

        def in_the_secret() -> None:
            around.tell("*** {} rotated in its secret", flow_id)
            around.keep_secret(flow_id)

        first, second = luck.random.sample((at_the_api, in_the_secret), 2)
        first()
        around.schedule.after(luck.random.uniform(0.0, 600.0), second)

    def _mix_up_security_ids(self) -> None:
        """Give each flow another security id at the API, and in its secret once the storm is over."""
        for flow_id in FLOW_IDS:
            self._around.identities[flow_id] = (f"{self._around.luck.random.getrandbits(200):064}", flow_id)
            self._around.register(flow_id)

    def _later(self, end: Callable[[], None]) -> None:
        random = self._around.luck.random
        self._around.schedule.after(random.choice((60.0, 600.0, _LONGEST_OUTAGE_SECONDS)) * random.random(), end)

    def _clear_up(self) -> None:
        self._around.tell("*** the storm is over")
        self._around.luck.calm_down()
        self._end_outage()
        self._set_balance(None)
        for flow_id in FLOW_IDS:
            self._around.keep_secret(flow_id)
