import sys

import pytest

from local.install import check_python
from local.stack.errors import StackError


def test_python_with_venv_is_enough() -> None:
    check_python()


def test_python_without_ensurepip_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(StackError, match=r"no module `ensurepip`: .* `apt-get install python3-venv`"):
        check_python()
