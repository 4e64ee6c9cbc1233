"""Reads the address of another gateway from a command line, by the rule of the parameter `GatewayBaseUrl`."""

import argparse
import re

import yaml

from local.stack.fingerprints import TEMPLATE


def gateway_base_url(text: str) -> str | None:
    """Return the address; None for an empty text. Raise ArgumentTypeError if the template would refuse it."""
    if not text:
        return None
    # The base loader reads no types and no tags, so CloudFormation's own tags are no trouble.
    template = yaml.load(TEMPLATE.read_text(), Loader=yaml.BaseLoader)  # noqa: S506
    rule = template["Parameters"]["GatewayBaseUrl"]
    if not re.fullmatch(rule["AllowedPattern"], text):
        raise argparse.ArgumentTypeError(f"{text!r} {rule['ConstraintDescription']}")
    return text
