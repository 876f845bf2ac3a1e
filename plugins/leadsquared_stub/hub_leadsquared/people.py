"""Contacts: each person gets one lead, and keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from hub.sdk import (
    CONTACT_CREATED,
    Contact,
    Done,
    Event,
    Intent,
    KeepBack,
    Link,
    Remote,
    RetryLater,
    Skip,
)
from hub_leadsquared import proof, sentences
from hub_leadsquared.api.errors import Duplicate, LeadGone
from hub_leadsquared.api.leads import EMAIL, FIRST_NAME, LAST_NAME, MOBILE, PHONE, SOURCE
from hub_leadsquared.finders import BY_MARK, Found, find_lead
from hub_leadsquared.mappers.contact import (
    changes,
    earlier_name_parts,
    email_of,
    lead_values,
    same_phone,
)
from hub_leadsquared.marks import Marks, keys_in, name_in, natural_key
from hub_leadsquared.proof import Remark
from hub_leadsquared.searches import Progress, Searches
from hub_leadsquared.work import Work, contact_key, contact_of, reason_against
from hub_leadsquared.writes import UNIQUE, Writes, fields

_T = TypeVar("_T")
_KIND: Final = "lead"
#: Attribute -> the contact's field in the source that it comes from.
_FROM_FIELD: Final = {
    FIRST_NAME: "name",
    LAST_NAME: "name",
    PHONE: "phone_number",
    MOBILE: "phone_number",
}


class People:
    """Keeps contacts and their leads together."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._links = work.context.links
        self._leads = work.leadsquared.leads
        self._searches = Searches(work)
        self._writes = Writes(work)
        self._marks = Marks(work)

    def knows(self, event: Event) -> bool:
        """Whether the person has a lead, as far as the hub knows."""
        return self._links.get(_KIND, contact_key(event)) is not None

    def follow(self, event: Event) -> Done:
        """Bring the lead to what a contact event says.

        :raises Skip: nothing to do.
        """
        contact = contact_of(event)
        link = self._links.get(_KIND, contact_key(event))
        if link is None and (reason := reason_against(self._work, event)):
            raise Skip(reason)
        if link is None and not self._marks.keys(event):
            # Nothing is lost: whatever tells more shows the whole contact.
            return Done(sentences.NO_LEAD_YET)
        if link is None:
            link, sentence = self._find_or_create(event, contact)
            return Done(sentence, link.url)
        return self._update(event, contact, link)

    def ensure(self, event: Event) -> Link:
        """The person's lead, found or made if need be.

        :raises KeepBack: the contact has neither email nor phone number yet.
        :raises Skip: nor is it to be waited for.
        """
        link = self._links.get(_KIND, contact_key(event))
        if link is not None:
            return self._take_proven(contact_of(event), link)
        self._ask_for_person(event)
        link, sentence = self._find_or_create(event, contact_of(event))
        self._work.context.progress(sentence)
        return link

    def _ask_for_person(self, event: Event) -> None:
        config = self._work.config
        if self._marks.keys(event):
            return
        if config.waits_for_people:
            raise KeepBack(sentences.KEPT_BACK, days=config.keep_days)
        raise Skip(sentences.UNKNOWN_LEFT_OUT)

    def with_lead(self, event: Event, do: Callable[[Link], _T]) -> _T:
        """What ``do`` returns for the person's lead.

        A lead that LeadSquared no longer has is found or made again, and ``do`` tried once more.

        :raises LeadGone: it fails also for the lead that was just found or made.
        """
        lead = self.ensure(event)
        try:
            return do(lead)
        except LeadGone:
            again, _ = self._replace(event, lead)
            return do(again)

    def _find_or_create(self, event: Event, contact: Contact, own: str = "") -> tuple[Link, str]:
        """``own`` is the id of a lead that the hub made and that seemed to be gone."""
        keys = self._marks.keys(event)
        with self._work.context.identity(*keys):
            progress = self._searches.resume(event, keys)
            begun = self._links.begun(_KIND, contact_key(event))
            try:
                if not progress.searched and (found := self._find(contact, keys, begun)):
                    ours = found.lead.id == own or self._is_of_try(event, begun, found)
                    return self._adopt(event, contact, found, own=ours)
                progress = replace(progress, searched=True)
                if not progress.refused:
                    try:
                        return self._create(event, contact, keys)
                    except Duplicate:
                        # Somebody has made it since, or it is one that the search does not show.
                        progress = Progress(refused=True)
                    if found := self._find(contact, keys, begun):
                        ours = self._is_of_try(event, begun, found)
                        return self._adopt(event, contact, found, own=ours)
                    progress = Progress(searched=True, refused=True)
                return self._take(event, contact)
            except RetryLater as error:
                if error.throttled:
                    self._searches.keep(event, keys, progress)
                raise

    def _find(self, contact: Contact, keys: list[str], begun: Intent | None) -> Found | None:
        region, say = self._work.config.region, self._work.say
        found = find_lead(self._work.leadsquared, contact, region, say)
        return found or self._marks.find(keys, begun)

    def _is_of_try(self, event: Event, begun: Intent | None, found: Found) -> bool:
        """Whether a lead was made by a try that was cut off: it has the contact's mark, or was not
        there when that began; and no other contact's link says that it is its own."""
        if not self._is_new_since(event, begun, found) and found.means != BY_MARK:
            return False
        return not self._was_made_for_another(event, found.lead.id)

    def _is_new_since(self, event: Event, begun: Intent | None, found: Found) -> bool:
        """Whether a lead was looked for in vain before a try. Since then the contact may have given
        another address, which nobody looked for."""
        if begun is None or found.lead.value(SOURCE) != self._work.config.source:
            return False
        same = set(self._marks.keys(event)).intersection(keys_in(begun.natural_key))
        return any(key.startswith(f"{found.means}:") for key in same)

    def _was_made_for_another(self, event: Event, lead_id: str) -> bool:
        links = self._links.with_remote(_KIND, lead_id)
        return any(proof.is_own(one) and one.local_id != contact_key(event) for one in links)

    def _may_change(self, event: Event, lead_id: str, *, own: bool) -> frozenset[str]:
        """The attributes that may be replaced. The name of a lead that the hub made follows only
        the contact for which it was made, whatever the settings."""
        change = proof.may_change(self._work.config, contact_of(event), own=own)
        if not own and change & proof.NAMES and self._was_made_for_another(event, lead_id):
            return change - proof.NAMES
        return change

    def _take(self, event: Event, contact: Contact) -> tuple[Link, str]:
        """Link to the lead that LeadSquared knows by the number, though the search shows none.

        Nothing else is sent, and nothing of it is known: it is others', and stays as it is.

        :raises Duplicate: the contact has no number.
        """
        values, field = self._values(contact), self._work.config.phone_field
        number = values[field]
        if not number:
            raise Duplicate(sentences.DUPLICATE_UNSEEN)
        lead_id = self._leads.with_only_phone(field, number)
        self._work.say(sentences.PHONE_TAKEN)
        found = {"by": "phone", "value": number}
        link = self._links.adopt(
            _KIND,
            contact_key(event),
            self._remote(lead_id, values, made=False, held={field: number}, found=found),
            version=_version(event),
        )
        label = _label(lead_id, {field: number})
        return link, sentences.LEAD_FOUND.format(name=label, means="phone")

    def _replace(self, event: Event, link: Link) -> tuple[Link, str]:
        self._work.say(sentences.LEAD_REPLACED, id=link.remote_id)
        self._links.forget(link)
        own = link.remote_id if proof.is_own(link) else ""
        return self._find_or_create(event, contact_of(event), own)

    def _adopt(
        self, event: Event, contact: Contact, found: Found, *, own: bool
    ) -> tuple[Link, str]:
        """Link to a lead that exists, filling in only what is empty there and proven, or what the
        settings allow. ``own``: the hub made it."""
        config, lead, values = self._work.config, found.lead, self._values(contact)
        held = {name: lead.value(name) for name in values}
        if any(same_phone(contact, number, config.region) for number in lead.phones):
            held[config.phone_field] = values[config.phone_field]
        change = self._may_change(event, lead.id, own=own)
        fill = proof.may_fill(config, contact) | change
        patch = {
            name: value
            for name, value in values.items()
            if value
            and value != held[name]
            and (
                (name in fill and not held[name])
                or (name in change and event.changed(_FROM_FIELD.get(name, "")))
            )
        }
        if lead.phones and not event.changed("phone_number"):
            patch.pop(config.phone_field, None)
        if FIRST_NAME not in patch and lead.value(FIRST_NAME) not in ("", values[FIRST_NAME]):
            # Half a name would make a whole one wrong.
            patch.pop(LAST_NAME, None)
        # Linked first, with what the lead holds: should the rest be cut off, a later event sees
        # what is still to be written.
        seen = {**values, **{name: held[name] for name in patch}}
        link = self._links.adopt(
            _KIND,
            contact_key(event),
            self._remote(lead.id, seen, made=own, held=held, found=self._key(found, values)),
            version=_version(event),
        )
        sentence = sentences.LEAD_FOUND
        if patch and self._writes.fill(lead.id, patch):
            sentence = sentences.LEAD_FILLED
            held = {**held, **patch}
        self._tell(proof.not_taken(values, held, config, contact))
        link = self._links.update(link, data={**link.data, "sent": values, "held": held})
        return link, sentence.format(name=_label(lead.id, lead.values), means=found.means)

    def _take_proven(self, contact: Contact, link: Link) -> Link:
        """Write the number if this event is what proves it: a contact's own events prove none."""
        config, held, own = self._work.config, proof.held(link), proof.is_own(link)
        field, values = config.phone_field, self._values(contact)
        number = values[field]
        if field not in proof.may_fill(config, contact) or number in ("", held.get(field)):
            return link
        if own or (not held.get(field) and self._has_no_number(contact, link)):
            try:
                written = self._writes.fill(link.remote_id, {field: number})
            except LeadGone:
                return link  # as whoever works with the lead is about to see
            if written:
                held[field] = number
        sent = {**link.data["sent"], field: number}
        return self._links.update(link, data={**link.data, "sent": sent, "held": held})

    def _has_no_number(self, contact: Contact, link: Link) -> bool:
        """Whether the lead of a link, found by the contact's email, still has no number."""
        email = email_of(contact)
        leads = self._leads.with_email(email) if email else []
        return any(lead.id == link.remote_id and not lead.phones for lead in leads)

    def _create(self, event: Event, contact: Contact, keys: list[str]) -> tuple[Link, str]:
        values, mark = self._values(contact), self._marks.attributes(keys)
        held = values if any(values.values()) else {**values, FIRST_NAME: name_in(mark)}

        def create() -> Remote:
            known = {name: value for name, value in held.items() if value}
            lead_id = self._leads.create({**known, **mark, SOURCE: self._work.config.source})
            return self._remote(lead_id, values, made=True, held=held)

        def find(_: Intent) -> Remote | None:
            return None  # it was looked for a moment ago

        link = self._links.create_once(
            _KIND,
            contact_key(event),
            create=create,
            find=find,
            natural_key=natural_key(keys),
            version=_version(event),
        )
        return link, sentences.LEAD_CREATED.format(name=_label(link.remote_id, held))

    def _update(self, event: Event, contact: Contact, link: Link) -> Done:
        version = event.version
        if version is not None and link.version is not None and version < link.version:
            raise Skip(sentences.OLDER)
        sent, values = link.data["sent"], self._values(contact)
        patch = changes(sent, values, creation=event.name == CONTACT_CREATED)
        if (sent.get(FIRST_NAME, ""), sent.get(LAST_NAME, "")) == earlier_name_parts(contact):
            # Version 1 made this of a name that has not changed since, so it stays.
            names = (FIRST_NAME, LAST_NAME)
            patch = {name: value for name, value in patch.items() if name not in names}
        if not patch:
            if version is not None and version != link.version:
                self._links.update(link, version=version)
            raise Skip(sentences.NOTHING_CHANGED)
        config, held, own = self._work.config, proof.held(link), proof.is_own(link)
        change = self._may_change(event, link.remote_id, own=own)
        fill = proof.may_fill(config, contact)
        allowed = {
            name: value
            for name, value in patch.items()
            if name in change or (name in fill and not held.get(name))
        }
        try:
            written = self._writes.what_fits(link.remote_id, allowed) if allowed else {}
        except LeadGone:
            again, sentence = self._replace(event, link)
            return Done(sentence, again.url)
        left = {name: value for name, value in patch.items() if name not in allowed}
        held = {**held, **written}
        self._tell(proof.not_taken(values, held, config, contact, among=left))
        data = {**link.data, "sent": {**sent, **left, **written}, "held": held}
        self._links.update(link, data=data, version=version)
        name = _label(link.remote_id, held)
        if not written and allowed:
            raise Skip(sentences.TAKEN_BY_OTHER.format(fields=fields(allowed)))
        if not written:
            return Done(sentences.LEAD_LEFT.format(name=name), link.url)
        sentence = sentences.LEAD_UPDATED.format(name=name, fields=fields(written))
        return Done(sentence, link.url)

    def _tell(self, remarks: Sequence[Remark]) -> None:
        for remark in remarks:
            self._work.say(remark.sentence, value=remark.value)

    def _key(self, found: Found, values: Mapping[str, str]) -> dict[str, str]:
        """By which value of the contact the lead was found."""
        name = EMAIL if found.means == "email" else self._work.config.phone_field
        return {"by": found.means, "value": values[name]}

    def _values(self, contact: Contact) -> dict[str, str]:
        config = self._work.config
        return lead_values(contact, config.phone_field, config.region)

    def _remote(
        self,
        lead_id: str,
        sent: Mapping[str, str],
        *,
        made: bool,
        held: Mapping[str, str] | None = None,
        found: Mapping[str, str] | None = None,
    ) -> Remote:
        """The lead for a link: what the contact was when it was last looked at (``sent``), what the
        lead has (``held``), whether the hub ``made`` it, or by what it was ``found``."""
        data = {"sent": dict(sent), "held": dict(sent if held is None else held), "made": made}
        if found is not None and not made:
            data["found"] = dict(found)
        return Remote(lead_id, url=self._work.config.page(lead_id), data=data)


def _label(lead_id: str, values: Mapping[str, str]) -> str:
    """What a person recognises the lead by."""
    name = f"{values.get(FIRST_NAME, '')} {values.get(LAST_NAME, '')}".strip()
    named = (name, *(values.get(attribute, "") for attribute in UNIQUE), lead_id)
    return next(text for text in named if text)


def _version(event: Event) -> int | None:
    """Conversation events carry the version of the conversation, not of the contact."""
    return event.version if event.name.startswith("contact.") else None
