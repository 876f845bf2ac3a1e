"""The two kinds of GLPI records that a person can have: User, or Contact by setting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final

from hub.sdk import Contact, Event, Intent, PersonName, Remote, network_of
from hub_glpi import rights, sentences
from hub_glpi.api.errors import Missing, NotAllowed, Refused
from hub_glpi.api.people import Hit
from hub_glpi.finders import Found, find_contact, find_user
from hub_glpi.mappers.contact import (
    contact_values,
    email_of,
    login_of,
    same_phone,
    spare_login,
    user_values,
)
from hub_glpi.mappers.conversation import server_time
from hub_glpi.mappers.identity import network_login
from hub_glpi.work import Work, key

_PHONES: Final = ("phone", "phone2", "mobile")
#: How far GLPI's clock may be from the hub's.
_CLOCKS_DIFFER: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Created:
    """A record for a contact. It is not new where GLPI turned out to have it already."""

    id: int
    is_new: bool = True


class Records(ABC):
    """How people of one kind are found, made and changed."""

    #: The kind of the links, and the name of the page in GLPI.
    kind: ClassVar[str]
    created: ClassVar[str]
    found: ClassVar[str]
    filled: ClassVar[str]
    updated: ClassVar[str]
    left: ClassVar[str]
    #: The fields of a record of which one holds the natural key.
    naming: ClassVar[Sequence[str]]

    def __init__(self, work: Work) -> None:
        self.work = work
        self.region = work.config.default_region

    @abstractmethod
    def values(self, contact: Contact, name: PersonName | None = None) -> dict[str, str]:
        """What GLPI keeps of the contact; ``name`` replaces what is made of its name."""

    @abstractmethod
    def find(self, contact: Contact) -> Found | None:
        """The record, found by email or phone."""

    @abstractmethod
    def natural_key(self, event: Event, contact: Contact) -> str:
        """By what a record is recognised whose creation was cut off."""

    @abstractmethod
    def find_cut_off(self, contact: Contact, intent: Intent) -> int | None:
        """The record that a create of ours made before it was cut off."""

    @abstractmethod
    def create(self, event: Event, contact: Contact) -> Created:
        """A new record."""

    @abstractmethod
    def write(self, record_id: int, patch: Mapping[str, str]) -> None:
        """Write changed values.

        :raises Refused: nameless if the record is no longer there.
        """

    @abstractmethod
    def fill(self, record_id: int, patch: Mapping[str, str]) -> None:
        """Write values where there were none, in one request."""

    def is_there(self, record_id: int) -> bool:
        """Whether the record exists and is not in the trash."""
        try:
            return not self.get(record_id).get("is_deleted")
        except Missing:
            return False

    @abstractmethod
    def is_staff(self, record_id: int) -> bool:
        """Whether the person works in GLPI, or that cannot be told."""

    @abstractmethod
    def get(self, record_id: int) -> dict[str, Any]:
        """The record.

        :raises Missing: there is none.
        """

    def number_in(self, record_id: int) -> str:
        """The first phone number of the record, "" if it has none."""
        record = self.get(record_id)
        return next((str(record[name]) for name in _PHONES if record.get(name)), "")

    def was_made_by(self, record_id: int, begun: Intent) -> bool:
        """Whether the record may be the one that a create of ours made before it was cut off:
        nobody could have found it when that began, and it is the one that was to be made. The
        contact may have given another address since."""
        since = begun.begun_at - _CLOCKS_DIFFER
        offset = self.work.glpi.connection.clock_offset
        record = self.get(record_id)
        created = str(record.get("date_creation") or "")
        named = {str(record.get(name) or "").casefold() for name in self.naming}
        return created >= server_time(since, offset) and any(
            key.casefold() in named for key in self.keys_of(begun)
        )

    def keys_of(self, begun: Intent) -> Sequence[str]:
        """What the record of a create may be recognised by."""
        return [begun.natural_key]

    def held(self, hit: Hit, contact: Contact) -> dict[str, str]:
        """What a record has of the values that the hub keeps. Where it has the contact's own
        number or email in another place or spelling, it is the contact's."""
        values = self.values(contact)
        held = {name: hit.value(name) for name in values}
        numbers = (*hit.phones, hit.login)
        if any(same_phone(contact, number, self.region) for number in numbers):
            held["phone"] = values["phone"]
        held["phone"] = held["phone"] or next(iter(hit.phones), "")
        email = values["email"]
        if email and (hit.has_email(email) or hit.login.casefold() == email.casefold()):
            held["email"] = email
        held["email"] = held["email"] or next(iter(hit.emails), "")
        return held

    def remote(self, record_id: int, values: Mapping[str, str], **known: Any) -> Remote:
        """The record for a link: what the contact was when it was last looked at (``sent``), and
        what else is ``known``: what the record has (``held``), whether the hub ``made`` it, how it
        was ``found``."""
        sent, now = dict(values), self.work.context.clock.now().isoformat()
        return Remote(
            str(record_id),
            url=self.work.config.page(self.kind, record_id),
            data={"sent": sent, "held": sent, "seen": now, **known},
        )


