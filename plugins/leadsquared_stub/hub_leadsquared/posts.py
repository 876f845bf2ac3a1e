"""Activities of leads, each posted once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.sdk import Event, Intent, Link, NeedsAttention, Remote
from hub_leadsquared import sentences
from hub_leadsquared.api.errors import LeadGone
from hub_leadsquared.mappers.text import fingerprint
from hub_leadsquared.people import People
from hub_leadsquared.work import Work


@dataclass(frozen=True, slots=True)
class Post:
    """An activity to be posted: ``kind`` and ``local_id`` name it among the links.

    ``told`` are the remarks about the person that its note begins with.
    """

    kind: str
    local_id: str
    code: int
    note: str
    at: datetime
    told: tuple[str, ...] = ()


class Posts:
    """Posts activities."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._links = work.context.links
        self._activities = work.leadsquared.activities

    def post(self, event: Event, post: Post) -> Link:
        """The link to the activity, posted to the lead of the event's contact if it is not yet.

        :raises KeepBack: the contact has neither email nor phone number yet.
        :raises NeedsAttention: LeadSquared does not know the activity type any more.
        """

        def on(lead: Link) -> Link:
            return self._links.create_once(
                post.kind,
                post.local_id,
                create=lambda: self._create(lead, post),
                find=lambda intent: self._find(lead, post, intent),
                natural_key=fingerprint(post.note),
            )

        try:
            return People(self._work).with_lead(event, on)
        except LeadGone as error:
            # The lead was there a moment ago, so it is the type that is missing.
            raise NeedsAttention(sentences.ACTIVITY_TYPE_GONE) from error

    def _create(self, lead: Link, post: Post) -> Remote:
        number = self._activities.create(lead.remote_id, post.code, post.note, post.at)
        return Remote(number, url=lead.url, data={"told": list(post.told)})

    def _find(self, lead: Link, post: Post, intent: Intent) -> Remote | None:
        """The activity that a try made which was cut off: activities are told by their notes."""
        for activity in self._activities.of_type(lead.remote_id, post.code):
            same = any(fingerprint(text) == intent.natural_key for text in activity.texts)
            if same and not self._links.with_remote(post.kind, activity.id):
                self._work.say(sentences.ACTIVITY_FOUND, id=activity.id)
                return Remote(activity.id, url=lead.url, data={"told": list(post.told)})
        return None
