from pathlib import Path

from local.stack.deploy import remove_compiled_modules


def test_compiled_modules_are_removed_and_sources_stay(tmp_path: Path) -> None:
    compiled = tmp_path / "relay/sealed_relay/__pycache__/handler.cpython-313.pyc"
    compiled.parent.mkdir(parents=True)
    compiled.touch()
    source = tmp_path / "relay/sealed_relay/handler.py"
    source.touch()
    remove_compiled_modules(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [source]
