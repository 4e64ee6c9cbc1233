"""Probes: what goes out while a flow or the account is paused, and what comes of it."""

from datetime import timedelta

from local.simulator.faults import CodeAnswer, NoFault
from sealed_relay.calls.message import Lane
from sealed_relay.dependencies import Limits
from sealed_relay.observability.events import Paused, Resumed
from tests.support.scene import Scene

EMPTY = CodeAnswer(code=212)


def test_empty_account_pauses_every_flow_and_probes_at_growing_intervals() -> None:
    scene = Scene()
    scene.plan(EMPTY, requests=None)
    for index in range(40):
        scene.send(f"a{index}", flow_id="FLOWAAAA")
        scene.send(f"b{index}", flow_id="FLOWBBBB")
    began = scene.clock()
    scene.invoke()
    sent = len(scene.gateway.sent_at)

    scene.run_for(3600)

    probes = [time.timestamp() - began for time in scene.gateway.sent_at[sent:]]
    gaps = [later - earlier for earlier, later in zip([0.0, *probes], probes, strict=False)]
    assert sent <= 2
    assert 5 < len(probes) < 16
    assert gaps[0] >= 15
    assert min(gaps[1:]) >= 45
    assert min(gaps[5:]) >= 300


def test_first_accepted_probe_resumes_for_all() -> None:
    scene = Scene()
    scene.plan(EMPTY, requests=None)
    for index in range(30):
        scene.send(f"call-{index}")
        scene.invoke()
    scene.simulator.faults.clear()

    scene.run_for(1800)

    assert scene.statuses() == {"ACCEPTED": 30}
    [paused] = [each for each in scene.observed if isinstance(each, Paused)]
    [resumed] = [each for each in scene.observed if isinstance(each, Resumed)]
    assert (paused.flow_id, paused.code, resumed.reason) == ("", 212, "INSUFFICIENT_BALANCE")


def test_probe_that_dies_with_its_invocation_is_followed_by_another() -> None:
    scene = Scene()
    scene.plan(EMPTY, requests=2)
    scene.send("a")
    scene.invoke()
    scene.clock.now += 20
    dependencies = scene.dependencies()
    dependencies.admission.look(["FLOWAAAA"])
    dependencies.admission.pass_pauses("FLOWAAAA", Lane.INGRESS, is_resend=False)  # and nothing is sent

    scene.run_for(3600)

    assert scene.statuses() == {"ACCEPTED": 1}


def test_probe_refused_for_one_bad_call_still_resumes_the_account() -> None:
    scene = Scene()
    scene.plan(EMPTY)
    scene.send("bad", contact_numbers=["910000000213"])
    for index in range(7):
        scene.send(f"good-{index}")
    scene.invoke()

    scene.run_for(3600)

    assert scene.statuses() == {"ACCEPTED": 7, "REJECTED": 1}


def test_message_whose_first_calls_are_delivered_probes_with_the_others() -> None:
    scene = Scene(Limits(max_calls=1, max_body_bytes=262_144, give_up_after=timedelta(hours=24)))
    scene.plan(NoFault())
    scene.plan(EMPTY, requests=None)
    scene.send("long-name-1", "b", "c")
    scene.invoke()
    assert scene.statuses() == {"ACCEPTED": 1, "WAITING": 2}
    scene.simulator.faults.clear()

    scene.run_for(1800)

    assert scene.statuses() == {"ACCEPTED": 3}


def test_expired_call_does_not_take_the_place_of_the_probe() -> None:
    scene = Scene()
    scene.plan(EMPTY)
    scene.send("a")
    scene.invoke()
    scene.clock.now += 20
    scene.send("late", not_after="2026-11-23T00:00:00Z")
    scene.send("healthy")

    scene.invoke()

    assert scene.record("healthy")["status"] == "ACCEPTED"
    assert scene.record("late")["status"] == "EXPIRED"
