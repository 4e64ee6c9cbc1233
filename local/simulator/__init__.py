"""The Kairos simulator: takes sealed requests on 127.0.0.1 and answers them as the real API is documented to.

Run it: `python -m local.simulator --port-file PATH`. Drive it: `client.SimulatorClient`, or plain JSON over HTTP.

Test numbers: a request with a call to one of these contact numbers (a leading + is allowed) is answered
    910000000205  205 INVALID_CONTACT_NUMBER
    910000000209  209 PARTIAL_SUCCESS: all other calls are accepted and listed, but not this one
    910000000210  210 INVALID_MANDATORY_PARAMETERS
    910000000213  213 NO_DATA_AVAILABLE
    910000000400  400 INVALID_FORMAT
    910000000402  402 PHONE_NOT_WHITELISTED

Control endpoints:
    GET, POST  /control/flows            list the ids; register or replace a flow (`flows.FlowRegistration`)
    DELETE     /control/flows/{flow-id}
    GET, PATCH /control/settings         whitelist, checksums, rate, balance (`state.Settings`)
    GET, POST, DELETE /control/faults    list planned faults; plan one (`faults.PlannedFault`); clear all
    GET, DELETE /control/audit           read the counts (`audit.AuditReport`); set them to 0
    GET        /control/audit/calls      each acceptance of each call, by call id (`{flow-id}/{client-identifier}`)
    POST       /control/reset            forget everything but the flows

Examples: `{"fault": {"fault": "code", "code": 212}, "requests": null}` answers 212 until cleared;
`{"fault": {"fault": "drop", "after-accepting": true}, "flow-id": "ABCD1234"}` loses that flow's next answer.
A request passes through `server.py`, `answer_request.py` (the order of all checks), `network_edge.py`,
`open_request.py`, `check_request.py`, `check_payload.py`, `check_call.py`. Every fault is in `faults.py`.
"""
