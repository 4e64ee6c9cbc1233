"""The rules of a queue message's fields: one definition, for the relay's check and for the published JSON Schema."""

MESSAGE_FIELDS = ("flow-id", "calls")
CALL_FIELDS = ("client-identifier", "contact-numbers", "start-time", "keys", "not-after")
REQUIRED_CALL_FIELDS = ("client-identifier", "contact-numbers")
FLOW_VARIABLE_FIELDS = ("name", "value")

FLOW_ID_LENGTH = 8
MAX_CLIENT_IDENTIFIER_LENGTH = 128
MIN_DIGITS, MAX_DIGITS = 10, 15
MAX_TIME_LENGTH = 64

# Each pattern means the same to Python and to JSON Schema (ECMA 262), and matches the whole text.
FLOW_ID = "[A-Za-z0-9]{8}"
CONTACT_NUMBER = rf"\+?[0-9]{{{MIN_DIGITS},{MAX_DIGITS}}}"
FLOW_VARIABLE = r"\$flow\.key\.[^\n\r\u2028\u2029]+"

_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_HOUR, _TO_59 = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"


def _date(dash: str) -> str:
    days_of_months = (
        f"(?:01|03|05|07|08|10|12){dash}(?:0[1-9]|[12][0-9]|3[01])|(?:04|06|09|11){dash}(?:0[1-9]|[12][0-9]|30)"
    )
    february = f"02{dash}(?:0[1-9]|1[0-9]|2[0-8])"
    return f"(?:[0-9]{{4}}{dash}(?:{days_of_months}|{february})|{_LEAP_YEAR}{dash}02{dash}29)"


def _time_of_day(colon: str) -> str:
    return f"{_HOUR}(?:{colon}{_TO_59}(?:{colon}{_TO_59}(?:[.,][0-9]+)?)?)?"


YEAR_OUT_OF_RANGE = "0000|0001|9999"
"""Near the ends of the calendar a time has no date in another time zone."""
TIME = (
    f"(?!{YEAR_OUT_OF_RANGE})(?:{_date('-')}|{_date('')})[Tt ](?:{_time_of_day(':')}|{_time_of_day('')})"
    f"(?:Z|[+-]{_HOUR}(?::?{_TO_59})?)"
)
"""ISO 8601 with an offset: the calendar date and the time of day, each with or without separators."""
