"""Strict parsing of decoded JSON into msgspec structs: names every bad field at once, but only a list's first item."""

from __future__ import annotations

import json
import re
import typing
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

S = TypeVar("S", bound=msgspec.Struct)


def parsed(kind: type[S], raw: object, path: str, problems: list[str]) -> S | None:
    """Build a struct from decoded JSON, or add to `problems` and return None.

    path: prefix of the field names in messages, with its dot; empty for the outermost struct.
    """
    if not isinstance(raw, dict):
        problems.append(f"`{path[:-1] or 'job'}` must be an object")
        return None
    fields = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    before = len(problems)
    problems += [f"unknown field `{path}{name}`" for name in raw if name not in fields]
    values: dict[str, Any] = {}
    for name, one in fields.items():
        if name in raw:
            values[one.name] = _value(one.type, raw[name], path + name, problems)
        elif one.required:
            problems.append(f"`{path}{name}` is missing")
    return kind(**values) if len(problems) == before else None


def _value(annotation: Any, raw: object, path: str, problems: list[str]) -> Any:
    if isinstance(inspect.type_info(annotation), inspect.StructType):
        return parsed(annotation, raw, f"{path}.", problems)
    try:
        return msgspec.convert(raw, annotation, strict=True)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        place = re.search(r" - at `\$((?:\[\d+\])+)`$", str(error))
        for index in re.findall(r"\d+", place[1]) if place else []:
            raw, annotation = typing.cast("list[object]", raw)[int(index)], typing.get_args(_bare(annotation))[0]
        where = f"`{path}{place[1] if place else ''}`"
        problems.append(f"{where} must be {_allowed(annotation, raw)}, not {json.dumps(raw)[:80]}")
        return None


def _bare(annotation: Any) -> Any:
    """The type without its annotations and without null."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    choices = typing.get_args(annotation)
    if type(None) in choices:
        return _bare(next(one for one in choices if one is not type(None)))
    return annotation


def _limits(annotation: Any) -> inspect.Type:
    """The type with its bounds, without null."""
    kind = inspect.type_info(annotation)
    while isinstance(kind, inspect.Metadata | inspect.UnionType):
        if isinstance(kind, inspect.Metadata):
            kind = kind.type
        else:
            kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return kind


def _allowed(annotation: Any, raw: object) -> str:
    """The requirement that a refused value breaks: the type if it has another, otherwise the bound."""
    kind = _limits(annotation)
    if isinstance(kind, inspect.LiteralType):
        return f"one of {', '.join(map(str, typing.get_args(_bare(annotation))))}"
    if isinstance(kind, inspect.ListType):
        return f"a list of at most {kind.max_length}" if isinstance(raw, list) else "a list"
    if isinstance(kind, inspect.StrType):
        if not isinstance(raw, str):
            return "a string"
        return f"text like {kind.pattern}" if kind.pattern else f"at most {kind.max_length} characters long"
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        is_whole = isinstance(kind, inspect.IntType)
        if isinstance(raw, bool) or not isinstance(raw, int if is_whole else int | float):
            return "a whole number" if is_whole else "a number"
        # Written so that NaN breaks the first bound.
        if kind.ge is not None and not raw >= kind.ge:
            return f"at least {kind.ge}"
        if kind.gt is not None and not raw > kind.gt:
            return f"above {kind.gt}"
        if kind.le is not None and not raw <= kind.le:
            return f"at most {kind.le}"
        return f"a multiple of {kind.multiple_of}" if kind.multiple_of else "a number of this range"
    return "of another type"
