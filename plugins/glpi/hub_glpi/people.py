"""Contacts: each person gets one GLPI record, and keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from hub.sdk import (
    CONTACT_CREATED,
    Contact,
    Done,
    Event,
    Intent,
    Link,
    PersonName,
    Remote,
    Skip,
)
from hub_glpi import proof, rights, sentences
from hub_glpi.api.errors import Refused
from hub_glpi.finders import Found
from hub_glpi.mappers.contact import email_of, identity_keys, phone_of
from hub_glpi.mappers.identity import is_known
from hub_glpi.notices import Notices
from hub_glpi.proof import Remark
from hub_glpi.records import ContactRecords, Records, UserRecords
from hub_glpi.requesters import Requesters
from hub_glpi.work import Work, contact_key, contact_of

#: A record that was not seen for so long is looked at before a ticket is made for it, since GLPI
#: drops a requester who does not exist in silence.
SEEN_LONG_AGO: Final = timedelta(days=7)


class People:
    """Keeps contacts and their GLPI records together."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._links = work.context.links
        self._records: Records = (
            ContactRecords(work) if work.config.use_contact else UserRecords(work)
        )
        self._requesters = Requesters(work)
        self._notices = Notices(work)

    def known(self, event: Event) -> Link | None:
        """The link to the person's record, if there is one that still exists."""
        if event.contact is None:
            return None
        link = self._links.get(self._records.kind, contact_key(event))
        return None if link is None or link.gone else link

    def can_have_record(self, event: Event) -> bool:
        """Whether the person has a record, or enough is known for one."""
        if event.contact is None:
            return False
        return is_known(event.contact, self._records.region) or self.known(event) is not None

    def follow(self, event: Event) -> Done:
        """Bring the record to what a contact event says.

        :raises Skip: nothing to do.
        """
        contact = contact_of(event)
        link = self._links.get(self._records.kind, contact_key(event))
        if link is None and not self.can_have_record(event):
            # Nothing is lost: whatever tells more shows the whole contact.
            return Done(sentences.NO_RECORD_YET)
        if link is None:
            if contact.blocked and not self._work.config.blocked_contacts:
                raise Skip(sentences.BLOCKED_LEFT_OUT)
            link, sentence = self._find_or_create(event, contact)
            return Done(sentence, link.url)
        if link.gone:
            raise Skip(link.gone)
        # An earlier try may have been cut off before this.
        link = self._requesters.catch_up(event, link, contact)
        return self._update(event, contact, link)

    def ensure(self, event: Event) -> Link:
        """The record, found or made if need be, of a person who can have one."""
        contact = contact_of(event)
        link = self.known(event)
        if link is not None and self._is_still_there(link):
            link = self._take_proven(contact, self.known(event) or link)
            return self._requesters.catch_up(event, link, contact)
        link, sentence = self._find_or_create(event, contact)
        self._work.context.progress(sentence)
        return link

    def _find_or_create(self, event: Event, contact: Contact) -> tuple[Link, str]:
        keys = identity_keys(contact, self._records.region)
        with self._work.context.identity(*keys):
            before = self._links.get(self._records.kind, contact_key(event))
            if before is not None and before.gone:
                self._links.forget(before)
            begun = self._links.begun(self._records.kind, contact_key(event))
            found = self._records.find(contact)
            if found:
                own = self._was_made_for(event, found.hit.id, begun)
                link, sentence = self._adopt(event, contact, found, own=own)
            else:
                link, sentence = self._create(event, contact, begun)
        link = self._requesters.catch_up(event, link, contact)
        return link, sentence

    def _adopt(
        self, event: Event, contact: Contact, found: Found, *, own: bool = False
    ) -> tuple[Link, str]:
        """Link to a record that exists, filling in only what is empty there and proven, or what
        the settings allow. ``own``: it was made by an earlier try that was cut off."""
        values, held = self._records.values(contact), self._records.held(found.hit, contact)
        change = self._may_change(event, contact, found.hit.id, own=own)
        fill = proof.may_fill(contact) | change
        patch = {
            name: value
            for name, value in values.items()
            if value
            and value != held.get(name)
            and (
                (name in fill and not held.get(name))
                or (name in change and _just_changed(event, name))
            )
        }
        if "realname" in patch and "firstname" not in patch and held["firstname"]:
            # Half a name would make a whole one wrong.
            patch.pop("realname")
        patch = self._permitted(found.hit.id, patch, own=own)
        filled = bool(patch) and self._fill(found.hit.id, patch)
        if filled:
            held.update(patch)
        region = self._records.region
        by_email = found.means == "email"
        link = self._links.adopt(
            self._records.kind,
            contact_key(event),
            self._records.remote(
                found.hit.id,
                values,
                made=own,
                held=held,
                found={
                    "by": found.means,
                    "value": email_of(contact) if by_email else phone_of(contact, region),
                },
            ),
            version=_version(event),
        )
        for remark in proof.not_taken(values, held, contact):
            self._work.say(remark.sentence, value=remark.value)
        sentence = self._records.filled if filled else self._records.found
        return link, sentence.format(id=found.hit.id, means=found.means)

    def _may_change(
        self, event: Event, contact: Contact, number: int, *, own: bool
    ) -> frozenset[str]:
        """The values that may replace what stands in a record. The name of one that the hub made
        follows only the contact for which it was made, whatever the settings."""
        change = proof.may_change(self._work.config, contact, own=own)
        if not own and change & proof.NAMES and self._was_made_for_another(event, number):
            return change - proof.NAMES
        return change

    def _was_made_for(self, event: Event, number: int, begun: Intent | None) -> bool:
        """Whether a record is the one that an earlier try for this contact, which was cut off, has
        made. Another contact may have got the record since, with the same address."""
        if begun is None or not self._records.was_made_by(number, begun):
            return False
        return not self._was_made_for_another(event, number)

    def _was_made_for_another(self, event: Event, number: int) -> bool:
        links = self._links.with_remote(self._records.kind, str(number))
        return any(proof.is_own(one) and one.local_id != contact_key(event) for one in links)

    def _permitted(self, number: int, patch: Mapping[str, str], *, own: bool) -> dict[str, str]:
        """What of a patch may be written: to people who work in GLPI nothing from outside, apart
        from the name of a record that the hub made."""
        safe = {name: value for name, value in patch.items() if own and name != "email"}
        if len(safe) == len(patch) or not self._records.is_staff(number):
            return dict(patch)
        self._work.say(sentences.STAFF_LEFT, id=number)
        return safe

    def _fill(self, number: int, patch: Mapping[str, str]) -> bool:
        try:
            self._records.fill(number, patch)
        except Refused as refused:
            # Worth a word, but no reason to leave the customer without a ticket.
            self._work.context.progress(refused.sentence)
            return False
        return True

    def _take_proven(self, contact: Contact, link: Link) -> Link:
        """Write the number if this event is what proves it: a contact's own events prove none."""
        held, number = proof.held(link), int(link.remote_id)
        phone = self._records.values(contact)["phone"]
        own = proof.is_own(link)
        if "phone" not in proof.may_fill(contact) or phone in ("", held.get("phone")):
            return link
        if not own:
            held["phone"] = held.get("phone") or self._records.number_in(number)
        if own or not held["phone"]:
            patch = self._permitted(number, {"phone": phone}, own=own)
            if patch and self._fill(number, patch):
                held["phone"] = phone
        sent = {**link.data.get("sent", {}), "phone": phone}
        return self._links.update(link, data={**link.data, "held": held, "sent": sent})

    def _create(self, event: Event, contact: Contact, begun: Intent | None) -> tuple[Link, str]:
        values = self._records.values(contact)

        def create() -> Remote:
            created = self._records.create(event, contact)
            own = created.is_new or self._was_made_for(event, created.id, begun)
            return self._records.remote(created.id, values, made=own)

        def find(intent: Intent) -> Remote | None:
            number = self._records.find_cut_off(contact, intent)
            if number is None:
                return None
            own = self._was_made_for(event, number, intent)
            return self._records.remote(number, values, made=own)

        link = self._links.create_once(
            self._records.kind,
            contact_key(event),
            create=create,
            find=find,
            natural_key=self._records.natural_key(event, contact),
            version=_version(event),
        )
        return link, self._records.created.format(id=link.remote_id)

    def _update(self, event: Event, contact: Contact, link: Link) -> Done:
        version = event.version
        if version is not None and link.version is not None and version < link.version:
            raise Skip(sentences.OLDER)
        values = self._records.values(contact)
        sent = link.data.get("sent", {})
        patch = _patch(event, sent, values)
        # Version 1 split names at their first space only: such a name that has not changed stays.
        earlier = self._records.values(contact, PersonName.split(contact.name))
        if all(sent.get(name, "") == earlier[name] for name in proof.NAMES & earlier.keys()):
            patch = {name: value for name, value in patch.items() if name not in proof.NAMES}
        if not patch:
            if version is not None and version != link.version:
                self._links.update(link, version=version)
            raise Skip(sentences.NOTHING_CHANGED)
        if "email" not in patch:
            return self._apply(event, contact, link, patch)
        # Whoever is about to be made with this email must wait until it is here.
        keys = identity_keys(_by_email(contact), self._records.region)
        with self._work.context.identity(*keys):
            return self._apply(event, contact, link, patch)

    def _apply(self, event: Event, contact: Contact, link: Link, patch: Mapping[str, str]) -> Done:
        sent, held, own = dict(link.data.get("sent", {})), proof.held(link), proof.is_own(link)
        change = self._may_change(event, contact, int(link.remote_id), own=own)
        gained_email = own and "email" in patch and not sent.get("email")
        is_email_wanted = "email" in patch and "email" in change
        other = self._other_owner(contact, link) if gained_email or is_email_wanted else None
        if other and gained_email:
            # What we made from a phone number alone turns out to be someone GLPI knows.
            link, sentence = self._adopt(event, contact, other)
        else:
            to_write = {name: value for name, value in patch.items() if name in change}
            if other and to_write.pop("email", None):
                self._work.say(sentences.EMAIL_TAKEN, id=other.hit.id)
            to_write = self._permitted(int(link.remote_id), to_write, own=own)
            if to_write:
                self._write(link, to_write)
            held.update(to_write)
            seen = {**sent, **patch}
            # Before it is noted as seen: a try that is cut off must tell it again.
            self._tell(link, proof.not_taken(seen, held, contact, among=patch))
            now = self._work.context.clock.now().isoformat()
            data = {**link.data, "sent": seen, "held": held, "seen": now}
            link = self._links.update(link, data=data, version=event.version)
            sentence = self._records.left.format(id=link.remote_id)
            if to_write:
                fields = ", ".join(sorted(to_write))
                sentence = self._records.updated.format(id=link.remote_id, fields=fields)
        if "email" in patch and not sent.get("email"):
            link = self._requesters.catch_up(event, link, contact)
        return Done(sentence, link.url)

    def _tell(self, link: Link, remarks: list[Remark]) -> None:
        """Tell what is not taken over: in the story, and in the person's latest ticket."""
        for remark in remarks:
            self._work.say(remark.sentence, value=remark.value)
        ticket = self._links.get("ticket", str(link.data.get("ticket")))
        if ticket is not None:
            self._notices.add(ticket, self._notices.texts(remarks))

    def _write(self, link: Link, patch: Mapping[str, str]) -> None:
        try:
            self._records.write(int(link.remote_id), patch)
        except Refused as refused:
            if not self._records.is_there(int(link.remote_id)):
                raise Skip(self._mark_gone(link)) from refused
            right = rights.UPDATE_CONTACTS if self._work.config.use_contact else rights.UPDATE_USERS
            raise rights.explain(self._work.glpi, refused, right) from refused

    def _other_owner(self, contact: Contact, link: Link) -> Found | None:
        """Another record that has the contact's email."""
        found = self._records.find(_by_email(contact))
        return found if found and str(found.hit.id) != link.remote_id else None

    def _is_still_there(self, link: Link) -> bool:
        now = self._work.context.clock.now()
        seen = link.data.get("seen")
        if seen and now - datetime.fromisoformat(seen) < SEEN_LONG_AGO:
            return True
        if not self._records.is_there(int(link.remote_id)):
            self._work.context.progress(self._mark_gone(link))
            return False
        self._links.update(link, data={**link.data, "seen": now.isoformat()})
        return True

    def _mark_gone(self, link: Link) -> str:
        sentence = sentences.PERSON_GONE.format(
            record=self._records.kind.capitalize(), id=link.remote_id
        )
        self._links.mark_gone(link, sentence)
        return sentence


