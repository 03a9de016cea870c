"""A model as a folder: weights as safetensors, everything else as JSON, each file's sha256 in the manifest.

Nothing here is ever unpickled. A truncated safetensors file raises by itself, a flipped bit does not: hence the
checksums, which are compared before anything is read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load, save

from drivetrain.errors import DataError, Fault
from drivetrain.modeler.contract import Shape
from drivetrain.modeler.encoder import InputEncoder
from drivetrain.modeler.ensemble import Member, Models, OutcomeModel
from drivetrain.modeler.kinds import build
from drivetrain.modeler.links import Link
from drivetrain.modeler.nodes import Nodes
from drivetrain.modeler.settings import SettingEncoder

FORMAT = 1
FITTED = ("centre", "scale", "smear", "slope", "shift")
"""What each member's link has of its own."""
WHOLE = "sha256"
"""The manifest's key for its own sum."""

UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError)


def write(models: Models, folder: Path) -> None:
    """Write a new model folder; its manifest goes last, so that a folder with a manifest is whole."""
    folder.mkdir(parents=True)
    files = {}
    for name, model in models.outcomes.items():
        weights = save(_weights(model))
        (folder / f"{name}.safetensors").write_bytes(weights)
        files[f"{name}.safetensors"] = hashlib.sha256(weights).hexdigest()
    manifest = {
        "format": FORMAT,
        "inputs": models.inputs.model_dump(mode="json"),
        "outcomes": {name: _describe(model) for name, model in models.outcomes.items()},
        "files": files,
    }
    manifest[WHOLE] = _sum(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def read(folder: Path) -> Models:
    """Read a model folder.

    Raises:
        DataError: it is not one, a file is missing, or a file is not the one that was written.
    """
    try:
        manifest = _manifest(folder / "manifest.json")
        inputs = InputEncoder.model_validate(manifest["inputs"])
        outcomes = {
            name: _restore(name, entry, _checked(folder, f"{name}.safetensors", manifest["files"]))
            for name, entry in manifest["outcomes"].items()
        }
    except DataError:
        raise
    except UNREADABLE as error:
        raise DataError(
            Fault(
                str(folder),
                f"found no readable model ({type(error).__name__})",
                f"A model folder holds a manifest.json of format {FORMAT} and the weights it names",
                "Train again: drivetrain run SCENARIO",
            )
        ) from error
    return Models(inputs, outcomes)


def _manifest(path: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_bytes())
    if manifest["format"] != FORMAT:
        raise DataError(
            Fault(
                str(path),
                f"found a model of format {manifest['format']!r}",
                f"This version of Drivetrain reads format {FORMAT}",
                "Train again: drivetrain run SCENARIO",
            )
        )
    if manifest.pop(WHOLE) != _sum(manifest):
        raise DataError(_changed(path))
    return manifest


def _sum(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _weights(model: OutcomeModel) -> dict[str, torch.Tensor]:
    return {
        f"{i}.{key}": value.contiguous()
        for i, member in enumerate(model.members)
        for key, value in member.network.state_dict().items()
    }


def _describe(model: OutcomeModel) -> dict[str, Any]:
    return {
        "kind": model.kind,
        "shape": asdict(model.shape),
        "settings": model.settings.model_dump(mode="json"),
        "nodes": {"values": model.nodes.values, "spread": model.nodes.spread},
        "link": model.link.model_dump(mode="json"),
        "members": [{"fold": m.fold, **m.link.model_dump(include=set(FITTED))} for m in model.members],
    }


def _restore(name: str, entry: dict[str, Any], weights: dict[str, torch.Tensor]) -> OutcomeModel:
    link = Link.model_validate(entry["link"])
    shape = TypeAdapter(Shape).validate_python(entry["shape"])
    members = []
    for i, member in enumerate(entry["members"]):
        network = build(entry["kind"], shape, torch.zeros(shape.width))
        prefix = f"{i}."
        network.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
        own = Link.model_validate({**entry["link"], **{key: member[key] for key in FITTED}})
        members.append(Member(network.eval().requires_grad_(False), own, member["fold"]))
    nodes = Nodes(link, tuple(entry["nodes"]["values"]), entry["nodes"]["spread"])
    settings = SettingEncoder.model_validate(entry["settings"])
    return OutcomeModel(name, entry["kind"], shape, settings, tuple(members), nodes)


def _checked(folder: Path, name: str, sums: dict[str, str]) -> dict[str, torch.Tensor]:
    content = (folder / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != sums[name]:
        raise DataError(_changed(folder / name))
    return dict(load(content))


def _changed(path: Path) -> Fault:
    return Fault(
        str(path),
        "found other content than was written",
        "A model file must be the one that its manifest names",
        "Restore it from a copy, or train again: drivetrain run SCENARIO",
    )
