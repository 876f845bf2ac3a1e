"""The two kinds of GLPI records that a person can have: User, or Contact by setting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from hub.sdk import Contact, Event, Intent, PersonName, Remote
from hub_glpi import rights, sentences
from hub_glpi.api.errors import Missing, Refused
from hub_glpi.finders import Found, find_contact, find_user
from hub_glpi.mappers.contact import (
    contact_values,
    email_of,
    login_of,
    spare_login,
    user_values,
)
from hub_glpi.mappers.identity import network_login, network_of
from hub_glpi.work import Work, key


class Records(ABC):
    """How people of one kind are found, made and changed."""

    #: The kind of the links, and the name of the page in GLPI.
    kind: ClassVar[str]
    created: ClassVar[str]
    found: ClassVar[str]
    filled: ClassVar[str]
    updated: ClassVar[str]

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
    def create(self, event: Event, contact: Contact) -> int:
        """A new record."""

    @abstractmethod
    def write(self, record_id: int, patch: Mapping[str, str]) -> None:
        """Write changed values.

        :raises Refused: nameless if the record is no longer there.
        """

    @abstractmethod
    def fill(self, record_id: int, patch: Mapping[str, str]) -> None:
        """Write values where there were none, in one request."""

    @abstractmethod
    def is_there(self, record_id: int) -> bool:
        """Whether the record exists and is not in the trash."""

    def remote(self, record_id: int, values: Mapping[str, str]) -> Remote:
        """The record for a link, with the values that GLPI now has from us."""
        return Remote(
            str(record_id),
            url=self.work.config.page(self.kind, record_id),
            data={"sent": dict(values), "seen": self.work.context.clock.now().isoformat()},
        )


class UserRecords(Records):
    """People as GLPI Users."""

    kind = "user"
    created = sentences.USER_CREATED
    found = sentences.USER_FOUND
    filled = sentences.USER_FILLED
    updated = sentences.USER_UPDATED

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

    def find_cut_off(self, contact: Contact, intent: Intent) -> int | None:
        """By login; the search by email and phone, made before, has not shown it."""
        hits = self.work.glpi.users.with_login(intent.natural_key)
        ours = (hit.id for hit in hits if _is_identity(hit.login, contact, intent.natural_key))
        return next(ours, None)

    def create(self, event: Event, contact: Contact) -> int:
        """A new user; with another login if the first belongs to someone else or to the trash."""
        login = self.natural_key(event, contact)
        values = self._new(contact)
        try:
            return self.work.glpi.users.create({"name": login, **values})
        except Refused as refused:
            return self._create_with_spare_login(event, contact, login, values, refused)

    def _create_with_spare_login(
        self,
        event: Event,
        contact: Contact,
        login: str,
        values: Mapping[str, object],
        refused: Refused,
    ) -> int:
        users = self.work.glpi.users
        owners = users.with_login(login)
        if owners and _is_identity(login, contact, self.natural_key(event, contact)):
            # Made since we looked, say by an earlier call that GLPI was still at work on.
            return owners[0].id
        if not owners and not users.with_login(login, trashed=True):
            raise rights.explain(self.work.glpi, refused, rights.CREATE_USERS) from refused
        self.work.say(sentences.TRASHED_LOGIN, login=login)
        spare = spare_login(login, key(event, contact.id))
        try:
            return users.create({"name": spare, **values})
        except Refused as again:
            if owners := users.with_login(spare):
                return owners[0].id
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

    def is_there(self, record_id: int) -> bool:
        """See ``Records``."""
        try:
            return not self.work.glpi.users.get(record_id).get("is_deleted")
        except Missing:
            return False


class ContactRecords(Records):
    """People as GLPI Contacts."""

    kind = "contact"
    created = sentences.CONTACT_CREATED
    found = sentences.CONTACT_FOUND
    filled = sentences.CONTACT_FILLED
    updated = sentences.CONTACT_UPDATED

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

    def create(self, event: Event, contact: Contact) -> int:
        """A new contact."""
        values: dict[str, object] = {
            name: value for name, value in self.values(contact).items() if value
        }
        if not values.get("email") and not values.get("phone"):
            values["comment"] = self.natural_key(event, contact)
        if self.work.config.entity_id is not None:
            values["entities_id"] = self.work.config.entity_id
        try:
            return self.work.glpi.contacts.create(values)
        except Refused as refused:
            raise rights.explain(self.work.glpi, refused, rights.CREATE_CONTACTS) from refused

    def write(self, record_id: int, patch: Mapping[str, str]) -> None:
        """See ``Records``."""
        if remark := self.work.glpi.contacts.update(record_id, patch):
            self.work.context.progress(remark)

    def fill(self, record_id: int, patch: Mapping[str, str]) -> None:
        """See ``Records``."""
        self.write(record_id, patch)

    def is_there(self, record_id: int) -> bool:
        """See ``Records``."""
        try:
            return not self.work.glpi.contacts.get(record_id).get("is_deleted")
        except Missing:
            return False


def _is_identity(login: str, contact: Contact, natural_key: str) -> bool:
    """Whether this login could only be this person's: the very email, the number or the id."""
    email = email_of(contact)
    return login.casefold() == (email or natural_key).casefold()
