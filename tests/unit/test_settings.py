"""The function's environment variables."""

from typing import Any

import pytest

from sealed_relay.settings import InvalidSettingsError, Settings, read_settings

ENVIRONMENT = {
    "INGRESS_QUEUE_URL": "https://sqs.example/1/ingress",
    "URGENT_QUEUE_URL": "https://sqs.example/1/urgent",
    "URGENT_QUEUE_ARN": "arn:aws:sqs:ap-south-1:1:urgent",
    "FAILURE_QUEUE_URL": "https://sqs.example/1/failure",
    "OUTCOMES_TABLE_NAME": "outcomes",
    "FLOW_SECRET_PREFIX": "relay/flows/",
    "CONTENT_HASH_KEY_SECRET_ID": "arn:aws:secretsmanager:ap-south-1:1:secret:key",
    "GATEWAY_BASE_URL": "https://central.phonon.io/kairos-apis",
    "MAX_CALLS_PER_REQUEST": "500",
    "MAX_BODY_BYTES": "262144",
    "REQUESTS_PER_MINUTE": "500",
    "URGENT_RESERVED_REQUESTS_PER_MINUTE": "20",
    "GIVE_UP_AFTER_HOURS": "24",
    "OUTCOME_RETENTION_DAYS": "90",
}


def why_not(**changes: str) -> str:
    with pytest.raises(InvalidSettingsError) as caught:
        read_settings({**ENVIRONMENT, **changes})
    return str(caught.value)


def test_the_templates_defaults_are_read_and_what_is_no_setting_is_left_alone() -> None:
    settings = read_settings({**ENVIRONMENT, "PATH": "/bin", "AWS_REGION": "ap-south-1"})

    assert settings == Settings(
        ingress_queue_url="https://sqs.example/1/ingress",
        urgent_queue_url="https://sqs.example/1/urgent",
        urgent_queue_arn="arn:aws:sqs:ap-south-1:1:urgent",
        failure_queue_url="https://sqs.example/1/failure",
        outcomes_table_name="outcomes",
        flow_secret_prefix="relay/flows/",
        content_hash_key_secret_id="arn:aws:secretsmanager:ap-south-1:1:secret:key",
        gateway_base_url="https://central.phonon.io/kairos-apis",
        max_calls_per_request=500,
        max_body_bytes=262_144,
        requests_per_minute=500,
        urgent_reserved_requests_per_minute=20,
        give_up_after_hours=24,
        outcome_retention_days=90,
    )


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(InvalidSettingsError, match=f"`{name}`"):
        read_settings({other: value for other, value in ENVIRONMENT.items() if other != name})


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_variable_that_is_empty_is_named(name: str) -> None:
    assert f"`$.{name}`" in why_not(**{name: ""})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("MAX_CALLS_PER_REQUEST", ["0", "501", "-1", "1.5", "many", "null", "true"]),
        ("MAX_BODY_BYTES", ["0", "4095", "262145", "256 KiB"]),
        ("REQUESTS_PER_MINUTE", ["0", "-500", "fast"]),
        ("URGENT_RESERVED_REQUESTS_PER_MINUTE", ["-1", "1.5", "all"]),
        ("GIVE_UP_AFTER_HOURS", ["0", "-1", "P1D"]),
        ("OUTCOME_RETENTION_DAYS", ["0", "14", "for ever"]),
    ],
)
def test_a_number_out_of_its_bounds_is_refused(name: str, values: list[str]) -> None:
    for value in values:
        assert f"`$.{name}`" in why_not(**{name: value})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("MAX_CALLS_PER_REQUEST", [1, 500]),
        ("MAX_BODY_BYTES", [4096, 262_144]),
        ("URGENT_RESERVED_REQUESTS_PER_MINUTE", [0, 499]),
        ("OUTCOME_RETENTION_DAYS", [15, 3650]),
    ],
)
def test_a_number_on_its_bound_is_taken(name: str, values: list[int]) -> None:
    for value in values:
        settings: Any = read_settings({**ENVIRONMENT, name: str(value)})
        assert getattr(settings, name.lower()) == value


@pytest.mark.parametrize("limit", [20, 19, 1])
def test_urgent_reserve_that_leaves_nothing_for_other_calls_is_refused(limit: int) -> None:
    why = why_not(REQUESTS_PER_MINUTE=str(limit))

    assert "URGENT_RESERVED_REQUESTS_PER_MINUTE is 20" in why
    assert f"less than REQUESTS_PER_MINUTE, which is {limit}" in why


@pytest.mark.parametrize(
    "url",
    [
        "https://central.phonon.io",
        "https://central.phonon.io:8443/a/b/",
        "http://127.0.0.1",
        "http://127.0.0.1:8080/kairos-apis",
        "http://localhost:8080/",
        "http://[::1]:8080/kairos-apis",
    ],
)
def test_the_gateway_is_reached_by_https_or_on_loopback(url: str) -> None:
    assert read_settings({**ENVIRONMENT, "GATEWAY_BASE_URL": url}).gateway_base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "central.phonon.io",
        "http://central.phonon.io",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1:80@evil.example",
        "http://127.0.0.1:@evil.example/",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1:8080.evil.example",
        "http://127.0.0.1\\@evil.example",
        "http://127.0.0.1#@evil.example",
        "http://127.0.0.1?@evil.example",
        "http://127x0x0x1",
        "http://localhost.evil.example",
        "http://localhostevil.example",
        "http://[::1].evil.example",
        "http://0.0.0.0",
        "http://2130706433",
        "http://evil.example/http://127.0.0.1",
        "http://evil.example\nhttp://127.0.0.1",
        "http://127.0.0.1\n",
        "https://central.phonon.io\n",
        "https://central.phonon.io/kairos-apis\n",
        "https://user:password@central.phonon.io",
        "https://central.phonon.io/kairos-apis?to=x",
        "https://central.phonon.io/kairos-apis#x",
        "https://",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
    ],
)
def test_no_other_address_is_taken_for_the_gateway(url: str) -> None:
    assert "`$.GATEWAY_BASE_URL`" in why_not(GATEWAY_BASE_URL=url)


@pytest.mark.parametrize("url", ["http://host.docker.internal", "http://host.docker.internal:8080/kairos-apis"])
def test_plain_http_to_this_machine_seen_from_a_container_is_taken(url: str) -> None:
    assert read_settings({**ENVIRONMENT, "GATEWAY_BASE_URL": url}).gateway_base_url == url


def test_plain_http_to_a_host_that_only_begins_like_this_machine_is_refused() -> None:
    why_not(GATEWAY_BASE_URL="http://host.docker.internal.example/kairos-apis")


@pytest.mark.parametrize("host", ["central-api.phonon.io", "Central-API.phonon.io", "central-api.phonon.io.:443"])
def test_bulk_host_of_the_api_is_refused_with_the_host_to_use(host: str) -> None:
    assert "Use central.phonon.io." in why_not(GATEWAY_BASE_URL=f"https://{host}/kairos-apis")
