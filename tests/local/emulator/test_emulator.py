"""The Lambda runtime emulator with small functions of the tests' own."""

import json
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

from local.emulator.emulator import Emulator, EmulatorError, run_emulator
from local.emulator.fetch_function import DeployedFunction

HANDLER = """
import json, os, time

def handle(event, context):
    if "fail" in event:
        raise ValueError(event["fail"])
    time.sleep(event.get("sleep", 0))
    if "exit" in event:
        os._exit(event["exit"])
    print("handling", json.dumps(event))
    return {"event": event, "variables": dict(os.environ), "left": context.get_remaining_time_in_millis()}
"""


def run(folder: Path, source: str = HANDLER, timeout_seconds: int = 20) -> AbstractContextManager[Emulator]:
    task_root = folder / "task"
    task_root.mkdir()
    (task_root / "app.py").write_text(source)
    function = DeployedFunction(
        name="small",
        handler="app.handle",
        timeout_seconds=timeout_seconds,
        memory_mb=128,
        task_root=task_root,
        layers=folder / "opt",
        environment={"GREETING": "namaste ₹"},
    )
    return run_emulator(function, folder)


def answer(emulator: Emulator, event: object) -> dict[str, object]:
    decoded: dict[str, object] = json.loads(emulator.invoke(json.dumps(event).encode()).answer)
    return decoded


def test_function_answers_its_events_one_after_the_other(tmp_path: Path) -> None:
    with run(tmp_path) as emulator:
        events = [{"number": number, "text": "₹ 450 🔔"} for number in range(3)]
        assert [answer(emulator, event)["event"] for event in events] == events


def test_function_gets_its_own_variables_and_none_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "a-real-account")
    with run(tmp_path) as emulator:
        variables = answer(emulator, {})["variables"]
    assert isinstance(variables, dict)
    assert variables["GREETING"] == "namaste ₹"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "small"
    assert not {"AWS_PROFILE", "HOME"} & set(variables)


def test_function_sees_its_remaining_time(tmp_path: Path) -> None:
    with run(tmp_path, timeout_seconds=20) as emulator:
        left = answer(emulator, {})["left"]
    assert isinstance(left, int)
    assert 0 < left <= 20_000


def test_each_invocation_has_its_own_log_lines(tmp_path: Path) -> None:
    with run(tmp_path) as emulator:
        logs = [emulator.invoke(json.dumps({"number": number}).encode()).log for number in range(2)]
    assert [[line for line in log if line.startswith("handling")] for log in logs] == [
        ['handling {"number": 0}'],
        ['handling {"number": 1}'],
    ]


def test_handler_error_is_described_in_the_answer(tmp_path: Path) -> None:
    with run(tmp_path) as emulator:
        described = answer(emulator, {"fail": "no such call"})
    assert (described["errorType"], described["errorMessage"]) == ("ValueError", "no such call")


@pytest.mark.parametrize("event", [{"exit": 3}, {"sleep": 30}], ids=["crash", "overrun"])
def test_function_restarts_after_a_crash_or_a_timeout(tmp_path: Path, event: dict[str, int]) -> None:
    with run(tmp_path, timeout_seconds=1) as emulator:
        with pytest.raises(EmulatorError):
            emulator.invoke(json.dumps(event).encode())
        assert answer(emulator, {"number": 1})["event"] == {"number": 1}


def test_function_that_cannot_be_imported_raises_an_error(tmp_path: Path) -> None:
    with run(tmp_path, source="import nothing_of_that_name") as emulator, pytest.raises(EmulatorError):
        emulator.invoke(b"{}")


def test_emulator_listens_on_loopback_only_and_leaves_no_process(tmp_path: Path) -> None:
    others = children()
    with run(tmp_path) as emulator:
        emulator.invoke(b"{}")
        processes = children() - others
        connections = [each for process in processes for each in process.net_connections(kind="inet")]
        listening = [each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN]
        assert listening == ["127.0.0.1", "127.0.0.1"]
        assert len(processes) == 2  # the emulator, and the function below it
    assert not any(process.is_running() for process in processes)


def children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))
