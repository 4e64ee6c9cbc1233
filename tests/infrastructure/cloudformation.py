"""Reads template.yaml. CloudFormation's short tags become the long form (`!Ref X` is `{"Ref": "X"}`)."""

from typing import Any

import yaml

from local.stack.fingerprints import TEMPLATE


class _Loader(yaml.SafeLoader):
    pass


def _long_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if tag == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    raise TypeError(tag)


_Loader.add_multi_constructor("!", _long_form)


def read_template() -> dict[str, Any]:
    template: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader=_Loader)  # noqa: S506 - made from SafeLoader
    return template
