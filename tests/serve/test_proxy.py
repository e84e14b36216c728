"""docs/classroom.md's proxies before a server, run as they stand there: TLS, a name and a path of their own."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serve.chromium import PROGRAM, Chromium
from tests.serve.served import Served
from tests.terminal.app import ready
from tests.terminal.test_classroom import block

aiohttp: Any = pytest.importorskip("aiohttp", reason="needs the extra serve")
pytest.importorskip("textual_serve", reason="needs the extra serve")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl, for a certificate"),
]

NAME = "class.example.org"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def changed(text: str, **changes: str) -> str:
    for old, new in changes.items():
        assert old in text, (old, text)
        text = text.replace(old, new)
    return text


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def served(tmp_path: Path, port: int) -> Iterator[Served]:
    with Served(tmp_path, "--free", "--public-url", f"https://{NAME}:{port}/rnnviz") as server:
        assert server.address.startswith(f"https://{NAME}:{port}/rnnviz/")
        yield server


def start(command: list[str], port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                raise AssertionError(process.communicate()[0].decode()) from None
            time.sleep(0.05)


async def through(served: Served, port: int) -> None:
    """The page comes through the proxy, a websocket with its origin is opened, and one with another is not."""
    unknown = ssl.create_default_context()
    unknown.check_hostname, unknown.verify_mode = False, ssl.CERT_NONE
    to_here = aiohttp.TCPConnector(ssl=unknown, resolver=Here())
    async with aiohttp.ClientSession(connector=to_here) as http:
        async with http.get(served.address) as answer:
            assert answer.status == 200
            assert f"wss://{NAME}:{port}" in answer.headers["Content-Security-Policy"]
        async with http.get(served.address[:-1]) as answer:
            assert str(answer.url) == served.address
        async with http.get(served.address.replace(served.token, "wrong")) as answer:
            assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(served.address + "ws", headers={"Origin": "https://attacker.example"})
        async with http.ws_connect(served.address + "ws", headers={"Origin": f"https://{NAME}:{port}"}) as websocket:
            assert (await websocket.receive()).type is aiohttp.WSMsgType.BINARY
        served.wait_for_no_app()


class Here(aiohttp.abc.AbstractResolver):  # type: ignore[misc]
    """Every name is this machine."""

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[dict[str, Any]]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None: ...


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
async def test_nginx(served: Served, port: int, tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}", "-days", "2",
         "-keyout", tmp_path / "key", "-out", tmp_path / "pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    server = changed(
        block("nginx"),
        **{
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            f"/etc/ssl/certs/{NAME}.pem": f"{tmp_path}/pem",
            f"/etc/ssl/private/{NAME}.key": f"{tmp_path}/key",
            "http://127.0.0.1:8080/": f"{served.origin}/",
        },
    )
    folders = "".join(
        f"{kind}_temp_path {tmp_path}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    log = tmp_path / "access.log"
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ {folders} access_log {log};\n{server}\n}}\n"
    )
    process = start(["nginx", "-c", str(tmp_path / "nginx.conf")], port)
    try:
        await through(served, port)
        if PROGRAM is not None:
            flags = ("--ignore-certificate-errors", f"--host-resolver-rules=MAP {NAME} 127.0.0.1")
            async with Chromium(tmp_path / "chromium", *flags) as chromium:
                page = await chromium.open(served.address)
                await page.until(lambda text: ready(text.splitlines() or [""]))
                await page.press("ArrowRight")
                await page.until("t = 1")
                assert not page.problems
        assert served.token not in log.read_text()
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.skipif(shutil.which("caddy") is None, reason="needs Caddy")
async def test_caddy(served: Served, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "caddy"))
    site = changed(
        block("caddy"),
        **{
            f"{NAME} {{": f"https://{NAME}:{port} {{\n    tls internal\n    bind 127.0.0.1",
            "127.0.0.1:8080": served.origin.removeprefix("http://"),
        },
    )
    settings = "admin off\nskip_install_trust\nauto_https disable_redirects\n"
    (tmp_path / "Caddyfile").write_text(f"{{\n{settings}}}\n{site}")
    process = start(["caddy", "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"], port)
    try:
        await through(served, port)
    finally:
        process.terminate()
        process.communicate()