#: The contact's fields in the source -> the values that come from them.
_FROM_FIELD: Final = {
    "firstname": "name",
    "realname": "name",
    "name": "name",
    "phone": "phone_number",
    "email": "email",
}


def _just_changed(event: Event, name: str) -> bool:
    field = _FROM_FIELD[name]
    return name != "email" and event.changed(field, field.removesuffix("_number"))


def _patch(event: Event, sent: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """The values that differ from those sent last.

    A person who loses the name or the email in Chatwoot keeps it in GLPI. A creation may arrive
    after an update and be older, so it only adds what was not known.
    """
    changed = {name: value for name, value in values.items() if value != sent.get(name, "")}
    if event.name == CONTACT_CREATED:
        return {name: value for name, value in changed.items() if not sent.get(name)}
    changed = {
        name: value for name, value in changed.items() if value or name not in ("email", "name")
    }
    if not values.get("firstname") and not values.get("realname", values.get("name")):
        changed.pop("firstname", None)
        changed.pop("realname", None)
    return changed


def _by_email(contact: Contact) -> Contact:
    """The contact as far as its email tells."""
    return Contact(id=contact.id, email=email_of(contact))


def _version(event: Event) -> int | None:
    """Conversation events carry the version of the conversation, not of the contact."""
    return event.version if event.name.startswith("contact.") else None
