"""What the schema cannot say to the fuzzer: an Idempotency-Key belongs to one request."""

import uuid
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Give every request a key of its own, unless it is there to be wrong."""
    if case.headers and len(str(case.headers.get("Idempotency-Key", ""))) > 0:
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
