"""Prepared statements: SQLAlchemy compiles them once, then they go straight to the driver.

A delivery executes some thirty small statements. SQLAlchemy needs several times as long for each of
them as SQLite does. So the code that every delivery runs uses this module. All other code uses
SQLAlchemy as usual, on the same connection and in the same transaction.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import cache
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Dialect, Executable, Insert, bindparam
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import ResultColumnsEntry, SQLCompiler

from hub.database.engine import connection_of, database

_Processor = Callable[[Any], Any]
#: Makes one parameter for the driver from the values of a call.
_Source = Callable[[Mapping[str, Any]], Any]
_Row = Mapping[str, Any]

#: The most rows in one INSERT.
_MOST_ROWS = 64


class Rows:
    """The answer of a statement. Each row is a named tuple."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        #: How many rows the statement wrote.
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        """All rows."""
        return self._rows

    def one(self) -> Any:
        """The only row."""
        (row,) = self._rows
        return row

    def one_or_none(self) -> Any | None:
        """The only row, if there is one."""
        return self.one() if self._rows else None

    def scalar(self) -> Any | None:
        """The first column of the only row, if there is one."""
        row = self.one_or_none()
        return None if row is None else row[0]


def run(session: Session, statement: Executable, **values: Any) -> Rows:
    """Execute a statement with values for its parameters. It is compiled only once, so the caller
    must keep the statement object and use it again.

    :raises DBAPIError: as SQLAlchemy would.
    """
    connection = connection_of(session)
    return _prepared(statement, connection.dialect).execute(connection, values)


def look(statement: Executable, **values: Any) -> Rows:
    """Execute one SELECT outside a transaction, and once more if its connection turns out to be
    broken.

    :raises DBAPIError: as SQLAlchemy would.
    """
    try:
        return _look(statement, values)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return _look(statement, values)


def _look(statement: Executable, values: Mapping[str, Any]) -> Rows:
    with database().look() as connection:
        return _prepared(statement, connection.dialect).execute(connection, values, alone=True)


