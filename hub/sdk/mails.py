"""The part of a mail that is worth reading: without quotations, but with forwarded parts."""

from __future__ import annotations

import re
from typing import Final, Literal

import quotequail

from hub.sdk.events import Message

#: What happens to quotations: ``cut`` leaves them out, ``source`` leaves out those that the source
#: has cut already, ``whole`` keeps them.
Quotations = Literal["cut", "source", "whole"]

#: In subjects, as mail programs write them in their languages.
_FORWARDED = re.compile(r"\s*(fwd?|wg|tr|rv|enc|vb|i|doorst)\s*:", re.IGNORECASE)
_ANSWERED = re.compile(r"\s*(re|aw|res|sv|vs|ref|rif|antw|odp)\s*(\[\d+\])?\s*:", re.IGNORECASE)
#: Longer mails are not searched for quotations: the time grows with the square of the lines.
_MOST_LINES: Final = 300
#: Longer lines, in characters, are not searched: the time grows with more than their square.
_LONGEST_LINE: Final = 200


def readable(message: Message, quotations: Quotations = "cut", *, first: bool = False) -> str:
    """The part of a message that people want to read. Since SDK 1.1.

    A mail that is no answer keeps its signature, which may hold the customer's phone number. The
    ``first`` mail of a conversation keeps it too. A forwarded part is always kept, because the mail
    is about it. If the message is no mail from a customer, the result is its text.
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
    # Mail programs mark forwarded parts and quotations in the same way.
    is_quoted = is_answer or bool(_ANSWERED.match(subject))
    if found.get("type") == "reply" or (found.get("type") == "forward" and is_quoted):
        own = [found[part] for part in ("text_top", "text_bottom") if part in found]
        return "\n\n".join(own) or message.text
    return whole


def _unwrapped(text: str) -> dict[str, str]:
    """The parts of a mail before, in and after a quotation or a forwarded part, and which of the
    two it is."""
    lines = text.split("\n")
    # No line that introduces a quotation is this long.
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