class UserRecords(Records):
    """People as GLPI Users."""

    kind = "user"
    created = sentences.USER_CREATED
    found = sentences.USER_FOUND
    filled = sentences.USER_FILLED
    updated = sentences.USER_UPDATED
    left = sentences.USER_LEFT
    naming = ("name",)

    def values(self, contact: Contact, name: PersonName | None = None) -> dict[str, str]:
        """See ``Records``."""
        return user_values(contact, self.region, name)

    def find(self, contact: Contact) -> Found | None:
        """See ``Records``."""
        return find_user(self.work.glpi, contact, self.region, self.work.say)

    def natural_key(self, event: Event, contact: Contact) -> str:
        """The login."""
        login = login_of(contact, self.region)
        return login or network_login(contact, key(event, contact.id)) or ""

    def keys_of(self, begun: Intent) -> Sequence[str]:
        """The login, or the other one that is taken when that is not free."""
        return [begun.natural_key, spare_login(begun.natural_key, begun.local_id)]

    def find_cut_off(self, contact: Contact, intent: Intent) -> int | None:
        """By login; the search by email and phone, made before, has not shown it."""
        hits = self.work.glpi.users.with_login(intent.natural_key)
        ours = (hit.id for hit in hits if _is_identity(hit.login, contact, intent.natural_key))
        return next(ours, None)

    def create(self, event: Event, contact: Contact) -> Created:
        """A new user; with another login if the first belongs to someone else or to the trash."""
        login = self.natural_key(event, contact)
        values = self._new(contact)
        try:
            return Created(self.work.glpi.users.create({"name": login, **values}))
        except Refused as refused:
            return self._create_with_spare_login(event, contact, login, values, refused)

    def _create_with_spare_login(
        self,
        event: Event,
        contact: Contact,
        login: str,
        values: Mapping[str, object],
        refused: Refused,
    ) -> Created:
        users = self.work.glpi.users
        owners = users.with_login(login)
        if owners and _is_identity(login, contact, self.natural_key(event, contact)):
            # Made since we looked, say by an earlier call that GLPI was still at work on.
            return Created(owners[0].id, is_new=False)
        if not owners and not users.with_login(login, trashed=True):
            raise rights.explain(self.work.glpi, refused, rights.CREATE_USERS) from refused
        self.work.say(sentences.TRASHED_LOGIN, login=login)
        spare = spare_login(login, key(event, contact.id))
        try:
            return Created(users.create({"name": spare, **values}))
        except Refused as again:
            if owners := users.with_login(spare):
                return Created(owners[0].id)  # only an earlier try can have given it this login
            raise rights.explain(self.work.glpi, again, rights.CREATE_USERS) from again

    def _new(self, contact: Contact) -> dict[str, object]:
        config = self.work.config
        values: dict[str, object] = {
            name: value for name, value in self.values(contact).items() if value and name != "email"
        }
        if email := email_of(contact):
            values["_useremails"] = [email]
        if config.entity_id is not None:
            values["entities_id"] = config.entity_id
            # Only these give the user rights there; entities_id alone leaves them in entity 0.
            if config.profile_id is not None and config.entity_id:
                values.update(
                    _entities_id=config.entity_id, _profiles_id=config.profile_id, _is_recursive=0
                )
        return values

    def write(self, record_id: int, patch: Mapping[str, str]) -> None:
        """See ``Records``. A new email becomes the default one; the old one stays."""
        users = self.work.glpi.users
        plain = {name: value for name, value in patch.items() if name != "email"}
        if plain and (remark := users.update(record_id, plain)):
            self.work.context.progress(remark)
        if email := patch.get("email"):
            known = {str(item["email"]).casefold() for item in users.emails(record_id)}
            if email.casefold() not in known:
                users.add_email(record_id, email, default=True)

    def fill(self, record_id: int, patch: Mapping[str, str]) -> None:
        """See ``Records``."""
        values: dict[str, object] = {
            name: value for name, value in patch.items() if name != "email"
        }
        if email := patch.get("email"):
            values["_useremails"] = [email]
        self.work.glpi.users.update(record_id, values)

    def is_staff(self, record_id: int) -> bool:
        """See ``Records``."""
        glpi = self.work.glpi
        try:
            profiles = glpi.users.profiles(record_id)
            # Nobody is without a profile: those of entities out of reach are not shown.
            return not profiles or any(
                glpi.entities.profile(one).get("interface") != "helpdesk" for one in profiles
            )
        except (Missing, NotAllowed):
            return True

    def get(self, record_id: int) -> dict[str, Any]:
        """See ``Records``."""
        return self.work.glpi.users.get(record_id)


