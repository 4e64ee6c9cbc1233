"""The typed client of the control endpoints."""

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
    """The simulator refused a control request; the text is its reason."""


class SimulatorClient:
    """Drives a running simulator; `base_url` is its root, such as `http://127.0.0.1:8080`. Close it, or use `with`."""

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
        """Make a flow known, or replace it."""
        self._request("POST", "/flows", registration)

    def remove_flow(self, flow_id: str) -> None:
        """Make a flow unknown."""
        self._request("DELETE", f"/flows/{flow_id}")

    def flow_ids(self) -> list[str]:
        """Return the flows known."""
        return self._read("/flows", list[str])

    def settings(self) -> Settings:
        """Return the settings as they are, the balance what is left of it."""
        return self._read("/settings", Settings)

    def change_settings(self, **changes: object) -> Settings:
        """Change the named settings (fields of `Settings`), leave the others, and return them all."""
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
        """Plan a fault for the next requests (None: until cleared), of one flow only if given."""
        planned = PlannedFault(
            fault=fault, requests=requests, flow_id=flow_id, latency_milliseconds=latency_milliseconds
        )
        self._request("POST", "/faults", planned)

    def planned_faults(self) -> list[PlannedFault]:
        """Return the faults still to come, each with its requests left."""
        return self._read("/faults", list[PlannedFault])

    def clear_faults(self) -> None:
        """Forget every planned fault."""
        self._request("DELETE", "/faults")

    def audit(self) -> AuditReport:
        """Return the counts since the last reset."""
        return self._read("/audit", AuditReport)

    def accepted_calls(self) -> dict[str, list[Acceptance]]:
        """Return each acceptance of each call; a call is flow id, slash, client identifier."""
        return self._read("/audit/calls", dict[str, list[Acceptance]])

    def reset_audit(self) -> None:
        """Start the audit anew; checksums, settings and faults stay."""
        self._request("DELETE", "/audit")

    def reset(self) -> None:
        """Forget everything but the flows."""
        self._request("POST", "/reset")

    def _read(self, path: str, document_type: type[_Document]) -> _Document:
        return msgspec.json.decode(self._request("GET", path), type=document_type)

    def _request(self, method: str, path: str, document: object = None) -> bytes:
        body = None if document is None else msgspec.json.encode(document)
        response = self._http.request(method, self._control_url + path, body=body)
        if response.status >= _BAD_REQUEST:
            raise ControlError(f"{method} {path}: {response.data.decode()}")
        return response.data
