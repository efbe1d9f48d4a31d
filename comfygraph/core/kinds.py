"""
The JSON types in words.
"""

from __future__ import annotations


def kind_of(value: object) -> str:
    """
    Name the JSON type of a value, with its article.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"
