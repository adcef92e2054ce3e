"""The recipe: everything in these sources that decides the weights of a run, under one declared version.

`recipe.json` holds it, for this package and for partloop:

- `version`: must be raised by a change to the result of a run, or to the state from which it resumes.
- `key`: stands for the recipe in the digests of trainings. That of version 1 is the digest of the sources that
  first had it, so that their trainings are still found.
- `sources`: digest of the code that decides weights, without comments, docstrings and layout. It is only a reminder: a
  test fails if the code differs.

`python -m partloop_trainer.recipe --unchanged` records that the code has changed and the weights have not.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
FILE = FOLDER / "recipe.json"
# They start, watch, save, check or prepare; none changes a weight. A new module counts until it is named here.
PLUMBING = {
    *("__init__", "__main__", "protocol", "launch", "writer", "room", "recipe"),
    *("answers", "attach", "lr_range", "propose"),
}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Recipe:
    version: int
    key: str
    sources: str


def recipe() -> Recipe:
    """The recipe that this package declares."""
    return Recipe(**json.loads(FILE.read_text("utf-8")))


def sources_digest(folder: Path = FOLDER) -> str:
    """sha256 over the code that decides weights: equal for equal code, whatever its comments and layout."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        if path.stem not in PLUMBING:
            digest.update(f"{path.stem}\n".encode())
            for part in _parts(ast.parse(path.read_text("utf-8"))):
                digest.update(f"{part}\n".encode())
    return digest.hexdigest()


def _parts(node: object) -> Iterator[str]:
    """A syntax tree as words, equal on all versions of Python; docstrings are left out."""
    if isinstance(node, list):
        for one in node:
            yield from _parts(one)
    elif isinstance(node, ast.AST):
        yield type(node).__name__
        for name, value in ast.iter_fields(node):
            if value is None or value == [] or name in ("kind", "type_comment", "ctx"):
                continue
            if name == "body" and isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
                value = value[1:]
            yield name
            yield from _parts(value)
    else:
        yield repr(node)


def main() -> None:
    parser = argparse.ArgumentParser(description="Show the recipe, or record that changed code gives the same weights.")
    parser.add_argument("--unchanged", action="store_true", help="the code has changed, the weights have not")
    if parser.parse_args().unchanged:
        noted = {**json.loads(FILE.read_text("utf-8")), "sources": sources_digest()}
        FILE.write_text(json.dumps(noted, indent=2) + "\n", "utf-8")
    print(recipe())


if __name__ == "__main__":
    main()
