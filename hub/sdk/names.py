"""Names of people as chat systems have them, split as CRM systems want them. Since SDK 1.1.

Channels make names up where a person gave none, and company directories write "Müller, Jürgen".
What is not clearly one of these stays as it came: a name split at its first space.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
#: What Chatwoot calls visitors who gave no name: "billowing-night-17" (an adjective, a noun, and a
#: number, by the library Haikunator).
_GENERATED: Final = re.compile(r"[a-z]+-[a-z]+-\d{1,4}")
#: Blocks with emoji and other pictures. Circled and squared letters of East Asia are not there.
_PICTURES: Final = ((0x2190, 0x2BFF), (0x1F000, 0x1FAFF))
#: What belongs to the picture before it: joiners, variants, skin tones, keycaps and flags' letters.
_PICTURE_PARTS: Final = re.compile(
    "[\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)
_NOT_TEXT: Final = ("Cc", "Zl", "Zp", "Zs", "Cs")
_TITLES: Final = frozenset(["dr", "prof", "mr", "mrs", "ms", "herr", "frau", "ing", "dipl-ing"])
#: After a comma these make a company, a generation or a degree of what stands before it.
_SUFFIX: Final = re.compile(
    r"ab|ag|aps|asa?|bhd|bv|company|co|corp|corporation|cv|ek|esq|ev|ewiv|gbr|gmbh|group|holding"
    r"|ii|iii|inc|incorporated|iv|jr|kg|kgaa|limitada|limited|llc|llp|lp|ltda?|mba|mbh|md|nv|ohg"
    r"|oyj?|partgmbb|partners|phd|plc|pte|pty|sa|sarl|sas|se|slu?|sons|spa|sprl|srl?|ug|bank"
)
#: Words in small letters that belong to the last name after them.
_PARTICLE: Final = re.compile(r"[a-zà-ÿ']{1,4}")
_MOST_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in two parts. A single word is ``first``; both are empty where there is no name."""

    first: str = ""
    last: str = ""

    @classmethod
    def split(cls, name: str) -> PersonName:
        """Split at the first space; nothing else is done to it but for control characters."""
        first, _, last = one_line(name).partition(" ")
        return cls(first, last)


def person_name(name: str, email: str | None = None) -> PersonName:
    """The name of a person, who may also be a company.

    No name at all are: what has no letter in it (a phone number, emoji), an email address, the
    local part of the person's ``email`` as Chatwoot makes a name of it, and a generated
    placeholder. "Müller, Jürgen" is Jürgen Müller; "Company, Inc." stays.
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
    # Whoever types a name begins it with a capital letter; mail programs do not.
    local = email.partition("@")[0]
    return not (text == local and text == text.lower() and text != text.upper())


def _turned_around(text: str) -> PersonName | None:
    """The name of a directory's entry ("Last, First"); ``None`` if it is none."""
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
    # A department in brackets stays at the end, where directories have it.
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
    """Scripts without capital letters have their own order of names, which is left alone."""
    letter = next((char for char in word if char.isalpha()), "")
    return letter.isupper() or letter.istitle()


def _bare(word: str) -> str:
    return word.casefold().replace(".", "").strip(",;()")