def run_each(session: Session, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> Rows:
    """``run`` with each of the rows as values. The answers are put together."""
    connection = connection_of(session)
    if len(rows) > 1 and connection.dialect.name != "sqlite":
        # Over a network, one statement with many values beats many statements.
        result = connection.execute(statement, rows)
        return Rows(list(result) if result.returns_rows else [], result.rowcount)
    prepared = _prepared(statement, connection.dialect)
    answers = [prepared.execute(connection, values) for values in rows]
    return Rows([row for answer in answers for row in answer], sum(a.rowcount for a in answers))


def insert_each(session: Session, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> Rows:
    """Insert many rows with few statements. All rows must name the same columns. The answer holds
    what the statements return, in any order.

    :raises DBAPIError: as SQLAlchemy would.
    """
    connection = connection_of(session)
    answers = []
    for part in _parts(rows):
        values = {f"{name}__{n}": row[name] for n, row in enumerate(part) for name in row}
        many = _many(statement, tuple(part[0]), len(part))
        answers.append(_prepared(many, connection.dialect).execute(connection, values))
    return Rows([row for answer in answers for row in answer], sum(a.rowcount for a in answers))


def _parts(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    """The rows in parts whose lengths are powers of two, so that few statements are prepared."""
    begin = 0
    while left := len(rows) - begin:
        length = min(_MOST_ROWS, 1 << (left.bit_length() - 1))
        yield rows[begin : begin + length]
        begin += length


@cache
def _many(statement: Insert, names: Sequence[str], number: int) -> Insert:
    """The INSERT for ``number`` rows."""
    columns = statement.table.columns
    return statement.values(
        [
            {name: bindparam(f"{name}__{n}", type_=columns[name].type) for name in names}
            for n in range(number)
        ]
    )


class _Prepared:
    """A statement that is compiled for one kind of database."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        self._statement = statement
        self._dialect = dialect
        self._error = dialect.loaded_dbapi.Error
        self._compiled: SQLCompiler | None = None
        self._names: Set[str] = frozenset()
        self._lists: Sequence[str] = ()
        self._texts: dict[tuple[int, ...], _Text] = {}

    def execute(
        self, connection: Connection, values: Mapping[str, Any], *, alone: bool = False
    ) -> Rows:
        """Execute it. ``alone``: begin no transaction for it."""
        if self._compiled is not None and values.keys() != self._names:
            raise TypeError(f"this statement was prepared for {self._names}, not {values.keys()}")
        lengths = tuple([len(values[name]) for name in self._lists])
        text = self._texts.get(lengths) or self._make_text(values)
        driver: Any = connection.connection.dbapi_connection
        # SQLite's writer begins its transaction without SQLAlchemy.
        has_begun = getattr(driver, "in_transaction", False) or connection.in_transaction()
        if not (alone or has_begun):
            connection.begin()
        try:
            cursor = driver.execute(text.sql, text.bind(values))
            return Rows(text.rows_of(cursor), cursor.rowcount)
        except self._error as error:
            raise self._translated(connection, text.sql, error) from error

    def _make_text(self, values: Mapping[str, Any]) -> _Text:
        if self._compiled is None:
            compiled = self._statement.compile(  # type: ignore[attr-defined]
                dialect=self._dialect, column_keys=list(values)
            )
            assert isinstance(compiled, SQLCompiler)
            left_out = [*compiled.insert_prefetch, *compiled.update_prefetch]
            assert not left_out, f"values that the model would make must be given: {left_out}"
            self._compiled, self._names = compiled, frozenset(values)
        text = _Text(self._compiled, values)
        self._lists = [name for name in text.lists if name in values]
        self._texts[tuple(len(values[name]) for name in self._lists)] = text
        return text

    def _translated(self, connection: Connection, sql: str, error: Exception) -> Exception:
        is_disconnect = self._dialect.is_disconnect(
            error,  # type: ignore[arg-type]
            connection.connection.dbapi_connection,
            None,
        )
        if is_disconnect:
            # SQLAlchemy does the same: the other connections of the pool are broken, too.
            connection.engine.pool._invalidate(connection.connection, error)
            connection.invalidate(error)
        return DBAPIError.instance(
            sql,
            None,  # no values: they may be private
            error,
            cast(type[Exception], self._error),
            connection_invalidated=is_disconnect,
            dialect=self._dialect,
        )


class _Text:
    """The SQL of a statement for certain lengths of its list parameters."""

    def __init__(self, compiled: SQLCompiler, values: Mapping[str, Any]) -> None:
        dialect = compiled.dialect
        constants = compiled.construct_params(_check=False)
        expanded = compiled.construct_expanded_state({**constants, **values})
        self.sql = expanded.statement
        self.lists = list(expanded.parameter_expansion)
        self._positional = expanded.positiontup is not None
        sources: dict[str, _Source] = {}
        for parameter, name in compiled.bind_names.items():
            process = parameter.type.dialect_impl(dialect).bind_processor(dialect) or _unchanged
            if name in expanded.parameter_expansion:
                for place, member in enumerate(expanded.parameter_expansion[name]):
                    if name in values:
                        sources[member] = _member(name, place, process)
                    else:
                        sources[member] = _constant(process(constants[name][place]))
            elif name in values:
                sources[name] = _value(name, process)
            else:
                sources[name] = _constant(process(constants[name]))
        names = expanded.positiontup or list(sources)
        self._sources = [(name, sources[name]) for name in names]
        self._columns = compiled._result_columns
        self._dialect = dialect
        self._make_row: Callable[[Sequence[Any]], Any] | None = None

    def bind(self, values: Mapping[str, Any]) -> Any:
        """The values in the form that the driver takes."""
        if self._positional:
            return [source(values) for _, source in self._sources]
        return {name: source(values) for name, source in self._sources}

    def rows_of(self, cursor: Any) -> list[Any]:
        """The rows of the driver, converted to the types of the model."""
        if not self._columns:
            return []
        if self._make_row is None:
            self._make_row = _row_maker(self._columns, self._dialect, cursor.description)
        return list(map(self._make_row, cursor.fetchall()))


def _unchanged(value: Any) -> Any:
    return value


def _constant(value: Any) -> _Source:
    return lambda values: value


def _value(name: str, process: _Processor) -> _Source:
    if process is _unchanged:
        return itemgetter(name)
    return lambda values: process(values[name])


def _member(name: str, place: int, process: _Processor) -> _Source:
    return lambda values: process(values[name][place])


def _row_maker(
    columns: Sequence[ResultColumnsEntry], dialect: Dialect, description: Sequence[Sequence[Any]]
) -> Callable[[Sequence[Any]], Any]:
    row = namedtuple("Row", [column.keyname for column in columns])  # type: ignore[misc]
    processors = []
    for place, (column, described) in enumerate(zip(columns, description, strict=True)):
        kind = column.type.dialect_impl(dialect)
        if (processor := kind.result_processor(dialect, described[1])) is not None:
            processors.append((place, processor))
    if not processors:
        return row._make

    def make(answered: Sequence[Any]) -> Any:
        cells = list(answered)
        for place, processor in processors:
            cells[place] = processor(cells[place])
        return row._make(cells)

    return make


@cache
def _prepared(statement: Executable, dialect: Dialect) -> _Prepared:
    return _Prepared(statement, dialect)
