"""
`comfygraph civitai workflows` and `user`: lists, page by page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING

import click

from comfygraph.cli.civitai.common import (
    cost_of,
    fitted,
    json_option,
    kinds_of,
    prompt_of,
    service,
    shown_time,
    state_of,
    texts,
)
from comfygraph.cli.output import print_json
from comfygraph.core.values import JsonValue
from comfygraph.errors import ExitCode, ProtocolError, UsageError
from comfygraph.lint.render.text import clean
from comfygraph.targets.reading import identifier, mapping, mappings

if TYPE_CHECKING:
    from comfygraph.targets.base import Exchange
    from comfygraph.targets.civitai.api import Listing
    from comfygraph.targets.civitai.calls import Page

MOST_PAGES = 10_000
LONGEST_USER_PAGE = 10
"""The service gives no more workflows of a user at once."""

_tag = click.option("--tag", "tags", multiple=True, metavar="TAG",
                    help="Only with this tag; repeated, all of them must be there.")  # fmt: skip
_query = click.option("--query", metavar="TEXT", default="", help="Look for TEXT in the metadata.")
_failed = click.option("--exclude-failed", "--excludeFailed", is_flag=True,
                       help="Leave out what failed, expired or was cancelled.")  # fmt: skip
_oldest = click.option("--oldest", is_flag=True, help="The oldest first.")
_cursor = click.option("--cursor", metavar="CURSOR", default="", help="Go on where a page ended.")


@click.command(short_help="List and search your workflows.")
@click.option("--take", type=click.IntRange(1, 1000), default=20, show_default=True,
              help="Workflows a page.")  # fmt: skip
@_cursor
@_tag
@_query
@click.option("--from", "from_date", metavar="DATE", default="", help="From this moment on.")
@click.option("--to", "to_date", metavar="DATE", default="",
              help="To this moment; a date alone is the end of that day.")  # fmt: skip
@_failed
@_oldest
@click.option("--hide-mature", is_flag=True, help="Leave out mature content.")
@click.option("--all", "everything", is_flag=True, help="Fetch page after page to the end.")
@json_option
def workflows(
    take: int,
    cursor: str,
    tags: tuple[str, ...],
    query: str,
    from_date: str,
    to_date: str,
    exclude_failed: bool,
    oldest: bool,
    hide_mature: bool,
    everything: bool,
    as_json: bool,
) -> int:
    """
    List your workflows, the newest first: id, status, when it was made, price, steps; then its
    tags and prompt.

    DATE is 2026-10-02 or 2026-10-02T06:00:00Z, UTC where it has no offset. The service can leave
    out what failed, and filter by no other status.

    \b
    comfygraph civitai workflows --tag project:x --tag type:image
    comfygraph civitai workflows --from 2026-10-01 --to 2026-10-07
    comfygraph civitai workflows --oldest --take 50 --exclude-failed
    comfygraph civitai workflows --query portrait --all --json

    Where there is more, the last line on stderr tells how to go on; with --json it is `next`.
    """
    from comfygraph.targets.civitai.api import Listing

    listing = Listing(
        take=100 if everything else take, cursor=cursor, tags=tags, query=query,
        from_date=from_date, to_date=to_date, exclude_failed=exclude_failed,
        oldest_first=oldest, hide_mature=hide_mature,
    )  # fmt: skip
    listing.parameters()  # a wrong date is told before credentials are asked for
    with service() as (target, web):
        pages = _pages(lambda wanted: web.run(target.api.workflows(wanted)), listing, everything)
        return _show(pages, as_json, ", or --all")


@click.command(short_help="List the workflows of a user; needs the token of a manager.")
@click.argument("user_id", metavar="USER_ID")
@click.option("--take", type=click.IntRange(1, LONGEST_USER_PAGE), default=LONGEST_USER_PAGE,
              show_default=True, help="Workflows a page, ten at most.")  # fmt: skip
@_cursor
@_tag
@_query
@_failed
@_oldest
@json_option
def user(
    user_id: str,
    take: int,
    cursor: str,
    tags: tuple[str, ...],
    query: str,
    exclude_failed: bool,
    oldest: bool,
    as_json: bool,
) -> int:
    """
    List the workflows of the user with this number, the newest first. Your own are in
    `comfygraph civitai workflows`; those of others need the token of a manager.

    \b
    comfygraph civitai user 12345 --take 5 --exclude-failed
    """
    from comfygraph.targets.civitai.api import Listing

    if not user_id.isascii() or not user_id.isdigit():
        raise UsageError(f"`{clean(user_id[:40])}` is no number of a user")
    listing = Listing(
        take=take, cursor=cursor, tags=tags, query=query,
        exclude_failed=exclude_failed, oldest_first=oldest,
    )  # fmt: skip

    def ask(wanted: Listing) -> Exchange[Page]:
        return target.api.user_workflows(user_id, wanted)

    with service() as (target, web):
        return _show(_pages(lambda wanted: web.run(ask(wanted)), listing, False), as_json)


def _pages(ask: Callable[[Listing], Page], listing: Listing, everything: bool) -> Iterator[Page]:
    """Yield the first page, or all of them."""
    seen = {listing.cursor}
    for _ in range(MOST_PAGES):
        page = ask(listing)
        yield page
        if not everything or not page.next:
            return
        if page.next in seen:
            raise ProtocolError("Civitai's list of workflows goes round in a circle")
        seen.add(page.next)
        listing = replace(listing, cursor=page.next)


def _show(pages: Iterator[Page], as_json: bool, other_way: str = "") -> int:
    """Print each page as it comes, and in the end how to go on."""
    items: list[JsonValue] = []
    count, rest = 0, ""
    for page in pages:
        rest = page.next
        count += len(page.items)
        if as_json:
            items += page.items
        else:
            for found in page.items:
                click.echo("\n".join(map(fitted, entry_lines(found))))
    if as_json:
        print_json({"items": items, "next": rest or None})
    elif not count:
        click.echo("no workflows", err=True)
    if rest and not as_json:
        click.echo(f"there is more: --cursor {quote(clean(rest))}{other_way}", err=True)
    return ExitCode.OK


def entry_lines(workflow: JsonValue) -> list[str]:
    """
    Give the lines that tell of one workflow in a list.
    """
    whole = mapping(workflow)
    # 79 columns with the longest of our own kinds of steps, so that a terminal need not cut them
    head = [
        f"{clean(identifier(whole.get('id'))) or '(no id)':<26}",
        f"{state_of(whole):<10}",
        shown_time(whole.get("createdAt"), "minutes"),
        f"{cost_of(whole):>8}",
        kinds_of(whole),
    ]
    lines = ["  ".join(head).rstrip()]
    tags = texts(whole.get("tags"))
    if tags:
        lines.append(f"    tags: {', '.join(tags)}")
    prompts = (prompt_of(step) for step in mappings(whole.get("steps")))
    lines += [f'    "{said}"' for said in prompts if said]
    return lines
