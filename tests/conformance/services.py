"""
The services that the suite holds to one conduct: how each is configured, and where its requests go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from comfygraph.emulator import Emulator, Faults, Received
from comfygraph.targets import get_target
from comfygraph.targets.base import Target

TOKEN = "tok-9f27c1a4e8d05b63"
APP_ID = "app-4711"
_KEY = rsa.generate_private_key(65537, 2048)
PRIVATE_KEY = _KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
PUBLIC_KEY = _KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
PLAIN = Faults(qps=0, lag=0)
"""An emulator that does nothing wrong, and answers as fast as it can."""


@dataclass(frozen=True)
class Service:
    """
    One way to talk with one service.

    Args:
        name: As the ids of the tests have it.
        target: The target's name.
        url: The setting that says where it is.
        routes: What a request is for → the globs that match it, as the knob `route` has them.
        settings: The credentials.
        options: What goes along with each submission.
        abilities: What it can do that not every service can.
    """

    name: str
    target: str
    url: str
    routes: Mapping[str, str]
    settings: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    abilities: frozenset[str] = frozenset()

    def make(self, base_url: str, **settings: str) -> Target:
        """
        Give the target for a service at an address.
        """
        return get_target(self.target, {**self.settings, self.url: base_url, **settings})

    def made_for(self, emulator: Emulator, **settings: str) -> Target:
        """
        Give the target for an emulator.
        """
        return self.make(emulator.url(), **settings)

    def purpose(self, request: Received) -> str:
        """
        Say what a request was for: a key of `routes`, or `""`.
        """
        place = f"{request.method} {request.path}"
        return next((what for what, glob in self.routes.items() if fnmatchcase(place, glob)), "")


_TAMS = {
    "check": "POST /v1/jobs/workflow/params/check",
    "submit": "POST /v1/jobs/workflow",
    "poll": "GET /v1/jobs/*",
    "cancel": "DELETE /v1/jobs/*",
    "download": "GET /resource-upload/*",
    "upload": "POST /v1/resource/image",
    "put": "PUT /resource-upload/*",
}
_CIVITAI = {
    "submit": "POST /v2/consumer/workflows",
    "find": "GET /v2/consumer/workflows",
    "poll": "GET /v2/consumer/workflows/*",
    "cancel": "PUT /v2/consumer/workflows/*",
    "upload": "POST /v2/consumer/blobs",
    "download": "GET /v2/consumer/blobs/*",
    "stream": "GET /v2/consumer/streaming-blobs/*",
}
_COMFYUI = {
    "submit": "POST /prompt",
    "poll": "GET /history*",
    "queue": "GET /queue",
    "cancel": "POST /[iq]*",
    "download": "GET /view*",
    "upload": "POST /upload/image",
}
_COMFYAPI = {
    "submit": "POST /api/v2/jobs",
    "find": "GET /api/v2/jobs",
    "stream": "GET /api/v2/jobs/*/events",
    "poll": "GET /api/v2/jobs/*[!s]",  # and not `…/events`
    "cancel": "POST /api/v2/jobs/*/cancel",
    "download": "GET /api/v2/files/*",
    "upload": "POST /api/v2/assets",
}
_KEYED = {"TAMS_KEEPS_REQUEST_ID": "1"}
"""The emulator answers a `requestId` that it has seen with the first job."""
_TAMS_CAN = frozenset(
    {"keyed", "failed node", "position", "transient", "expiring", "check", "upload", "check first"}
)
_CIVITAI_CAN = frozenset({"keyed", "find", "expiring", "check", "upload"})
SERVICES = (
    Service(
        "tams-bearer",
        "tams",
        "TAMS_BASE_URL",
        _TAMS,
        {"TAMS_API_KEY": TOKEN, **_KEYED},
        {},
        _TAMS_CAN,
    ),
    Service(
        "tams-rsa",
        "tams",
        "TAMS_BASE_URL",
        _TAMS,
        {"TAMS_APP_ID": APP_ID, "TAMS_PRIVATE_KEY": PRIVATE_KEY, **_KEYED},
        {},
        _TAMS_CAN,
    ),
    Service(
        "civitai-comfy",
        "civitai",
        "CIVITAI_API_URL",
        _CIVITAI,
        {"CIVITAI_API_TOKEN": TOKEN},
        {},
        _CIVITAI_CAN,
    ),
    Service(
        "civitai-custom",
        "civitai",
        "CIVITAI_API_URL",
        _CIVITAI,
        {"CIVITAI_API_TOKEN": TOKEN},
        {"step": "customComfy", "resources": ["urn:air:sd1:checkpoint:civitai:128713@128713"]},
        _CIVITAI_CAN | {"nodes", "failed node", "stream"},
    ),
    Service(
        "comfyui",
        "comfyui",
        "COMFYUI_URL",
        _COMFYUI,
        {"COMFYUI_TOKEN": TOKEN},
        {},
        frozenset(
            {"find", "parts", "nodes", "failed node", "position", "upload", "stream", "names"}
        ),
    ),
    Service(
        "comfyapi",
        "comfyapi",
        "COMFY_API_URL",
        _COMFYAPI,
        {"COMFY_API_TOKEN": TOKEN},
        {},
        frozenset({"failed node", "position", "expiring", "upload", "stream", "names"}),
    ),
)
