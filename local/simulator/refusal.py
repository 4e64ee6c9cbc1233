"""How a check says no."""

from sealed_relay.kairos.codes import CODES, Code

CODE_NAMED = {code.name: code for code in CODES.values()}


class RefusedError(Exception):
    """The API refuses the whole request with `code`; `contact_number` is the one at fault, where there is one."""

    def __init__(self, code: Code, contact_number: str | None = None) -> None:
        super().__init__(code.name)
        self.code = code
        self.contact_number = contact_number


def refused(code_name: str, contact_number: str | None = None) -> RefusedError:
    """Make the refusal for a code of the product's table, by its name there."""
    return RefusedError(CODE_NAMED[code_name], contact_number)
