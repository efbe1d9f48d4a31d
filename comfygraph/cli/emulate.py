"""
`comfygraph emulate`: serve a local stand-in of the services until Ctrl-C.
"""

from __future__ import annotations

from pathlib import Path

import click

DIALECT_NAMES = ("comfyui", "tams", "civitai", "novita", "comfyapi")


@click.command()
@click.argument("dialects", nargs=-1, metavar="[comfyui|tams|civitai|novita|comfyapi]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8188,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--speed",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Ticks a second: a sampler's step, or any other node. 0 for no pauses.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep files here (output, temp, input); else in a temporary folder.",
)
@click.option(
    "--fault",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Do something wrong on purpose; may be repeated. `--fault help` explains all.",
)
@click.option(
    "--catalog",
    "catalog_path",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="The classes to have, as `/object_info` lists them; else the bundled core.",
)
@click.option("--any-token", is_flag=True, help="Take any credential.")
@click.option(
    "--public-key",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="PEM of the RSA key that TAMS signatures are checked with.",
)
def emulate(
    dialects: tuple[str, ...],
    host: str,
    port: int,
    speed: float,
    out: Path | None,
    settings: tuple[str, ...],
    catalog_path: Path | None,
    any_token: bool,
    public_key: Path | None,
) -> None:
    """
    Serve a local stand-in of ComfyUI, TAMS, Civitai, Novita and Comfy API v2.

    It checks credentials and graphs as the services do, walks the graph node by node, and makes
    placeholder pictures of the right size. All services are on one port. Ctrl-C stops it.

    \b
    comfygraph emulate                                   all services, port 8188
    comfygraph emulate comfyui --speed 5                 one of them, slowly
    comfygraph emulate tams --fault too_many=2 --fault retry_after=1

    Exit codes: 0 stopped, 2 wrong options, or the address cannot be listened on.
    """  # fmt: skip
    from comfygraph.emulator.faults import Faults, knobs

    if "help" in settings:
        formatter = click.HelpFormatter(max_width=100)
        rows = [(f"{name}={default}", text) for name, default, text in knobs()]
        formatter.write_dl(rows, col_max=28)
        click.echo(formatter.getvalue(), nl=False)
        return
    unknown = [name for name in dialects if name not in DIALECT_NAMES]
    if unknown:
        raise click.UsageError(
            f"there is no service {unknown[0]!r} to stand in for; "
            f"there are {', '.join(DIALECT_NAMES)}"
        )
    faults = Faults().changed(settings)

    from comfygraph.catalog import load_catalog
    from comfygraph.emulator.host import DEV_TOKEN
    from comfygraph.emulator.server import DIALECTS, Emulator

    emulator = Emulator(
        [name for name in DIALECTS if not dialects or name in dialects],
        host=host,
        port=port,
        speed=speed,
        faults=faults,
        out=out,
        catalog=load_catalog(catalog_path),
        any_token=any_token,
        public_key=public_key.read_bytes() if public_key is not None else None,
    )

    def announce() -> None:
        for dialect in emulator.dialects:
            click.echo(f"{dialect:<8} {emulator.url(dialect)}")
        click.echo(f"token    {'any' if any_token else DEV_TOKEN}")
        click.echo(f"files    {emulator.folder}")
        click.echo("pictures are placeholders; Ctrl-C stops", err=True)

    emulator.run_forever(ready=announce)
