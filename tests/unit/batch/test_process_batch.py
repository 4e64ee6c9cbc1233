"""What the messages of one batch do to each other."""

from local.simulator.faults import CodeAnswer
from tests.support.scene import Scene

OTHER_NUMBER = "919900000009"


def test_retry_is_delivered_although_an_older_message_of_its_batch_is_refused() -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(CodeAnswer(code=302))
    scene.invoke()
    too_early = scene.send("a", contact_numbers=[OTHER_NUMBER])
    scene.let_the_retry_margin_pass()
    scene.send("a", contact_numbers=[OTHER_NUMBER])

    scene.run()

    assert scene.accepted() == {"FLOWAAAA/a": 1}
    found = [(failure.source_message_id, failure.reason) for failure in scene.failures.published]
    assert found[1:] == [(too_early, "CLIENT_IDENTIFIER_REUSED")]
