"""How the hub's pool opens and closes GLPI sessions.

GLPI serves one session one write at a time, and forgets a session that was idle for PHP's
``session.gc_maxlifetime`` (1440 s by default); the pool lends each to one caller at a time, and
``Connection`` signs in again when GLPI has forgotten one.
"""

from __future__ import annotations

from hub.sdk import CallContext
from hub_glpi.api.session import sign_in, sign_out


class GlpiSessions:
    """Implements ``hub.sdk.SessionDriver``."""

    def open(self, context: CallContext) -> str:
        """Sign in.

        :raises NeedsAttention: a credential is wrong or the API is switched off.
        :raises RetryLater: GLPI cannot answer now.
        """
        return str(sign_in(context).token)

    def close(self, context: CallContext, token: str) -> None:
        """Sign out. A session that GLPI has forgotten is as good as closed."""
        sign_out(context, token)
