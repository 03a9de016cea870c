"""Heavy libraries load only where they are needed: not to import the package, nor to check a scenario."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "fastai", "sklearn", "streamlit", "plotly")


@pytest.mark.parametrize(
    "code",
    [
        "import drivetrain",
        "import drivetrain.formula; drivetrain.formula.parse('a + b')",
        "import drivetrain.scenario; drivetrain.scenario.load('scenarios/cash_incentive.yaml')",
        "import drivetrain.data",
        "import drivetrain.cli",
    ],
)
def test_nothing_heavy_is_loaded(code: str, pytestconfig: pytest.Config) -> None:
    told = f"{code}\nimport sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=pytestconfig.rootpath, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_commands_work_with_one_thread() -> None:
    code = (
        "import sys\nfrom drivetrain.cli import main\nsys.argv = ['drivetrain', 'schema']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\nimport torch\nsys.exit(torch.get_num_threads())"
    )
    kept = {name: word for name, word in os.environ.items() if name not in {"OMP_NUM_THREADS", "MKL_NUM_THREADS"}}
    kept.pop("DRIVETRAIN_THREADS", None)
    done = subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
