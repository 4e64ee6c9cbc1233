"""The processes that share a campaign's work."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

_A_PARENT_WITH_WORKERS = """
import os, time
from tests.campaign.workers import start_processes

if __name__ == "__main__":
    with start_processes() as processes:
        print(processes.submit(os.getpid).result(), flush=True)
        processes.submit(time.sleep, 60)
        time.sleep(60)
"""


def test_worker_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_A_PARENT_WITH_WORKERS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    _, alive = psutil.wait_procs([worker], timeout=10)
    assert alive == []
