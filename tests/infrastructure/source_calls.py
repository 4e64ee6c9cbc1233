"""The AWS calls that a function's source makes, read from its syntax."""

import ast
from collections.abc import Iterator
from pathlib import Path

import botocore.session
from botocore import xform_name

from local.stack.fingerprints import RELAY


def aws_calls(function: Path = RELAY) -> set[str]:
    """The AWS operations that the source calls, each as `service:Operation`."""
    nodes = list(_nodes(function))
    services = {service for node in nodes if (service := _client_of(node))}
    operations = {
        xform_name(operation): f"{service}:{operation}"
        for service in services
        for operation in botocore.session.get_session().get_service_model(service).operation_names
    }
    called = {node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}
    return {operations[name] for name in called & operations.keys()}


def partiql_verbs() -> set[str]:
    """The first words of the PartiQL statements."""
    texts = {node.value for node in _nodes(RELAY) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {word for text in texts if (word := text.split(" ")[0]) in {"INSERT", "UPDATE", "DELETE", "SELECT"}}


def _client_of(node: ast.AST) -> str | None:
    """`sqs` of `session.client("sqs", ...)`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="client"), args=[ast.Constant(value=str(service)), *_]):
            return service
    return None


def _nodes(function: Path) -> Iterator[ast.AST]:
    for path in sorted(function.glob("**/*.py")):
        yield from ast.walk(ast.parse(path.read_text()))
