"""What schemathesis is told beyond the description: which refusals of good requests no schema can foretell, what a
request deletes that names its items in its body, and what an answer says that is given again.

The built-in check positive_data_acceptance knows statuses only. Ours is the same, but for refusals that it finds by
their code and parameter; every other one fails the run. Not a way to pass over what the description could say.
"""

import re

import schemathesis
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData, UseAfterFree
from schemathesis.specs.openapi.checks import (
    ensure_resource_availability,
    positive_data_acceptance,
    use_after_free,
)

# (code, parameter, why). A parameter is a regular expression for all of it.
UNFORESEEN = [
    ("unknown_model", "model_id", "which models there are is for GET /v1/vectors/models to say"),
    ("unsupported_input", r".*(image|audio)(_base64)?", "which kinds a model embeds, too"),
    ("fetch_failed", r".*(image|audio)", "whether a host answers"),
    ("unsupported_media", r".*(image|audio)(_base64)?", "whether bytes are a picture or a sound"),
    ("decode_failed", r".*(image|audio)(_base64)?", "whether a file is whole"),
    ("idempotency_mismatch", "Idempotency-Key", "whether the key was used for another request before"),
    ("invalid_request", "cursor", "a cursor is what a page gave, which is for no one else to make"),
    ("invalid_request", "offset", "offset and cursor exclude each other; parameters have no oneOf"),
    ("invalid_request", "expires_at", "the time must be to come"),
    ("invalid_request", r"(items\[\d+\]\.)?(image|audio)", "format uri has more schemes than http and https, and users"),
    ("invalid_request", r"(items\[\d+\]\.)?(image|audio)_base64", "contentEncoding is not held by generators"),
    ("invalid_request", r"items\[\d+\]\.metadata", "depth, size in bytes, U+0000 at any depth"),
    ("invalid_request", r"items\[\d+\]\.id", "two items of one request with the same id"),
    ("invalid_request", r"filter(\..*)?", "depth, size in bytes, U+0000 at any depth"),
]


@schemathesis.check
def good_requests_are_accepted(ctx, response, case):
    try:
        return positive_data_acceptance(ctx, response, case)
    except RejectedPositiveData:
        error = response.json()["error"]
        for code, param, _ in UNFORESEEN:
            if error["code"] == code and re.fullmatch(param, error["param"] or "", re.DOTALL):
                return None
        raise


# Deletes the items that its body names; the list of a collection's items is still there.
DELETES_OF_SOME = "DELETE /v1/vectors/collections/{id}/items"


@schemathesis.check
def what_was_deleted_is_gone(ctx, response, case):
    try:
        return use_after_free(ctx, response, case)
    except UseAfterFree as failure:
        if failure.operation == DELETES_OF_SOME:
            return None
        raise


@schemathesis.check
def what_was_made_is_there(ctx, response, case):
    try:
        return ensure_resource_availability(ctx, response, case)
    except EnsureResourceAvailability:
        # The first answer under an Idempotency-Key is given again, though what it made may be deleted by now.
        parent = ctx.internals.find_parent(case_id=case.id)
        made = parent and ctx.internals.find_response(case_id=parent.id)
        if made and "idempotency-replayed" in made.headers:
            return None
        raise
