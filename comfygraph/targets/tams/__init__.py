"""
TAMS: the graph service of TensorArt (`ap-east-1.tensorart.cloud`) and Tusi.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from comfygraph.errors import UsageError
from comfygraph.targets.http import Auth, Secret, bearer
from comfygraph.targets.tams.access import read_access_keys
from comfygraph.targets.tams.target import CANCEL_STYLES, DEFAULT_BASE_URL, TamsTarget
from comfygraph.targets.tams.webhook import job_of_call

__all__ = [
    "CANCEL_STYLES",
    "DEFAULT_BASE_URL",
    "TamsTarget",
    "auth_from_config",
    "from_config",
    "job_of_call",
]


def from_config(name: str, config: Mapping[str, str]) -> TamsTarget:
    """
    Make the target from `TAMS_API_KEY`, or `TAMS_APP_ID` with `TAMS_PRIVATE_KEY_FILE` (or the key
    itself in `TAMS_PRIVATE_KEY`), and `TAMS_BASE_URL`, `TAMS_CANCEL_STYLE` (auto, post, delete),
    `TAMS_KEEPS_REQUEST_ID`, `TAMS_CHECK` (off submits without a check), `TAMS_NOTIFY_URL`, and
    the keys of private models (`read_access_keys`).

    Raises:
        UsageError: A setting is missing or wrong, or the key file cannot be read.
    """
    check = (config.get("TAMS_CHECK") or "on").lower()
    if check not in ("on", "off"):
        raise UsageError("TAMS_CHECK is neither on nor off")
    return TamsTarget(
        auth=auth_from_config(config),
        base_url=config.get("TAMS_BASE_URL") or DEFAULT_BASE_URL,
        cancel_style=config.get("TAMS_CANCEL_STYLE") or "auto",
        keeps_request_id=config.get("TAMS_KEEPS_REQUEST_ID", "") in ("1", "true", "yes"),
        name=name,
        account=_account(config),
        access=read_access_keys(config),
        notify_url=config.get("TAMS_NOTIFY_URL", ""),
        check_first=check == "on",
    )


def _account(config: Mapping[str, str]) -> str:
    """
    Tell keys apart without holding one: jobs of the same key share its rate limit.
    """
    token = config.get("TAMS_API_KEY", "").strip()
    known = f"key {token}" if token else f"app {config.get('TAMS_APP_ID', '').strip()}"
    return sha256(known.encode()).hexdigest()[:12]


def auth_from_config(config: Mapping[str, str]) -> Auth:
    """
    Give the credentials that the settings hold; see `from_config`.

    Raises:
        UsageError: They hold none, or the key file cannot be read.
    """
    token = config.get("TAMS_API_KEY", "").strip()
    if token:
        return bearer(Secret(token))
    app_id = config.get("TAMS_APP_ID", "").strip()
    pem = config.get("TAMS_PRIVATE_KEY", "")
    key_file = config.get("TAMS_PRIVATE_KEY_FILE", "")
    if not app_id or not (pem or key_file):
        raise UsageError(
            "no credentials for TAMS",
            hint="set TAMS_API_KEY, or TAMS_APP_ID and TAMS_PRIVATE_KEY_FILE",
        )
    if not pem:
        try:
            pem = Path(key_file).read_text(encoding="ascii")
        except (OSError, ValueError) as exc:
            raise UsageError(
                f"cannot read the private key file `{key_file}`",
                hint="TAMS_PRIVATE_KEY_FILE names a PEM file",
            ) from exc
    from comfygraph.targets.tams.signing import RsaAuth, load_private_key

    return RsaAuth(app_id, load_private_key(Secret(pem)))
