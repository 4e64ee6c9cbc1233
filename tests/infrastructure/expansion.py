"""The template as CloudFormation sees it: after the SAM transform, and with a deployment's parameters filled in."""

import copy
import re
from functools import cache
from typing import Any
from unittest.mock import patch

from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

from tests.infrastructure.cloudformation import read_template

REGION = "ap-south-1"
_NOTHING = {"Ref": "AWS::NoValue"}


class _NoManagedPolicies:
    """SAM asks IAM for its managed policies; the template names none."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def _expanded() -> dict[str, Any]:
    template = read_template()
    # What `sam deploy` puts in place of the folders.
    for function in ("RelayFunction", "OperationsFunction"):
        template["Resources"][function]["Properties"]["CodeUri"] = "s3://bucket/function"
    template["Resources"]["Dependencies"]["Properties"]["ContentUri"] = "s3://bucket/layer"
    with patch.dict("os.environ", {"AWS_DEFAULT_REGION": REGION}):
        expanded: dict[str, Any] = transform(template, {}, _NoManagedPolicies())
    return expanded


def expand() -> dict[str, Any]:
    """The template after the SAM transform."""
    return copy.deepcopy(_expanded())


def deployed_with(**parameters: str) -> dict[str, Any]:
    """The resources and outputs that these parameters make. Conditions and `If`s are decided."""
    template = expand()
    values = {
        name: str(parameter.get("Default", "")) for name, parameter in template["Parameters"].items()
    } | parameters
    decided = _Deciding(template["Conditions"], values)
    return {
        section: {
            name: decided.values_of(item)
            for name, item in template[section].items()
            if "Condition" not in item or decided.holds({"Condition": item["Condition"]})
        }
        for section in ("Resources", "Outputs")
    }


class _Deciding:
    def __init__(self, conditions: dict[str, Any], parameters: dict[str, str]) -> None:
        self._conditions = conditions
        self._parameters = parameters

    def holds(self, condition: dict[str, Any]) -> bool:
        match condition:
            case {"Condition": str(name)}:
                return self.holds(self._conditions[name])
            case {"Fn::Equals": [left, right]}:
                return bool(self.values_of(left) == self.values_of(right))
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::And": inner}:
                return all(self.holds(each) for each in inner)
            case {"Fn::Or": inner}:
                return any(self.holds(each) for each in inner)
        raise ValueError(condition)

    def values_of(self, item: Any) -> Any:  # noqa: ANN401 - any JSON
        match item:
            case {"Fn::If": [condition, yes, no]}:
                decided = self.values_of(yes if self.holds({"Condition": condition}) else no)
            case {"Ref": str(name)}:
                decided = self._parameters.get(name, item)
            case {"Fn::Sub": str(text)}:
                decided = self._substituted(text)
            case {"Fn::Split": [separator, text]}:
                decided = _split(separator, self.values_of(text))
            case {"Fn::Join": [separator, parts]}:
                decided = separator.join(self.values_of(parts))
            case {"Fn::Select": [index, {"Fn::Split": _} as parts]}:
                decided = self.values_of(parts)[int(index)]
            case dict():
                values = {name: self.values_of(value) for name, value in item.items()}
                decided = {name: value for name, value in values.items() if value != _NOTHING}
            case list():
                decided = [value for value in map(self.values_of, item) if value != _NOTHING]
            case _:
                decided = item
        return decided

    def _substituted(self, text: str) -> Any:  # noqa: ANN401 - text, or a Sub with what is left to substitute
        names = "|".join(map(re.escape, self._parameters))
        filled = re.sub(rf"\$\{{({names})\}}", lambda match: self._parameters[match[1]], text)
        return {"Fn::Sub": filled} if "${" in filled else filled


def _split(separator: str, text: Any) -> list[Any]:  # noqa: ANN401 - text, or a Sub with what is left to substitute
    if isinstance(text, str):
        return text.split(separator)
    return [{"Fn::Sub": part} if "${" in part else part for part in text["Fn::Sub"].split(separator)]
