"""Outages of the API, empty accounts, rotations of security ids and keys, and changes of calling hours."""

from collections.abc import Callable

import msgspec

from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage
from tests.campaign.fault_chance import FaultKind
from tests.campaign.hours import draw_hours
from tests.campaign.services import FLOW_IDS, Services

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
    CodeAnswer(code=999),
)


class OutagesAndRotations:
    """Starts outages and rotations at random times until the run's `fault_seconds` are over, then ends all of them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rotations = 0
        seconds = services.profile.fault_seconds
        for number in range(_LOOKS):
            services.schedule.after(seconds * number / _LOOKS, self._look)
        services.schedule.after(seconds, self._end_faults)
        if services.profile.is_refused_all_along:
            if services.chance.happens(0.5):
                self._set_balance(0)
            else:
                self._mix_up_security_ids()

    def _look(self) -> None:
        chance = self._services.chance
        if chance.occurs(FaultKind.OUTAGE):
            self._begin_outage(chance.random.choice(_OUTAGES))
        if chance.occurs(FaultKind.EMPTY_ACCOUNT):
            self._set_balance(0)
            self._later(lambda: self._set_balance(None))
        if chance.occurs(FaultKind.SECURITY_ID_ROTATED):
            self._rotate(security_id="".join(chance.random.choices("0123456789", k=64)))
        if chance.occurs(FaultKind.KEY_ROTATED):
            self._rotate(security_id=None)
        if chance.occurs(FaultKind.HOURS_CHANGED):
            self._change_hours(chance.random.choice(FLOW_IDS))

    def _begin_outage(self, fault: Fault) -> None:
        self._services.trace("*** an outage begins: {}", fault)
        self._services.outage = fault
        self._later(self._end_outage)

    def _end_outage(self) -> None:
        self._services.trace("*** no outage")
        self._services.outage = None

    def _set_balance(self, calls: int | None) -> None:
        self._services.trace("*** the account can pay for {} calls", "all" if calls is None else calls)
        simulator = self._services.simulator
        simulator.settings = msgspec.structs.replace(simulator.settings, balance_calls=calls)

    def _rotate(self, security_id: str | None) -> None:
        """Give a flow another security id, or another key if None. The API and the secret change in random order.

        Each takes the identity that is valid at that moment: of two rotations at a time the later one wins.
        """
        services, chance = self._services, self._services.chance
        self._rotations += 1
        flow_id = chance.random.choice(FLOW_IDS)
        known_as, key_name = services.identities[flow_id]
        if services.profile.has_hours and chance.happens(0.5):
            services.calling_hours[flow_id] = draw_hours(chance.random, services.schedule.now)
        services.identities[flow_id] = (
            (security_id, key_name) if security_id else (known_as, f"{flow_id} {self._rotations}")
        )

        def at_the_api() -> None:
            services.trace("*** {} rotated at the API", flow_id)
            services.register(flow_id)

        def in_the_secret() -> None:
            services.trace("*** {} rotated in its secret", flow_id)
            services.keep_secret(flow_id)

        first, second = chance.random.sample((at_the_api, in_the_secret), 2)
        first()
        services.schedule.after(chance.random.uniform(0.0, 600.0), second)

    def _change_hours(self, flow_id: str) -> None:
        services = self._services
        services.calling_hours[flow_id] = draw_hours(services.chance.random, services.schedule.now)
        services.trace("*** {} has the calling hours {}", flow_id, services.calling_hours[flow_id] or "none")
        services.keep_secret(flow_id)

    def _mix_up_security_ids(self) -> None:
        """Give each flow another security id at the API, and in its secret once `fault_seconds` are over."""
        for flow_id in FLOW_IDS:
            self._services.identities[flow_id] = (f"{self._services.chance.random.getrandbits(200):064}", flow_id)
            self._services.register(flow_id)

    def _later(self, end: Callable[[], None]) -> None:
        random = self._services.chance.random
        self._services.schedule.after(random.choice((60.0, 600.0, _LONGEST_OUTAGE_SECONDS)) * random.random(), end)

    def _end_faults(self) -> None:
        self._services.trace("*** no more faults")
        self._services.chance.stop_faults()
        self._end_outage()
        self._set_balance(None)
        for flow_id in FLOW_IDS:
            self._services.keep_secret(flow_id)
