"""What the template's pipe makes of the real stream records of DynamoDB Local.

The filter and the input template are evaluated as AWS documents them. No library for that is well kept, and the pipe
uses little: exact values in the filter, and values in quotes in the template.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from local.schemas import outcome_event
from sealed_relay.calls.outcome import Status
from sealed_relay.ledger.items import text_for_event
from sealed_relay.ports import KEY, Change
from tests.infrastructure.cloudformation import read_template
from tests.support.dynamodb_local import InspectedTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PIPE: dict[str, Any] = read_template()["Resources"]["OutcomePipe"]["Properties"]
[_FILTER] = PIPE["SourceParameters"]["FilterCriteria"]["Filters"]
PATTERN: dict[str, Any] = json.loads(_FILTER["Pattern"])
INPUT_TEMPLATE: str = PIPE["TargetParameters"]["InputTemplate"]

_SCHEMA = Draft202012Validator(outcome_event())


def is_match(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event has each field of the pattern, with one of the values that its list names.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
    """
    for field, wanted in pattern.items():
        if isinstance(wanted, dict):
            found = event.get(field)
            if not isinstance(found, Mapping) or not is_match(wanted, found):
                return False
        elif any(isinstance(value, dict) for value in wanted):
            raise NotImplementedError(f"a comparison other than with exact values: {wanted}")
        elif field not in event or event[field] not in wanted:
            return False
    return True


def fill_in(template: str, event: Mapping[str, Any]) -> str:
    """The template with each `<$.path>` replaced: by nothing where the path is not there, and without any escape.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
    """

    def value_at(match: re.Match[str]) -> str:
        value: Any = event
        for step in match[1].split("."):
            value = value.get(step, "") if isinstance(value, Mapping) else ""
        if not isinstance(value, str):
            raise NotImplementedError(f"a value other than a text: {match[0]}")
        return value

    return re.sub(r"<\$\.([\w.]+)>", value_at, template)


def events_of(records: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The details of the events that the pipe makes of stream records."""
    return [json.loads(fill_in(INPUT_TEMPLATE, record)) for record in records if is_match(PATTERN, record)]


class StreamedTable(InspectedTable):
    """A table whose stream and whose final outcomes are known."""

    def __init__(self, client: "DynamoDBClient", streams: Any) -> None:  # noqa: ANN401 - no types of this client are installed
        super().__init__(client)
        self._streams = streams
        self._reads = 0
        self.final_outcomes: list[tuple[str, str, str]] = []
        """The call id, the status and the time of each write that made a status final, in order."""

    def update(self, changes: Sequence[Change]) -> list[bool]:
        done = super().update(changes)
        self.final_outcomes += [
            (change.key, str(change.attributes["status"]), str(change.attributes["updated_at"]))
            for change, is_done in zip(changes, done, strict=True)
            if is_done and "status" in change.attributes and Status(str(change.attributes["status"])).is_final
        ]
        return done

    def stream_records(self) -> list[dict[str, Any]]:
        """All records of the table's stream so far."""
        # Records come in the order of the writes, so when the last one is there the others are.
        self._reads += 1
        last = f"#last/{self._reads}"
        self.insert([{KEY: last}])
        [stream] = self._streams.list_streams(TableName=self._table_name)["Streams"]
        described = self._streams.describe_stream(StreamArn=stream["StreamArn"])
        [shard] = described["StreamDescription"]["Shards"]
        iterator = self._streams.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records: list[dict[str, Any]] = []
        while not records or records[-1]["dynamodb"]["Keys"][KEY]["S"] != last:
            page = self._streams.get_records(ShardIterator=iterator)
            records += page["Records"]
            iterator = page["NextShardIterator"]
        return records


def check_events(table: StreamedTable) -> list[dict[str, str]]:
    """Assert that the pipe makes one valid event of each final outcome, and nothing else; the events."""
    events = events_of(table.stream_records())
    for event in events:
        _SCHEMA.validate(event)
    told = [(event["flow-id"], event["client-identifier"], event["status"], event["updated-at"]) for event in events]
    written = [
        (*map(text_for_event, call_id.split("/", 1)), status, updated_at)
        for call_id, status, updated_at in table.final_outcomes
    ]
    assert sorted(told) == sorted(written)
    return events
