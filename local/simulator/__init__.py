"""The Kairos simulator: takes sealed requests on 127.0.0.1 as the real API is documented to take them.

Run it: `python -m local.simulator --port-file PATH`. Drive it: `client.SimulatorClient`, or plain JSON over HTTP.

Test numbers: a request holding a call to one of these contact numbers (a leading + allowed) is answered
    910000000205  205 INVALID_CONTACT_NUMBER
    910000000209  209 PARTIAL_SUCCESS: every other call is accepted and listed; alone, nothing is
    910000000210  210 INVALID_MANDATORY_PARAMETERS
    910000000213  213 NO_DATA_AVAILABLE
    910000000400  400 INVALID_FORMAT
    910000000402  402 PHONE_NOT_WHITELISTED

Control endpoints:
    GET, POST  /control/flows            ids known; register or replace one (`flows.FlowRegistration`)
    DELETE     /control/flows/{flow-id}
    GET, PATCH /control/settings         whitelist, checksums, rate, balance (`state.Settings`)
    GET, POST, DELETE /control/faults    still to come; plan one (`faults.PlannedFault`); clear all
    GET, DELETE /control/audit           counts (`audit.AuditReport`); start anew
    GET        /control/audit/calls      each acceptance of each call, by flow id, slash, client identifier
    POST       /control/reset            forget everything but the flows

Examples: `{"fault": {"fault": "code", "code": 212}, "requests": null}` answers 212 until cleared;
`{"fault": {"fault": "drop", "after-accepting": true}, "flow-id": "ABCD1234"}` loses that flow's next answer.
The rest is in `api.py` (the order of the checks) and `faults.py` (every fault).
"""
