"""
`comfygraph civitai`: look into the orchestration of Civitai: workflows, steps, jobs, results.
"""

from __future__ import annotations

import click

from comfygraph.cli.civitai.files import blob, results
from comfygraph.cli.civitai.listing import user, workflows
from comfygraph.cli.civitai.looking import job, step, workflow
from comfygraph.cli.civitai.managing import cancel, services, tags, test


@click.group(short_help="Look into Civitai: workflows, steps, jobs, results, blobs.")
def civitai() -> None:
    """
    Look into the orchestration of Civitai: what was run there, how it is, what it made. To run a
    graph there, use `comfygraph submit --target civitai`.

    \b
    comfygraph civitai test                            is the token good?
    comfygraph civitai workflows --tag project:x       list and search workflows
    comfygraph civitai workflow ID --wait              one, followed to its end
    comfygraph civitai results ID --download           its pictures
    comfygraph civitai job ID                          a job, with its scans
    comfygraph civitai cancel ID

    \b
    Environment:
      CIVITAI_API_TOKEN   an API key of your account at civitai.com
      CIVITAI_API_URL     default https://orchestration.civitai.com

    \b
    What the service answers:
      401  the token is wrong or has expired: look at CIVITAI_API_TOKEN
      402, 403  not allowed, or not enough Buzz
      404  there is no such workflow, job or blob, or it is somebody else's
      400, 422  something in the question is wrong; the message says what
      429  too many requests: it is waited for as long as the service asks
      5xx  the service is in trouble: asked again a few times

    Dates are UTC unless they say otherwise. Every command has --json. Exit codes: 0 fine, 1 too
    late to cancel, 2 usage, 4 Civitai refused or is out of reach, 5 the workflow failed, 6 the
    deadline passed.
    """


for command in (
    test, workflows, user, workflow, step, job, results, blob, cancel, tags, services,
):  # fmt: skip
    civitai.add_command(command)