class ContactRecords(Records):
    """People as GLPI Contacts."""

    kind = "contact"
    created = sentences.CONTACT_CREATED
    found = sentences.CONTACT_FOUND
    filled = sentences.CONTACT_FILLED
    updated = sentences.CONTACT_UPDATED
    left = sentences.CONTACT_LEFT
    naming = ("email", "phone", "comment")

    def values(self, contact: Contact, name: PersonName | None = None) -> dict[str, str]:
        """See ``Records``. The name is never empty."""
        values = contact_values(contact, self.region, name)
        network = network_of(contact)
        return {**values, "name": values["name"] or (network[1] if network else "")}

    def find(self, contact: Contact) -> Found | None:
        """See ``Records``."""
        return find_contact(self.work.glpi, contact, self.region, self.work.say)

    def natural_key(self, event: Event, contact: Contact) -> str:
        """The email, or the phone number; else what stands in the comment."""
        values = self.values(contact)
        login = network_login(contact, key(event, contact.id))
        return values["email"] or values["phone"] or login or ""

    def find_cut_off(self, contact: Contact, intent: Intent) -> int | None:
        """By the comment, if there is nothing else. The search by email and phone, made before,
        has not shown it."""
        values = self.values(contact)
        if values["email"] or values["phone"]:
            return None
        return next(iter(self.work.glpi.contacts.with_comment(intent.natural_key)), None)

    def create(self, event: Event, contact: Contact) -> Created:
        """A new contact."""
        values: dict[str, object] = {
            name: value for name, value in self.values(contact).items() if value
        }
        if not values.get("email") and not values.get("phone"):
            values["comment"] = self.natural_key(event, contact)
        if self.work.config.entity_id is not None:
            values["entities_id"] = self.work.config.entity_id
        try:
            return Created(self.work.glpi.contacts.create(values))
        except Refused as refused:
            raise rights.explain(self.work.glpi, refused, rights.CREATE_CONTACTS) from refused

    def write(self, record_id: int, patch: Mapping[str, str]) -> None:
        """See ``Records``."""
        if remark := self.work.glpi.contacts.update(record_id, patch):
            self.work.context.progress(remark)

    def fill(self, record_id: int, patch: Mapping[str, str]) -> None:
        """See ``Records``."""
        self.write(record_id, patch)

    def is_staff(self, record_id: int) -> bool:
        """Nobody works in GLPI as a Contact."""
        return False

    def get(self, record_id: int) -> dict[str, Any]:
        """See ``Records``."""
        return self.work.glpi.contacts.get(record_id)


def _is_identity(login: str, contact: Contact, natural_key: str) -> bool:
    """Whether this login could only be this person's: the very email, the number or the id."""
    email = email_of(contact)
    return login.casefold() == (email or natural_key).casefold()
