"""
Named tuples whose classes cost little to make.

`typing.NamedTuple` compiles a constructor, and the text of each annotation, for every class.
The modules that `comfygraph lint` imports hold some forty of them, which took a third of the
time that it needs for one graph. Here a class costs a tenth of that: its constructor is shared.
For type checkers, and for all who use the values, nothing differs.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from collections import _tuplegetter

    class _Record(tuple):
        """What all of them share; modelled on `collections.namedtuple`."""

        __slots__ = ()
        _fields = ()
        _field_defaults = {}  # noqa: RUF012  # never changed
        _last = ()

        def __new__(cls, /, *args, **named):
            missing = len(cls._fields) - len(args)
            if missing or named:
                if named or not 0 < missing <= len(cls._last):
                    args += _rest(cls, args, named)
                else:
                    args += cls._last[-missing:]
            return tuple.__new__(cls, args)

        @classmethod
        def _make(cls, values):
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"{cls.__name__} has {len(cls._fields)} fields, not {len(made)}")
            return made

        def _replace(self, /, **changes):
            made = self._make(map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"{type(self).__name__} has no fields {list(changes)}")
            return made

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            pairs = zip(self._fields, self, strict=True)
            return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in pairs)})"

        def __getnewargs__(self):
            return tuple(self)

    def _rest(cls, args, named):
        """Give what follows the arguments that came by place, or tell what is wrong with them."""
        known = {**cls._field_defaults, **named}
        rest = cls._fields[len(args) :]
        wrong = [name for name in named if name not in rest]
        wrong += [name for name in rest if name not in known]
        if wrong or len(args) > len(cls._fields):
            raise TypeError(f"{cls.__name__}: wrong arguments: {wrong or len(args)}")
        return tuple([known[name] for name in rest])

    class _Maker(type):
        def __new__(cls, name, bases, space):
            fields = tuple(space.get("__annotations__", ()))
            defaults = {field: space.pop(field) for field in fields if field in space}
            space.update((field, _tuplegetter(place, field)) for place, field in enumerate(fields))
            return type(
                name,
                (_Record,),
                {
                    **space,
                    "__slots__": (),
                    "__match_args__": fields,
                    "_fields": fields,
                    "_field_defaults": defaults,
                    "_last": tuple(defaults.values()),
                },
            )

    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})
