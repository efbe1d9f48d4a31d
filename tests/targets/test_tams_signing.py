"""
The RSA signature of TAMS: canonicalisation, and verification by another program.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from comfygraph.errors import UsageError
from comfygraph.targets import get_target
from comfygraph.targets.http import Secret
from comfygraph.targets.tams.signing import RsaAuth, load_private_key, string_to_sign


@pytest.fixture(scope="module")
def pem() -> str:
    """
    Make a private key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    return (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        .decode()
    )


@pytest.mark.parametrize(
    ("method", "url", "body", "size", "digest"),
    [
        (
            "post",
            "https://h.test/v1/jobs/workflow?x=1",
            b'{"requestId":"r-1","params":{}}',
            76,
            "4ccdb2bb1e9f5656b6801552bc1927e1941da98eb6fc779bf8401140af4d453c",
        ),
        (
            "GET",
            "https://h.test/v1/jobs/683082404926062625",
            b"",
            50,
            "b773dc5f7f0c6bc56fa0e93818fc844d902141e546d9b96fd3bd6c1e71fb5025",
        ),
    ],
)
def test_string_to_sign(method: str, url: str, body: bytes, size: int, digest: str) -> None:
    """
    The signed bytes are those of the service's own demo programs.
    """
    signed = string_to_sign(method, url, "1700000000", "abc123", body)

    assert (size, digest) == (len(signed), hashlib.sha256(signed).hexdigest())


def _parameters(header: str) -> dict[str, str]:
    scheme, _, rest = header.partition(" ")
    assert scheme == "TAMS-SHA256-RSA"
    return dict(part.split("=", 1) for part in rest.split(","))  # type: ignore[misc]  # pairs


def test_openssl_verifies(
    pem: str, tmp_path: Path, submission: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    `openssl` verifies the signature of a submit over exactly the bytes that are sent.
    """
    if which("openssl") is None:
        pytest.skip("openssl is not installed")
    key_file = tmp_path / "key.pem"
    key_file.write_text(pem)
    config = {
        "TAMS_APP_ID": "app-1",
        "TAMS_PRIVATE_KEY_FILE": str(key_file),
        "TAMS_BASE_URL": "https://h.test",
    }
    request = next(get_target("tams", config).submit(submission))
    header = request.wire_headers()["Authorization"]
    given = _parameters(header)
    (tmp_path / "signed").write_bytes(
        string_to_sign(
            request.method, request.url, given["timestamp"], given["nonce_str"], request.body
        )
    )
    (tmp_path / "signature").write_bytes(base64.b64decode(given["signature"]))
    run = {"cwd": tmp_path, "capture_output": True, "check": True}
    subprocess.run(["openssl", "rsa", "-in", "key.pem", "-pubout", "-out", "public.pem"], **run)
    verify = ["-verify", "public.pem", "-signature", "signature", "signed"]
    done = subprocess.run(["openssl", "dgst", "-sha256", *verify], **run)

    assert b"Verified OK\n" == done.stdout
    assert "app-1" == given["app_id"]
    assert "TAMS-SHA256-RSA ***" == request.masked()["headers"]["Authorization"]


def test_each_sending_is_signed_anew(pem: str) -> None:
    """
    Time and nonce are asked for each time the headers are.
    """
    times, nonces = iter([1.9, 2.0]), iter(["a", "b"])
    auth = RsaAuth("app", load_private_key(Secret(pem)), lambda: next(times), lambda: next(nonces))
    headers = [auth.headers("GET", "https://h/x", b"")["Authorization"].reveal() for _ in "12"]

    assert [("1", "a"), ("2", "b")] == [
        (given["timestamp"], given["nonce_str"]) for given in map(_parameters, headers)
    ]


def test_broken_key_is_not_quoted() -> None:
    """
    A text that is no key is refused without showing it.
    """
    text = "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----"
    with pytest.raises(UsageError) as caught:
        load_private_key(Secret(text))

    assert "c2VjcmV0" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__!r}"
