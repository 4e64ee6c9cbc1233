"""A typed client of the simulator's control endpoints."""

from types import TracebackType
from typing import Self, TypeVar

import msgspec
import urllib3

from local.simulator.audit import Acceptance, AuditReport
from local.simulator.faults import Fault, PlannedFault
from local.simulator.flows import FlowRegistration
from local.simulator.server import BASE_PATH
from local.simulator.state import Settings

_Document = TypeVar("_Document")
_BAD_REQUEST = 400


class ControlError(Exception):
    """The simulator refused a control request. The text is the reason."""


class SimulatorClient:
    """Controls a running simulator. `base_url` is its root, like `http://127.0.0.1:8080`. Close it, or use `with`."""

    def __init__(self, base_url: str) -> None:
        self.gateway_base_url = base_url + BASE_PATH
        self._control_url = base_url + "/control"
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(10))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.clear()

    def register_flow(self, registration: FlowRegistration) -> None:
        """Register a flow, or replace it."""
        self._request("POST", "/flows", registration)

    def remove_flow(self, flow_id: str) -> None:
        """Remove a flow."""
        self._request("DELETE", f"/flows/{flow_id}")

    def flow_ids(self) -> list[str]:
        """Return the registered flows."""
        return self._read("/flows", list[str])

    def settings(self) -> Settings:
        """Return the present settings, with the balance that is left."""
        return self._read("/settings", Settings)

    def change_settings(self, **changes: object) -> Settings:
        """Change these settings (fields of `Settings`), keep the others, and return all."""
        document = {name.replace("_", "-"): value for name, value in changes.items()}
        return msgspec.json.decode(self._request("PATCH", "/settings", document), type=Settings)

    def plan(
        self,
        fault: Fault,
        *,
        requests: int | None = 1,
        flow_id: str | None = None,
        latency_milliseconds: int = 0,
    ) -> None:
        """Plan a fault for the next `requests` requests (None: until cleared), only of `flow_id` if given."""
        planned = PlannedFault(
            fault=fault, requests=requests, flow_id=flow_id, latency_milliseconds=latency_milliseconds
        )
        self._request("POST", "/faults", planned)

    def planned_faults(self) -> list[PlannedFault]:
        """Return the planned faults, each with the number of its requests that are left."""
        return self._read("/faults", list[PlannedFault])

    def clear_faults(self) -> None:
        """Remove every planned fault."""
        self._request("DELETE", "/faults")

    def audit(self) -> AuditReport:
        """Return the counts since the last reset."""
        return self._read("/audit", AuditReport)

    def accepted_calls(self) -> dict[str, list[Acceptance]]:
        """Return each acceptance of each call, by call id."""
        return self._read("/audit/calls", dict[str, list[Acceptance]])

    def reset_audit(self) -> None:
        """Clear the audit; checksums, settings and faults stay."""
        self._request("DELETE", "/audit")

    def reset(self) -> None:
        """Reset everything except the flows."""
        self._request("POST", "/reset")

    def _read(self, path: str, document_type: type[_Document]) -> _Document:
        return msgspec.json.decode(self._request("GET", path), type=document_type)

    def _request(self, method: str, path: str, document: object = None) -> bytes:
        body = None if document is None else msgspec.json.encode(document)
        response = self._http.request(method, self._control_url + path, body=body)
        if response.status >= _BAD_REQUEST:
            raise ControlError(f"{method} {path}: {response.data.decode()}")
        return response.data
