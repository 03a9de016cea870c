"""Sign-in by OpenID Connect, against an identity provider of our own: who signed in is who approves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import expect

from tests.app.browsing import WAIT, chromium, free_port, reading, serving, settle

if TYPE_CHECKING:
    import pytest

    from drivetrain import Run

PERSON = {"sub": "1", "email": "ada@example.org", "name": "Ada Lovelace"}


@contextmanager
def provider(client: str) -> Iterator[str]:
    """The address of an identity provider that says yes, and that everyone is Ada."""
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    key, nonces = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}), dict[str, str]()

    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/authorize":
                nonces["code"] = asked["nonce"]
                self.send_response(302)
                told = urlencode({"code": "code", "state": asked["state"]})
                self.send_header("location", f"{asked['redirect_uri']}?{told}")
                self.end_headers()
            elif parts.path == "/keys":
                self._say({"keys": [key.as_dict(private=False)]})
            else:
                self._say(
                    {
                        "issuer": address,
                        "authorization_endpoint": f"{address}/authorize",
                        "token_endpoint": f"{address}/token",
                        "jwks_uri": f"{address}/keys",
                        "id_token_signing_alg_values_supported": ["RS256"],
                    }
                )

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            now = int(time.time())
            about = {"iss": address, "aud": client, "iat": now, "exp": now + 600, "nonce": nonces["code"]}
            token = jwt.encode({"alg": "RS256", "kid": "one"}, about | PERSON, key)
            self._say({"access_token": "none", "token_type": "Bearer", "expires_in": 600, "id_token": token})

        def log_message(self, *_: Any) -> None:
            """Nothing."""

        def _say(self, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield address
    finally:
        server.shutdown()


def test_who_signed_in_is_who_approves(small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIVETRAIN_LOG", f"sqlite:///{tmp_path}/log.sqlite")
    port = free_port()
    with provider("drivetrain") as issuer:
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit" / "secrets.toml").write_text(
            f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\ncookie_secret = "{"x" * 40}"\n'
            f'client_id = "drivetrain"\nclient_secret = "no secret"\n'
            f'server_metadata_url = "{issuer}/.well-known/openid-configuration"\n',
            encoding="utf-8",
        )
        with (
            serving(tmp_path, str(small_run.folder), port=port, AUTHLIB_INSECURE_TRANSPORT="1") as site,
            chromium() as browser,
            reading(browser, site) as page,
        ):
            expect(page.get_by_text("Sign in to see the runs")).to_be_visible(timeout=WAIT)
            assert page.get_by_text("What should a ticket cost?").count() == 0
            settle(page)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_text("Signed in as ada@example.org")).to_be_visible(timeout=WAIT)
            expect(page.get_by_role("heading", name="What should a ticket cost?")).to_be_visible(timeout=WAIT)
            settle(page)
            page.get_by_text("Approve or reject").click()
            expect(page.get_by_label("Your name")).to_be_disabled()
            page.get_by_label("Why").fill("clear enough")
            page.get_by_role("button", name="Approve", exact=True).click()
            expect(page.get_by_text("approved by ada@example.org")).to_be_visible(timeout=WAIT)
    (signed,) = small_run.logbook().now.signatures
    assert (signed.by, signed.reason, signed.verdict) == ("ada@example.org", "clear enough", "approved")
