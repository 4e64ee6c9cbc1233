"""The template after the SAM transform, as CloudFormation gets it."""

import json
import subprocess
from pathlib import Path

from local.stack.paths import ENVIRONMENTS
from tests.infrastructure.expansion import REGION, expand


def test_expanded_template_passes_the_linter(tmp_path: Path) -> None:
    template = tmp_path / "expanded.json"
    template.write_text(json.dumps(expand()))
    linter = [str(ENVIRONMENTS / "sam/bin/cfn-lint"), "--template", str(template), "--regions", REGION]
    linted = subprocess.run(linter, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert (linted.returncode, linted.stdout) == (0, "")


def test_expanded_template_has_no_serverless_resources() -> None:
    assert not [r for r in expand()["Resources"].values() if r["Type"].startswith("AWS::Serverless::")]
