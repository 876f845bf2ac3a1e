"""What of a mail is worth reading: without what it quotes, but with what it forwards."""

from __future__ import annotations

import re
from typing import Final, Literal

import quotequail

from hub.sdk.events import Message

#: What becomes of quotations: ``cut`` leaves them out, ``source`` as far as the source has already
#: done so, and ``whole`` keeps them.
Quotations = Literal["cut", "source", "whole"]

#: In subjects, as mail programs write them in their languages.
_FORWARDED = re.compile(r"\s*(fwd?|wg|tr|rv|enc|vb|i|doorst)\s*:", re.IGNORECASE)
_ANSWERED = re.compile(r"\s*(re|aw|res|sv|vs|ref|rif|antw|odp)\s*(\[\d+\])?\s*:", re.IGNORECASE)
#: No quotation is looked for in longer mails: it takes the square of the lines.
_MOST_LINES: Final = 300
#: Longer lines are passed over, since patterns take more than the square of theirs. Characters.
_LONGEST_LINE: Final = 200


def readable(message: Message, quotations: Quotations = "cut", *, first: bool = False) -> str:
    """The part of a message that people want to read. Since SDK 1.1.

    A mail that answers none keeps its signature, which may hold the customer's number, and so does
    the ``first`` one of a conversation. A forwarded part is kept always: it is what the mail is
    about. Of everything that is no mail from a customer it is the text.
    """
    is_mail = message.content_type == "incoming_email" or message.whole_text is not None
    if message.direction != "incoming" or not is_mail:
        return message.text
    whole = message.whole_text or message.text
    subject, is_answer = _header(message, "subject"), bool(_header(message, "in_reply_to"))
    if quotations == "whole" or _FORWARDED.match(subject):
        return whole
    source_has_cut = message.whole_text is not None or quotations == "source"
    if is_answer and source_has_cut and not first:
        return message.text
    if whole.count("\n") >= _MOST_LINES:
        return message.text if is_answer else whole
    found = _unwrapped(whole)
    # Programs mark what is forwarded and what is quoted in the same way.
    is_quoted = is_answer or bool(_ANSWERED.match(subject))
    if found.get("type") == "reply" or (found.get("type") == "forward" and is_quoted):
        own = [found[part] for part in ("text_top", "text_bottom") if part in found]
        return "\n\n".join(own) or message.text
    return whole


def _unwrapped(text: str) -> dict[str, str]:
    """The parts of a mail around what it quotes or forwards, and what of both it does."""
    lines = text.split("\n")
    # No line that leads a quotation in is so long.
    long = {f"\x02{n}\x03": line for n, line in enumerate(lines) if len(line) > _LONGEST_LINE}
    marks = iter(long)
    shortened = (next(marks) if len(line) > _LONGEST_LINE else line for line in lines)
    found = quotequail.unwrap("\n".join(shortened)) or {}
    return {
        name: re.sub(r"\x02\d+\x03", lambda mark: long.get(mark[0], mark[0]), part)
        for name, part in found.items()
    }


def _header(message: Message, name: str) -> str:
    headers = message.attributes.get("email")
    return str(headers.get(name) or "") if isinstance(headers, dict) else ""
