"""Who may come in: tokens, names and origins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnviz.errors import InputError
from rnnviz.serving.guard import Address, Guard, new_token, token_of

HERE = "127.0.0.1:8080"


@pytest.mark.parametrize(
    ("host", "answers"),
    [
        (HERE, True),
        ("localhost:8080", True),
        ("LOCALHOST", True),
        ("[::1]:8080", True),
        ("192.0.2.7:8080", True),  # nobody can have a number point elsewhere
        ("lab.example.org", True),
        ("LAB.example.org:443", True),
        ("attacker.example:8080", False),
        ("127.0.0.1.attacker.example:8080", False),
        ("localhost.attacker.example", False),
        ("lab.example.org.attacker.example", False),
        ("lab.example.org@attacker.example", False),
        ("localhost:8080; script-src *", False),
        ("localhost/", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_it_answers_to_its_own_names_only(host: str, answers: bool) -> None:
    guard = Guard("token", {"127.0.0.1"}, Address.read("https://lab.example.org/rnnviz"))
    assert guard.answers_to(host) is answers


@pytest.mark.parametrize(
    ("origin", "lets"),
    [
        (f"http://{HERE}", True),
        (f"https://{HERE}", True),
        ("https://lab.example.org", True),
        ("http://lab.example.org", False),  # the name was given with https
        ("https://lab.example.org:8443", False),
        ("http://127.0.0.1:8081", False),
        ("http://127.0.0.1", False),
        (f"http://{HERE}.attacker.example", False),
        ("https://attacker.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_only_its_own_pages_open_a_websocket(origin: str, lets: bool) -> None:
    guard = Guard("token", (), Address.read("https://lab.example.org/rnnviz/"))
    assert guard.lets(origin, HERE) is lets


def test_the_page_may_open_its_own_websockets() -> None:
    public = Address.read("https://lab.example.org:8443/rnnviz")
    assert Guard("token", (), public).sockets(HERE) == [f"ws://{HERE}", f"wss://{HERE}", "wss://lab.example.org:8443"]


def test_a_token_is_new_each_time_and_known_only_whole() -> None:
    token = new_token()
    assert token != new_token()
    assert len(token) >= 32
    guard = Guard(token, ())
    assert guard.knows(token)
    for wrong in ("", token[:-1], token + "a", token.swapcase(), "é", "\ud800"):
        assert not guard.knows(wrong)


@pytest.mark.parametrize(
    ("text", "origin", "path"),
    [
        ("https://example.org", "https://example.org", ""),
        ("https://example.org:443/a/b/", "https://example.org", "/a/b"),
        ("http://example.org:8080/", "http://example.org:8080", ""),
        ("http://[2001:db8::1]:80", "http://[2001:db8::1]", ""),
    ],
)
def test_a_public_address(text: str, origin: str, path: str) -> None:
    address = Address.read(text)
    assert (address.origin, address.path) == (origin, path)


@pytest.mark.parametrize(
    "text", ["", "example.org", "ftp://example.org", "https://", "https://a:b@example.org", "https://example.org/?a=b",
             "https://example.org:99999", "https://[::1", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_public_address(text: str) -> None:
    with pytest.raises(InputError, match="public_url: "):
        Address.read(text)


def test_the_token_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abcdefghijklmnopqrstuvwx\n")
    file.chmod(0o600)
    assert token_of(str(file)) == "abcdefghijklmnopqrstuvwx"
    for wrong in ("short\n", "a" * 21, "a" * 201, "with a space in its middle, so none", ""):
        file.write_text(wrong)
        with pytest.raises(InputError, match="holds no token"):
            token_of(str(file))
    with pytest.raises(InputError, match="cannot be read"):
        token_of(str(tmp_path / "missing"))
    if os.name == "posix":
        file.write_text("abcdefghijklmnopqrstuvwx\n")
        file.chmod(0o666)
        with pytest.raises(InputError, match="cannot be read"):
            token_of(str(file))
