"""The Dockerfile, as far as it can be tried without Docker: what it copies, installs and starts is there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.request import urlopen

import click
import pytest
from playwright.sync_api import expect

from tests.app.browsing import WAIT, answering, chromium, free_port, reading

ROOT = Path(__file__).parents[2]
LINES = re.sub(r"\\\n", " ", (ROOT / "app" / "Dockerfile").read_text(encoding="utf-8")).splitlines()


def _steps(word: str) -> list[str]:
    return [line.removeprefix(word).strip() for line in LINES if line.startswith(f"{word} ")]


def test_everything_copied_is_there_and_enough_to_install(tmp_path: Path) -> None:
    for step in _steps("COPY"):
        *sources, _ = shlex.split(step)
        for source in sources:
            assert (ROOT / source).exists(), source
    copied = {source for step in _steps("COPY") for source in shlex.split(step)[:-1]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {project["readme"], "pyproject.toml", "constraints.txt", "drivetrain", "app"} <= copied
    assert tmp_path.is_dir()


def test_the_pins_of_torch_are_found_as_it_looks_for_them() -> None:
    pins = subprocess.run(
        ["grep", "-E", "^(torch|torchvision)==", "constraints.txt"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert [pin.split("==")[0] for pin in pins] == ["torch", "torchvision"]


def test_extras_that_it_names_are_declared() -> None:
    install = next(step for step in _steps("RUN") if "pip install" in step)
    extras = set(re.search(r'"\.\[([\w,]+)\]"', install).group(1).split(","))  # type: ignore[union-attr]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert extras <= set(project["optional-dependencies"])


def test_its_shell_steps_are_sound() -> None:
    for step in _steps("RUN"):
        assert subprocess.run(["/bin/sh", "-n", "-c", step], check=False).returncode == 0, step


def test_its_command_and_its_health_check_parse() -> None:
    command = json.loads(next(step for step in _steps("CMD")))
    assert command[:4] == ["python", "-m", "streamlit", "run"]
    assert (ROOT / Path(command[4]).relative_to("/src")).is_file()
    check = shlex.split(re.search(r"HEALTHCHECK.*?CMD (.*)", "\n".join(LINES), re.S).group(1).splitlines()[0])  # type: ignore[union-attr]
    compile(check[2], "HEALTHCHECK", "exec")


def test_its_environment_is_what_streamlit_reads() -> None:
    """`streamlit run` reads such names as if they were options, which win over the configuration beside the pages."""
    from streamlit.web.cli import main

    told = dict(word.split("=", 1) for step in _steps("ENV") for word in shlex.split(step))
    assert told["STREAMLIT_SERVER_ADDRESS"] == "0.0.0.0"  # noqa: S104 - inside the container
    known = {option.envvar for option in main.commands["run"].params if isinstance(option, click.Option)}
    assert {name for name in told if name.startswith("STREAMLIT_")} <= known


@pytest.mark.parametrize("ignored", [".venv", "runs", ".git"])
def test_nothing_large_or_secret_is_copied(ignored: str) -> None:
    assert all(ignored not in shlex.split(step)[:-1] for step in _steps("COPY"))


def test_what_it_starts_answers_its_health_check_and_the_page(tmp_path: Path) -> None:
    """Its own command and environment, in an empty folder as `/work` is; only the port is a free one."""
    told = dict(word.split("=", 1) for step in _steps("ENV") for word in shlex.split(step))
    (exposed,) = _steps("EXPOSE")
    assert told["STREAMLIT_SERVER_PORT"] == exposed
    port = str(free_port())
    command = [sys.executable if word == "python" else word for word in json.loads(next(iter(_steps("CMD"))))]
    command = [word.replace("/src", str(ROOT)) for word in command]
    ours = {"STREAMLIT_SERVER_PORT": port, "PYTHONPATH": str(ROOT)}
    asked = re.search(r"HEALTHCHECK.*?CMD (.*)", "\n".join(LINES), re.DOTALL)
    assert asked is not None
    check = shlex.split(asked.group(1).splitlines()[0].replace(exposed, port))
    check[0] = sys.executable
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=os.environ | told | ours, stdout=log, stderr=log)
        try:
            answering(f"http://127.0.0.1:{port}", server, tmp_path / "log")
            assert subprocess.run(check, check=False).returncode == 0
            with urlopen(f"http://127.0.0.1:{port}/", timeout=20) as page:
                assert page.status == 200
                policy = page.headers["content-security-policy"]
                assert "frame-ancestors 'self'" in policy
                assert f"connect-src 'self' ws://127.0.0.1:{port} wss://127.0.0.1:{port} data: blob:;" in policy
            with chromium() as browser, reading(browser, f"http://127.0.0.1:{port}/scenario") as shown:
                expect(shown.get_by_text("Writing and running scenarios is closed here")).to_be_visible(timeout=WAIT)
                assert shown.get_by_text("A new scenario from a file of rows").count() == 0
        finally:
            server.terminate()
            server.wait(20)
