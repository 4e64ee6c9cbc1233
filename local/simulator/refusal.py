"""The refusal that a check raises."""

from sealed_relay.kairos.codes import CODES, Code

CODE_BY_NAME = {code.name: code for code in CODES.values()}


class RefusedError(Exception):
    """The API refuses the whole request with `code`. `contact_number` is the number at fault, if there is one."""

    def __init__(self, code: Code, contact_number: str | None = None) -> None:
        super().__init__(code.name)
        self.code = code
        self.contact_number = contact_number


def refused(code_name: str, contact_number: str | None = None) -> RefusedError:
    """Make the refusal for a code, by its name in the product's table."""
    return RefusedError(CODE_BY_NAME[code_name], contact_number)
