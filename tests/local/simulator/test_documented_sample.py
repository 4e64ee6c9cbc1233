"""The form of the documentation's own sample request is understood; its values are made up here."""

from tests.local.simulator.flow_owner import SECURITY_ID
from tests.local.simulator.in_memory_simulator import InMemorySimulator

PAYLOAD = f"""{{
  "api-version": "1.0",
  "security-id": "{SECURITY_ID}",
  "flow-id": "ABCD1234",
  "calls": [
    {{
      "client-identifier": "sample-1",
      "start-time": "2026-11-23T08:02:53.311+05:30",
      "contact-numbers": [
        "9900000001"
      ],
      "keys": []
    }}
  ]
}}"""


def test_payload_in_the_form_of_the_documented_sample_is_accepted(api: InMemorySimulator) -> None:
    response = api.post(api.owner.sealed(PAYLOAD.encode()))

    assert response.api_response_code == 200
    assert api.state.audit.accepted.keys() == {"ABCD1234/sample-1"}
