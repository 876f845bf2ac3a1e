"""Source kinds: how a kind of sender signs, and what its webhooks mean."""

from hub.inbox.sources.canonical import CanonicalSource
from hub.inbox.sources.chatwoot import ChatwootSource
from hub.inbox.sources.kind import (
    BadPayload,
    BadSignature,
    Draft,
    Parsed,
    SourceKind,
)

#: All source kinds, by the name in their webhook addresses.
KINDS: dict[str, SourceKind] = {kind.name: kind for kind in (ChatwootSource(), CanonicalSource())}

__all__ = ["KINDS", "BadPayload", "BadSignature", "Draft", "Parsed", "SourceKind"]
