"""What could come next in a SQL statement: names of the database first, then SQL's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from warehouse.read.relations import Source

KEYWORDS = (
    "select", "from", "where", "group by", "order by", "having", "limit", "offset", "join", "left join", "inner join",
    "full join", "cross join", "anti join", "semi join", "using", "on", "as", "and", "or", "not", "in", "is", "null",
    "is not distinct from", "between", "like", "ilike", "case", "when", "then", "else", "end", "with", "union all",
    "except", "intersect", "distinct", "exists", "all", "asc", "desc", "nulls last", "qualify", "over",
    "partition by", "window", "filter", "pivot", "unpivot", "describe", "summarize", "show tables", "explain",
    "true", "false", "cast", "replace", "exclude", "values", "interval",
)  # fmt: skip
FUNCTIONS = (
    "count", "sum", "avg", "min", "max", "median", "stddev", "quantile", "arg_min", "arg_max", "round", "abs", "sqrt",
    "ln", "log10", "exp", "coalesce", "nullif", "greatest", "least", "lower", "upper", "concat", "contains",
    "regexp_matches", "regexp_replace", "split_part", "strftime", "date_trunc", "list", "unnest", "string_agg",
    "row_number", "rank", "lag", "lead", "first_value", "bool_and", "bool_or", "isnan", "json_extract",
    "json_extract_string",
)  # fmt: skip

_WORD = re.compile(r"(?:(?P<owner>[A-Za-z_]\w*)\.)?(?P<prefix>[A-Za-z_]\w*|)$")
_SOURCE = re.compile(
    r"\b(?:from|join)\s+(?P<table>[a-z_]\w*)(?:\s+(?:as\s+)?(?!on\b|using\b|where\b|left\b|join\b|order\b|group\b|"
    r"anti\b|semi\b|inner\b|cross\b|full\b|limit\b|qualify\b|select\b|having\b|union\b)(?P<alias>[a-z_]\w*))?",
    re.IGNORECASE,
)

_AFTER_FROM = re.compile(r"\b(?:from|join|describe|summarize)\s+\w*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Completion:
    text: str
    detail: str


def prefix_of(before: str) -> str:
    """The part of the word at the end of the text that a completion would replace."""
    word = _WORD.search(before)
    return word["prefix"] if word else ""


def complete(text: str, offset: int, sources: Mapping[str, Source], *, most: int = 40) -> list[Completion]:
    """What the word before `offset` could become: after `t.` the columns of t, else columns of the tables that the
    statement names, or of all where it names none yet; tables, which come first after FROM; keywords and functions.
    What starts with the word comes before what contains it.
    """
    word = _WORD.search(text[:offset])
    if word is None:
        return []
    prefix = word["prefix"].lower()
    named = dict(_named(text))
    if word["owner"] is not None:
        source = sources.get(named.get(word["owner"].lower(), word["owner"].lower()))
        candidates = [] if source is None else [Completion(c, t) for c, t in source.columns.items()]
    else:
        candidates = list(_everything(named, sources, tables_first=_AFTER_FROM.search(text[:offset]) is not None))
    starts = [one for one in candidates if one.text.lower().startswith(prefix)]
    within = [one for one in candidates if prefix and prefix in one.text.lower() and one not in starts]
    fits = [one for one in (*starts, *within) if one.text.lower() != prefix]
    return list(dict.fromkeys(fits))[:most]


def _named(text: str) -> Iterator[tuple[str, str]]:
    """Names and aliases of the statement's tables."""
    for match in _SOURCE.finditer(text):
        table = match["table"].lower()
        yield table, table
        if match["alias"]:
            yield match["alias"].lower(), table


def _everything(named: Mapping[str, str], sources: Mapping[str, Source], *, tables_first: bool) -> Iterator[Completion]:
    tables = [Completion(source.name, source.kind) for source in sources.values()]
    yield from tables if tables_first else ()
    if named:
        for table in dict.fromkeys(named.values()):
            if table in sources:
                yield from (Completion(column, f"{kind}, {table}") for column, kind in sources[table].columns.items())
    elif not tables_first:
        yield from _columns_of_all(sources)
    yield from () if tables_first else tables
    yield from (Completion(word, "") for word in KEYWORDS)
    yield from (Completion(word, "function") for word in FUNCTIONS)


def _columns_of_all(sources: Mapping[str, Source]) -> Iterator[Completion]:
    """Each name once, with where it is."""
    places: dict[str, list[str]] = {}
    for source in sources.values():
        for column in source.columns:
            places.setdefault(column, []).append(source.name)
    for column, names in places.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield Completion(column, f"in {names[0]}{more}")
