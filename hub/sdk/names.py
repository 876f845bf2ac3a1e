"""Names of people as chat systems have them, split as CRM systems want them. Since SDK 1.1.

Channels invent a name if a person gave none, and company directories write "Müller, Jürgen". A name
that is clearly neither of these is left as it is and split at its first space.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
#: Names that Chatwoot invents for visitors who gave none: "billowing-night-17". The library
#: Haikunator makes them of an adjective, a noun and a number.
_GENERATED: Final = re.compile(r"[a-z]+-[a-z]+-\d{1,4}")
#: Blocks with emoji and other pictures. The circled and squared letters of East Asia lie elsewhere.
_PICTURES: Final = ((0x2190, 0x2BFF), (0x1F000, 0x1FAFF))
#: Characters that belong to the picture before them: joiners, variants, skin tones, keycaps and the
#: letters of flags.
_PICTURE_PARTS: Final = re.compile(
    "[\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)
_NOT_TEXT: Final = ("Cc", "Zl", "Zp", "Zs", "Cs")
_TITLES: Final = frozenset(["dr", "prof", "mr", "mrs", "ms", "herr", "frau", "ing", "dipl-ing"])
#: Words after a comma that are no first name: a legal form, a generation or a degree.
_SUFFIX: Final = re.compile(
    r"ab|ag|aps|asa?|bhd|bv|company|co|corp|corporation|cv|ek|esq|ev|ewiv|gbr|gmbh|group|holding"
    r"|ii|iii|inc|incorporated|iv|jr|kg|kgaa|limitada|limited|llc|llp|lp|ltda?|mba|mbh|md|nv|ohg"
    r"|oyj?|partgmbb|partners|phd|plc|pte|pty|sa|sarl|sas|se|slu?|sons|spa|sprl|srl?|ug|bank"
)
#: Words in small letters that belong to the last name that follows.
_PARTICLE: Final = re.compile(r"[a-zà-ÿ']{1,4}")
_MOST_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in two parts. A single word is ``first``; both are empty if there is no name."""

    first: str = ""
    last: str = ""

    @classmethod
    def split(cls, name: str) -> PersonName:
        """Split at the first space. Apart from control characters, nothing else is changed."""
        first, _, last = one_line(name).partition(" ")
        return cls(first, last)


def person_name(name: str, email: str | None = None) -> PersonName:
    """The name of a person, who may also be a company.

    The following are no names: a text without letters (a phone number, emoji), an email address,
    the local part of the person's ``email``, which Chatwoot uses as a name, and a name that the
    channel invented. "Müller, Jürgen" becomes Jürgen Müller; "Company, Inc." is left as it is.
    """
    text = one_line(_without_pictures(one_line(name)))
    text = _unquoted(text)
    if not _is_name(text, (email or "").strip()):
        return PersonName()
    return _turned_around(text) or PersonName.split(text)


def one_line(text: str) -> str:
    """Without control characters, and with single plain spaces."""
    kept = "".join(" " if unicodedata.category(char) in _NOT_TEXT else char for char in text)
    return " ".join(kept.split())


def _without_pictures(text: str) -> str:
    kept: list[str] = []
    after_picture = False
    for char in text:
        if _is_picture(char):
            after_picture = True
            kept.append(" ")
        elif not (after_picture and _PICTURE_PARTS.fullmatch(char)):
            after_picture = False
            kept.append(char)
    return "".join(kept)


def _is_picture(char: str) -> bool:
    in_block = any(first <= ord(char) <= last for first, last in _PICTURES)
    return in_block and unicodedata.category(char) in ("So", "Sk", "Sm", "Cn")


def _unquoted(text: str) -> str:
    if len(text) > 2 and text[0] == text[-1] == '"':
        return text[1:-1].strip()
    return text


def _is_name(text: str, email: str) -> bool:
    if not any(char.isalpha() for char in text):
        return False
    if _EMAIL.fullmatch(text) or _GENERATED.fullmatch(text) or text.casefold() == email.casefold():
        return False
    # People begin a name with a capital letter; a name made from an address has none.
    local = email.partition("@")[0]
    return not (text == local and text == text.lower() and text != text.upper())


def _turned_around(text: str) -> PersonName | None:
    """The name from a directory entry ("Last, First"); ``None`` if the text is none."""
    last, comma, first = (part.strip() for part in text.partition(","))
    words = [*last.split(), *first.split()]
    if not comma or not last or not first or "," in first or not _are_a_persons(words):
        return None
    if len(last.split()) > _MOST_WORDS or len(first.split()) > _MOST_WORDS:
        return None
    names = first.split()
    # "Berg, Jan van den"
    particles: list[str] = []
    while len(names) > 1 and _PARTICLE.fullmatch(names[-1]):
        particles.insert(0, names.pop())
    names_of_last = last.split()
    titles: list[str] = []
    while len(names_of_last) > 1 and _bare(names_of_last[0]) in _TITLES:
        titles.append(names_of_last.pop(0))
    # Directories write a department in brackets at the end; it stays there.
    brackets = [names.pop()] if len(names) > 1 and names[-1][0] in "([" else []
    if not all(_is_capitalised(word) for word in names):
        return None
    return PersonName(
        " ".join([*titles, *names]), " ".join([*particles, *names_of_last, *brackets])
    )


def _are_a_persons(words: list[str]) -> bool:
    for word in words:
        if _SUFFIX.fullmatch(_bare(word)) or word in ("&", "+", "und", "and", "et", "y"):
            return False
        if any(char.isdigit() or char in "@/|" for char in word):
            return False
    return True


def _is_capitalised(word: str) -> bool:
    """False for scripts without capital letters: they have their own order of names."""
    letter = next((char for char in word if char.isalpha()), "")
    return letter.isupper() or letter.istitle()


def _bare(word: str) -> str:
    return word.casefold().replace(".", "").strip(",;()")
