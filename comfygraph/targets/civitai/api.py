"""
The calls of Civitai's orchestration API, one exchange each: what `CivitaiTarget` and the commands
of `comfygraph civitai` are made of.

Every exchange raises `comfygraph.errors.TargetError` where the service refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comfygraph.core.values import JsonValue
from comfygraph.errors import UsageError
from comfygraph.targets.base import Exchange
from comfygraph.targets.civitai.calls import (
    DEFAULT_BASE_URL,
    Page,
    done,
    quoted,
    read_object,
    read_page,
    word,
)
from comfygraph.targets.civitai.options import LONGEST_TAG
from comfygraph.targets.civitai.store import StoreCalls
from comfygraph.targets.civitai.times import moment
from comfygraph.targets.http import Auth, HttpRequest, Resend
from comfygraph.targets.reading import mapping

WORKFLOWS = "/v2/consumer/workflows"
MOST_WAIT = 60
"""The longest that a request may be held by the service, in seconds."""

_PATCH = {"Accept": "application/json", "Content-Type": "application/json-patch+json"}


@dataclass(frozen=True, slots=True)
class Listing:
    """
    Which workflows to list.

    Args:
        take: How many at once, 1 to 1000.
        cursor: Where to go on: `next` of the page before.
        tags: All of them must be there.
        query: A text to look for in the metadata.
        from_date: The first moment, as `comfygraph.targets.civitai.times.moment` takes it.
        to_date: The last one; a date alone is the end of that day.
        exclude_failed: Leave out what failed, expired or was cancelled.
        oldest_first: The other way round.
        hide_mature: Leave out mature content.
    """

    take: int = 100
    cursor: str = ""
    tags: tuple[str, ...] = ()
    query: str = ""
    from_date: str = ""
    to_date: str = ""
    exclude_failed: bool = False
    oldest_first: bool = False
    hide_mature: bool = False

    def parameters(self) -> list[tuple[str, str]]:
        """
        Give the query.

        Raises:
            UsageError: A date is none, or `take` is out of range.
        """
        if not 1 <= self.take <= 1000:
            raise UsageError("`take` is a whole number from 1 to 1000")
        out = [("take", str(self.take)), ("hideMatureContent", word(self.hide_mature))]
        out += [("tags", tag) for tag in self.tags]
        for name, value in (
            ("cursor", self.cursor),
            ("query", self.query),
            ("fromDate", moment(self.from_date) if self.from_date else ""),
            ("toDate", moment(self.to_date, end=True) if self.to_date else ""),
            ("excludeFailed", "true" if self.exclude_failed else ""),
            ("ascending", "true" if self.oldest_first else ""),
        ):
            if value:
                out.append((name, value))
        return out


class CivitaiApi(StoreCalls):
    """
    All calls of one account.

    Args:
        auth: `bearer(...)` of an API key.
        base_url: Where the orchestration API is.
    """

    def __init__(self, *, auth: Auth, base_url: str = DEFAULT_BASE_URL) -> None:
        super().__init__(auth=auth, base_url=base_url)
        self.holds = True
        """Whether the service takes `wait` as seconds; old ones take a boolean."""

    def submit(
        self, body: JsonValue, *, hide_mature: bool = False, whatif: bool = False
    ) -> HttpRequest:
        """
        Make the request that hands a workflow in. Under `externalId` it may be sent again.
        """
        query = {"whatif": "true"} if whatif else {}
        query["hideMatureContent"] = word(hide_mature)
        keyed = whatif or isinstance(mapping(body).get("externalId"), str)
        resend = Resend.ALWAYS if whatif else Resend.SAME_KEY if keyed else Resend.NEVER
        return self.request("POST", WORKFLOWS, query, body, resend=resend)

    def whatif(self, body: JsonValue) -> Exchange[dict[str, JsonValue]]:
        """
        Have a workflow priced; nothing runs. Any `externalId` is left out, since the service would
        answer a later submit under it with the estimate.
        """
        template = {name: item for name, item in mapping(body).items() if name != "externalId"}
        response = yield self.submit(template, whatif=True)
        return read_object(response, "workflow")

    def workflows(self, listing: Listing) -> Exchange[Page]:
        """
        List workflows, newest first.
        """
        response = yield self.request("GET", WORKFLOWS, listing.parameters())
        return read_page(response)

    def workflow(
        self, workflow_id: str, *, wait: int = 0, hide_mature: bool = False
    ) -> Exchange[tuple[dict[str, JsonValue], bool]]:
        """
        Ask for a workflow.

        Args:
            workflow_id: Its id.
            wait: Seconds that the service may hold the answer until something changes, 0 to 60.
                Services that know no `until` hold it until the end. Old ones take `wait` as a
                boolean and refuse a number; it is then left out for good.
            hide_mature: Whether mature results are left out.

        Returns:
            The workflow, and whether the service took the wait.
        """
        path = workflow_path(workflow_id)
        query = {"hideMatureContent": word(hide_mature)}
        held = min(wait, MOST_WAIT) if self.holds else 0
        if held > 0:
            waiting = {**query, "wait": str(held), "until": "change"}
            response = yield self.request("GET", path, waiting, timeout=held + 30.0)
            if response.status != 400:
                return read_object(response, "workflow"), True
        response = yield self.request("GET", path, query)
        found = read_object(response, "workflow")
        if held > 0:
            self.holds = False
        return found, False

    def update(
        self, workflow_id: str, change: JsonValue, *, whatif: bool = False
    ) -> Exchange[dict[str, JsonValue]]:
        """
        Change `status` (to `canceled`), `metadata`, `tags` or `allowMatureContent` of a workflow.
        Gives the workflow; newer services answer with it, of older ones it is asked for.
        """
        path = workflow_path(workflow_id)
        query = {"whatif": "true"} if whatif else {}
        response = yield self.request("PUT", path, query, change)
        if response.ok and not response.body.strip():
            response = yield self.request("GET", path, {"hideMatureContent": "false"})
        return read_object(response, "workflow")

    def patch(self, workflow_id: str, operations: JsonValue) -> Exchange[None]:
        """
        Change a workflow by JSON Patch (RFC 6902).
        """
        path = workflow_path(workflow_id)
        done((yield self.request("PATCH", path, (), operations, headers=_PATCH)), "workflow")

    def cancel(self, workflow_id: str) -> Exchange[dict[str, JsonValue]]:
        """
        Cancel a workflow; what it has cost so far is not given back.
        """
        return self.update(workflow_id, {"status": "canceled"})

    def delete(self, workflow_id: str) -> Exchange[None]:
        """
        Remove a workflow, and stop it; may give the money back where no work has started.
        """
        done((yield self.request("DELETE", workflow_path(workflow_id))), "workflow")

    def add_tag(self, workflow_id: str, tag: str) -> Exchange[None]:
        """
        Add a tag; a workflow has ten at most.
        """
        path = f"{workflow_path(workflow_id)}/tags"
        done((yield self.request("POST", path, (), checked_tag(tag))), "workflow")

    def remove_tag(self, workflow_id: str, tag: str | None = None) -> Exchange[None]:
        """
        Remove a tag, or all of them with `None`.
        """
        path = f"{workflow_path(workflow_id)}/tags"
        if tag is not None:
            path += f"/{quoted(checked_tag(tag))}"
        done((yield self.request("DELETE", path)), "workflow or tag")

    def step(self, workflow_id: str, step_name: str) -> Exchange[dict[str, JsonValue]]:
        """
        Ask for one step; a step without a name is called by its index.
        """
        path = f"{workflow_path(workflow_id)}/steps/{quoted(step_name)}"
        return read_object((yield self.request("GET", path)), "workflow or step")

    def update_step(
        self, workflow_id: str, step_name: str, metadata: Mapping[str, JsonValue]
    ) -> Exchange[None]:
        """
        Replace the metadata of a step.
        """
        path = f"{workflow_path(workflow_id)}/steps/{quoted(step_name)}"
        done((yield self.request("PUT", path, (), {"metadata": dict(metadata)})), "step")

    def job(self, job_id: str) -> Exchange[dict[str, JsonValue]]:
        """
        Ask the older interface for a job: its last event, its scans, its result.
        """
        path = f"/v1/consumer/jobs/{quoted(job_id)}"
        return read_object((yield self.request("GET", path, {"detailed": "true"})), "job")

    def user_workflows(self, user_id: str, listing: Listing) -> Exchange[Page]:
        """
        List the workflows of a user, ten at most; needs the token of a manager.
        """
        query = [("UserId", user_id), ("Take", str(min(listing.take, 10)))]
        query += [("Tags", tag) for tag in listing.tags]
        for name, value in (
            ("Cursor", listing.cursor),
            ("Query", listing.query),
            ("ExcludeFailed", "true" if listing.exclude_failed else ""),
            ("Inverse", "true" if listing.oldest_first else ""),
        ):
            if value:
                query.append((name, value))
        return read_page((yield self.request("GET", "/v1/manager/workflows", query)))


def checked_tag(tag: str) -> str:
    """
    Give a tag back.

    Raises:
        UsageError: It is empty or too long. Without a name at its end, the address of a tag to be
            removed is that of all tags.
    """
    if not 0 < len(tag) <= LONGEST_TAG:
        raise UsageError(f"a tag has 1 to {LONGEST_TAG} characters")
    return tag


def workflow_path(workflow_id: str) -> str:
    """
    Give the path of a workflow; an id is opaque and cannot leave its place.

    Raises:
        UsageError: The id is not known.
    """
    if not workflow_id:
        raise UsageError("the id of the job is not known", hint="look it up by its key first")
    return f"{WORKFLOWS}/{quoted(workflow_id)}"
