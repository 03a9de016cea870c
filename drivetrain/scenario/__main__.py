"""Print the JSON Schema of scenario files: `python -m drivetrain.scenario > drivetrain/scenario/schema.json`."""

import json
import sys

from drivetrain.scenario.loading import json_schema

sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
