"""Every row of the error table, told by a GLPI that answers so."""

from __future__ import annotations

from typing import Any

import pytest
from hub_glpi import sentences
from hub_glpi.api.errors import TABLE, Missing, NotAllowed, Refused, SessionGone, error_of
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import NeedsAttention, Rejected, RetryLater
from hub.sdk.testing.simulator import Fault

#: code -> the class that a delivery must end with, and the setting to mend.
EXPECTED: dict[str, tuple[type[Exception], str | None]] = {
    "ERROR_APP_TOKEN_PARAMETERS_MISSING": (NeedsAttention, "app_token"),
    "ERROR_WRONG_APP_TOKEN_PARAMETER": (NeedsAttention, "app_token"),
    "ERROR_GLPI_LOGIN_USER_TOKEN": (NeedsAttention, "user_token"),
    "ERROR_GLPI_LOGIN": (NeedsAttention, "user_token"),
    "ERROR_LOGIN_PARAMETERS_MISSING": (NeedsAttention, "user_token"),
    "ERROR_LOGIN_WITH_CREDENTIALS_DISABLED": (NeedsAttention, "user_token"),
    "ERROR_NOT_ALLOWED_IP": (NeedsAttention, "app_token"),
    "ERROR_SESSION_TOKEN_MISSING": (SessionGone, None),
    "ERROR_SESSION_TOKEN_INVALID": (SessionGone, None),
    "ERROR_RIGHT_MISSING": (NotAllowed, "user_token"),
    "ERROR_ITEM_NOT_FOUND": (Missing, None),
    "ERROR_GLPI_ADD": (Refused, None),
    "ERROR_GLPI_UPDATE": (Refused, None),
    "ERROR_GLPI_DELETE": (Refused, None),
    "ERROR_GLPI_PARTIAL_ADD": (Refused, None),
    "ERROR_GLPI_PARTIAL_UPDATE": (Refused, None),
    "ERROR": (Rejected, None),
    "ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM": (Rejected, None),
    "ERROR_RESOURCE_MISSING": (Rejected, None),
    "ERROR_METHOD_NOT_ALLOWED": (Rejected, None),
    "ERROR_JSON_PAYLOAD_INVALID": (Rejected, None),
    "ERROR_JSON_PAYLOAD_FORBIDDEN": (Rejected, None),
    "ERROR_BAD_ARRAY": (Rejected, None),
    "ERROR_RANGE_EXCEED_TOTAL": (Rejected, None),
    "ERROR_FIELD_NOT_FOUND": (Rejected, None),
    "ERROR_SEARCH_OPTION_NOT_FOUND": (Rejected, None),
}


def test_the_table_is_the_one_tested() -> None:
    assert set(TABLE) == set(EXPECTED)


@pytest.mark.parametrize("code", EXPECTED)
def test_a_row(code: str) -> None:
    kind, field = EXPECTED[code]
    error = error_of([code, "Why &#38; how; view documentation in your browser at http://x/#y"])
    assert type(error) is kind
    assert getattr(error, "field", None) == field
    assert "view documentation" not in error.sentence
    if "{reason}" in TABLE[code].sentence:
        assert "Why & how" in error.sentence


@pytest.mark.parametrize("code", EXPECTED)
def test_a_row_as_a_delivery_meets_it(
    simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, code: str
) -> None:
    kind, field = EXPECTED[code]
    status = 401 if "LOGIN" in code or "SESSION" in code else 400
    body = f'["{code}", "Why"]'
    simulator.add_fault(
        Fault(
            "status",
            path="search/User",
            status=status,
            body=body,
            times=2,
            content_type="application/json",
        )
    )
    error = simulated_hub.refused(chatwoot.event("contact.created", contact=chatwoot.contact()))
    assert isinstance(error, kind)
    assert getattr(error, "field", None) == field


def test_an_unknown_code_is_no_success() -> None:
    error = error_of(["ERROR_NEVER_SEEN", "?"])
    assert type(error) is Rejected


def test_the_api_switched_off_is_recognised_in_every_language() -> None:
    for text in ("API disabled", "API désactivée"):
        assert isinstance(error_of(["ERROR", text]), NeedsAttention)
    assert isinstance(error_of(["ERROR", "?"], signing_in=True), NeedsAttention)
    assert not isinstance(error_of(["ERROR", "Bad field ID"]), NeedsAttention)


def test_reasons_of_several_parts() -> None:
    parts = [{"id": False, "message": ""}, {"id": False, "message": "Not&nbsp;so."}]
    error = error_of(["ERROR_GLPI_ADD", parts])
    assert isinstance(error, Refused)
    assert error.sentence == "GLPI refused to add it: Not so."
    assert not error.nameless
    nameless = error_of(["ERROR_GLPI_UPDATE", None])
    assert isinstance(nameless, Refused)
    assert nameless.nameless


class TestCredentials:
    """What a real server answers when something about the sign-in is wrong."""

    @pytest.mark.parametrize(
        ("settings", "sentence", "field"),
        [
            ({"app_token": ""}, sentences.APP_TOKEN_MISSING, "app_token"),
            ({"app_token": "wrong"}, sentences.APP_TOKEN_WRONG, "app_token"),
            ({"user_token": "wrong"}, sentences.USER_TOKEN_WRONG, "user_token"),
        ],
    )
    def test_wrong_tokens(
        self, chatwoot: Any, make_simulated_hub: Any, settings: Any, sentence: str, field: str
    ) -> None:
        hub = make_simulated_hub(with_setup=False, **settings)
        error = hub.refused(chatwoot.event("contact.created", contact=chatwoot.contact()))
        assert isinstance(error, NeedsAttention)
        assert (error.sentence, error.field) == (sentence, field)

    @pytest.mark.parametrize(
        ("state", "kind", "words"),
        [
            ("api_disabled", NeedsAttention, "switched off"),
            ("address_not_allowed", NeedsAttention, "this hub's address"),
            ("maintenance", RetryLater, "not what its API speaks"),
            ("database_down", RetryLater, "not what its API speaks"),
        ],
    )
    @pytest.mark.parametrize("with_session", [True, False])
    def test_server_states(
        self,
        simulator: GlpiSimulator,
        chatwoot: Any,
        simulated_hub: Any,
        state: str,
        kind: type[Exception],
        words: str,
        with_session: bool,
    ) -> None:
        if with_session:
            warm = chatwoot.contact(id="1", email=chatwoot.email("warm"))
            simulated_hub.done(chatwoot.event("contact.created", contact=warm))
        simulator.server_state = state
        event = chatwoot.event("contact.created", contact=chatwoot.contact())
        error = simulated_hub.refused(event)
        assert isinstance(error, kind)
        assert words in error.sentence
        simulator.server_state = "up"
        simulated_hub.done(event)

    def test_a_missing_right_is_told_by_name(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
    ) -> None:
        hub = make_simulated_hub(with_setup=False, user_token=simulator.user_tokens["post-only"])
        error = hub.refused(chatwoot.event("contact.created", contact=chatwoot.contact()))
        assert isinstance(error, NeedsAttention)
        assert error.field == "user_token"
        assert "right" in error.sentence
