"""What a producer is told about a message that breaks the contract. Pure."""


class InvalidMessageError(Exception):
    """The body is not a queue message.

    The text is one sentence for the producer: the place, the field, what is wrong, what is allowed. The text quotes no
    contact number, no flow variable and no other value, except a valid `client-identifier`.
    """

    def __init__(self, problem: str, *places: str) -> None:
        self._problem = problem
        self._places = places
        sentence = f"In {', '.join(places)}: {problem}" if places else problem[0].upper() + problem[1:]
        super().__init__(sentence if sentence.endswith("?") else f"{sentence}.")

    def within(self, place: str) -> "InvalidMessageError":
        """The same problem, told with the larger place around it: "call 3", "the SNS notification"."""
        return InvalidMessageError(self._problem, place, *self._places)


def kind_of(value: object) -> str:
    """What a JSON value is, in words: "a number", "a list"."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
    return "an object"
