"""
`Emulator`: the server in a thread of its own, for synchronous callers.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.host import DEV_TOKEN, Check, Host, Received, Stats, default_check
from comfygraph.emulator.tams.keys import read_public_key
from comfygraph.errors import UsageError

if TYPE_CHECKING:
    from comfygraph.emulator.app import Services

Dialect: TypeAlias = Literal["comfyui", "tams", "civitai", "novita", "comfyapi"]
DIALECTS: tuple[Dialect, ...] = ("comfyui", "tams", "civitai", "novita", "comfyapi")
_START_SECONDS = 30.0


class Emulator:
    """
    A local server that speaks as the services do. Use it as a context manager.

    All dialects are on one port: ComfyUI at `/`, TAMS under `/v1`, Civitai under `/v2` (and its
    site under `/api/v1`), Novita under `/v2/model` and `/v3`, Comfy API under `/api/v2`.

    Args:
        dialects: The services to be; all of them by default.
        host: The address to listen on; nothing but loopback unless you insist.
        port: The port; 0 takes a free one.
        speed: Ticks a second: one step of a sampler, or any other node. 0 for no pauses.
        faults: What it does wrong; `Emulator.faults` can be set while it runs.
        out: Where files are kept (`output`, `temp`, `input`); a temporary folder by default.
        catalog: The classes that it has; the bundled core by default.
        check: Checks prompts; foretells the answer of a real server by default.
        token: The credential of TAMS, Civitai, Novita and Comfy API.
        any_token: Take any credential.
        comfyui_token: A bearer token that ComfyUI asks for, as behind a proxy.
        public_key: PEM of the RSA public key that TAMS signatures are checked with.
        app_id: The TAMS app that the key belongs to.
        clock: Seconds since 1970; decides what has expired.

    Raises:
        UsageError: There is no such dialect, the public key is none, the address cannot be
            listened on, or the libraries of the extra `emulator` are not installed.
    """

    def __init__(
        self,
        dialects: Iterable[Dialect] = DIALECTS,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 20.0,
        faults: Faults | None = None,
        out: Path | str | None = None,
        catalog: NodeCatalog | None = None,
        check: Check | None = None,
        token: str = DEV_TOKEN,
        any_token: bool = False,
        comfyui_token: str | None = None,
        public_key: bytes | None = None,
        app_id: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.dialects = tuple(dialects)
        unknown = [name for name in self.dialects if name not in DIALECTS]
        if unknown or not self.dialects:
            raise UsageError(
                f"there is no dialect `{', '.join(unknown)}`", hint=", ".join(DIALECTS)
            )
        if public_key is not None:
            read_public_key(public_key)
        catalog = catalog if catalog is not None else load_catalog()
        self._host = Host(
            catalog,
            check if check is not None else default_check(catalog),
            faults=faults if faults is not None else Faults(),
            token=token,
            any_token=any_token,
            comfyui_token=comfyui_token,
            public_key=public_key,
            app_id=app_id,
            clock=clock,
        )
        self._address = (host, port)
        self._speed = speed
        self._out = Path(out) if out is not None else None
        self._thread: threading.Thread | None = None
        self._server: Any = None
        self._services: Services | None = None
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._problem: BaseException | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Emulator {', '.join(self.dialects)} at {self._host.base_url or 'no address yet'}>"

    @property
    def faults(self) -> Faults:
        """What it does wrong. Setting it, to the same value even, starts its counts anew."""
        return self._host.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._host.counts.forget(faults)
        self._host.faults = faults

    @property
    def speed(self) -> float:
        """Ticks a second; can be set while it runs."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._speed = speed
        if self._services is not None:
            self._services.set_speed(speed)

    @property
    def folder(self) -> Path:
        """
        The folder that holds `output`, `temp` and `input`.

        Raises:
            UsageError: The emulator does not run.
        """
        if self._services is None:
            raise UsageError("the emulator is not running")
        return self._services.store.root

    def url(self, dialect: Dialect = "comfyui") -> str:
        """
        Give the base URL of a service, without a slash at the end.

        Raises:
            UsageError: The emulator does not run, or does not speak that dialect.
        """
        if not self._host.base_url:
            raise UsageError("the emulator is not running")
        if dialect not in self.dialects:
            raise UsageError(f"this emulator does not speak `{dialect}`")
        return self._host.base_url

    def stats(self) -> Stats:
        """
        Give the counts of requests and jobs so far.
        """
        return self._host.account.read()

    def received(self) -> list[Received]:
        """
        Give the requests that arrived so far, the oldest first; of very many the newest.
        """
        return self._host.account.kept()

    def start(self) -> None:
        """
        Start the server in a thread, and wait until it takes connections.
        """
        if self._thread is not None:
            raise UsageError("the emulator is already running")
        listener = self._listen()
        self._ready.clear()
        self._ended.clear()
        self._problem = None
        self._thread = threading.Thread(
            target=self._serve, args=(listener,), name="comfygraph-emulator", daemon=True
        )
        self._thread.start()
        self._ready.wait(_START_SECONDS)
        if self._problem is not None or not self._ready.is_set():
            problem, self._problem = self._problem, None
            self.stop()
            raise UsageError(f"the emulator did not start: {problem}") from problem

    def stop(self) -> None:
        """
        Stop the server: running jobs end, connections close, the thread is gone.
        """
        if self._thread is None:
            return
        if self._server is not None:
            self._server.ask_to_stop()
        self._ended.wait()
        self._thread.join()
        self._thread = None
        self._host.base_url = ""

    def run_forever(self, *, ready: Callable[[], None] | None = None) -> None:
        """
        Serve until interrupted (Ctrl-C, or SIGTERM in the main thread).

        Args:
            ready: Called once the server takes connections.
        """
        self.start()
        asked = signal.SIGTERM
        before = None
        try:
            if threading.current_thread() is threading.main_thread():
                # So that temporary files go away then, too.
                before = signal.signal(asked, signal.default_int_handler)
            if ready is not None:
                ready()
            # Not `Thread.join`: interrupted, it takes the thread for dead (Python 3.11).
            while not self._ended.wait(0.5):
                pass
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()
            if before is not None:
                signal.signal(asked, before)

    def _listen(self) -> socket.socket:
        try:
            from comfygraph.emulator import serving  # noqa: F401  # is the extra installed?
        except ImportError as exc:
            raise UsageError(
                f"the emulator needs `{exc.name}`",
                hint="pip install 'comfygraph[emulator]'",
            ) from exc
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Without its protocol number asyncio would leave Nagle's algorithm on: 40 ms an answer.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(256)
        except OSError as exc:
            listener.close()
            reason = exc.strerror or str(exc)
            raise UsageError(f"cannot listen on {host}:{port}: {reason}") from exc
        shown = f"[{host}]" if ":" in host else host
        self._host.base_url = f"http://{shown}:{listener.getsockname()[1]}"
        return listener

    def _serve(self, listener: socket.socket) -> None:
        try:
            with listener, suppress(asyncio.CancelledError):
                asyncio.run(self._main(listener))
        except Exception as exc:
            self._problem = exc
        finally:
            self._ready.set()
            self._ended.set()

    async def _main(self, listener: socket.socket) -> None:
        from comfygraph.emulator.app import Services
        from comfygraph.emulator.serving import QuickServer

        services = Services(self._host, self.dialects, self._out, self._speed)
        self._services = services
        try:
            services.start()
            self._server = QuickServer(services.app(), self._ready, services.end)
            await self._server.serve(sockets=[listener])
        finally:
            await services.stop()
            self._services = None
            self._server = None
