"""Rule files: JSON and TOML -> `RuleSet`, and a `RuleSet` -> canonical JSON.

A file holds `products`, `segmentations`, `providers` (capabilities by the account's name),
`capture_provider` and the `version` of the format, each of them optional. Each product,
account and segmentation is read by itself, so a wrong one takes none of the others along.
What can be written but not run (an unknown fact, a provider that is not integrated) is no
error of the file: `RuleSet.findings` tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

import attrs

from listboss.codec._document import LIMITS, Format, Limits, Source, opened, tree_of
from listboss.codec._faults import error_of, fault, faults_of, unknown_key
from listboss.codec._reading import read
from listboss.codec._scalars import wrong
from listboss.codec._writing import document, write
from listboss.errors import CodecError
from listboss.rules._mapping import FrozenMap
from listboss.rules.automatic import AUTOMATIC_ID_PREFIX
from listboss.rules.builtin import HOTMART
from listboss.rules.capabilities import Capabilities
from listboss.rules.catalogue import Catalogue
from listboss.rules.ruleset import RuleSet
from listboss.rules.segmentation import Product, Segmentation

__all__ = ["TOP_LEVEL", "Loaded", "dump_rules", "load_rules", "read_rules"]

Noun = TypeVar("Noun", Product, Segmentation)

TOP_LEVEL = ("version", "products", "segmentations", "providers", "capture_provider")
"""The keys of a rule file."""


@attrs.frozen
class Loaded:
    """What a rule file gave: the rules that are right, and what is wrong with the others."""

    rules: RuleSet
    errors: tuple[CodecError, ...] = ()


def load_rules(
    source: Source,
    *,
    format: Format = "json",
    providers: Mapping[str, Capabilities] | None = None,
    catalogue: Catalogue = HOTMART,
    limits: Limits = LIMITS,
) -> RuleSet:
    """Read a rule set; everything in it has to be right.

    `source` is a text, its bytes, or a mapping as a parser gave it; `format` says what a text
    is written in. `providers` are the accounts that the host has connected: they come on top
    of the file's, and of two with one name the host's counts, since the host knows what its
    account can do. `catalogue` is the one the rules are reviewed against; a file has none.
    Raises `CodecError`: alone, or as a `CodecErrors` group with one for each fault.

    >>> rules = load_rules(
    ...     '''
    ... capture_provider = "mail"
    ...
    ... [providers.mail]
    ... add_tag = "native"
    ...
    ... [[products]]
    ... id = "1001"
    ... name = "Course"
    ... approved_at = 2025-03-01
    ...
    ... [[segmentations]]
    ... name = "Large orders"
    ... product_id = "1001"
    ... provider = "mail"
    ... event = "purchase.approved"
    ... condition = {fact = "price", ge = 199.90}
    ... actions = [{add_tag = "large-order"}]
    ... enabled = true
    ... ''',
    ...     format="toml",
    ... )
    >>> rules.segmentations[0].condition
    Comparison(fact='price', operator=<Operator.GE: 'ge'>, value=Decimal('199.90'))
    >>> load_rules('{"segmentations": [{"name": true}]}')
    Traceback (most recent call last):
    listboss.errors.CodecErrors: the document has 5 faults
      a text is meant here, not true or false @ $.segmentations[0].name (...)
      ...
    """
    loaded = read_rules(
        source, format=format, providers=providers, catalogue=catalogue, limits=limits
    )
    if loaded.errors:
        raise error_of(loaded.errors)
    return loaded.rules


def read_rules(
    source: Source,
    *,
    format: Format = "json",
    providers: Mapping[str, Capabilities] | None = None,
    catalogue: Catalogue = HOTMART,
    limits: Limits = LIMITS,
) -> Loaded:
    """Read what is right in a rule file, and tell what is wrong with the rest.

    Arguments as for `load_rules`. Raises `CodecError` only for what cannot be read at all:
    broken syntax, a limit passed, an unknown version.

    >>> loaded = read_rules({"products": [{"id": "1", "name": "Course"}, {"id": 2}]})
    >>> [product.id for product in loaded.rules.products]
    ['1']
    >>> [(error.code, error.path) for error in loaded.errors]
    [('wrong_type', '$.products[1].id'), ('missing_key', '$.products[1].name')]
    """
    root = opened(tree_of(source, format, limits))
    faults = [
        found
        for key in root
        if key not in TOP_LEVEL
        for found in _at("$", unknown_key(key, TOP_LEVEL))
    ]
    rules = RuleSet(
        _each(root, "products", Product, faults),
        _each(root, "segmentations", Segmentation, faults),
        providers={**_accounts(root, faults), **(providers or {})},
        catalogue=catalogue,
        capture_provider=_capture_provider(root, faults),
    )
    return Loaded(rules, tuple(faults))


def _each(
    root: dict[str, object], key: str, kind: type[Noun], faults: list[CodecError]
) -> tuple[Noun, ...]:
    """Read the items of a list, each by itself; of two with one id the first is kept."""
    path, given = f"$.{key}", root.get(key, [])
    if not isinstance(given, list):
        faults += _at(path, wrong(given, "a list"))
        return ()
    kept: dict[str, Noun] = {}
    for n, item in enumerate(cast("list[object]", given)):
        noun, found = read(item, kind, path=f"{path}[{n}]")
        faults += found
        if noun is None:
            continue
        if (code := _id_fault(noun, kept)) is None:
            kept[noun.id] = noun
        else:
            faults += _at(f"{path}[{n}].id", fault(code, "the id cannot be used"))
    return tuple(kept.values())


def _id_fault(noun: Product | Segmentation, kept: Mapping[str, object]) -> str | None:
    if isinstance(noun, Segmentation) and noun.id.startswith(AUTOMATIC_ID_PREFIX):
        return "automatic_segmentation"
    return "duplicate_id" if noun.id in kept else None


def _accounts(root: dict[str, object], faults: list[CodecError]) -> dict[str, Capabilities]:
    path, given = "$.providers", root.get("providers", {})
    if not isinstance(given, dict):
        faults += _at(path, wrong(given, "an object of capabilities by name"))
        return {}
    accounts: dict[str, Capabilities] = {}
    for name, value in cast("dict[str, object]", given).items():
        account, found = read({name: value}, FrozenMap[str, Capabilities], path=path)
        faults += found
        if not name.strip():
            faults += _at(path, fault("blank", "the name of a provider is blank"))
        elif account is not None:
            accounts |= account
    return accounts


def _capture_provider(root: dict[str, object], faults: list[CodecError]) -> str | None:
    path, name = "$.capture_provider", root.get("capture_provider")
    if name is not None and not isinstance(name, str):
        faults += _at(path, wrong(name, "the name of a provider"))
        return None
    if name is not None and not name.strip():
        faults += _at(path, fault("blank", "the name of a provider is blank"))
        return None
    return name


def _at(path: str, error: CodecError) -> list[CodecError]:
    return list(faults_of(error, path=path, private=False))


def dump_rules(rules: RuleSet) -> str:
    """Write a rule set as canonical JSON: equal rule sets give equal texts.

    The catalogue is not written, it is the host's code; so
    `load_rules(dump_rules(rules), catalogue=rules.catalogue) == rules`.

    >>> from listboss.rules.ruleset import RuleSet
    >>> print(dump_rules(RuleSet([Product("1001", "Course")])), end="")
    {
      "products": [
        {
          "id": "1001",
          "name": "Course"
        }
      ],
      "version": 1
    }
    """
    by_product = rules.rules_by_product
    content = {
        "products": [write(product) for product in sorted(rules.products, key=lambda p: p.id)],
        "segmentations": [write(rule) for key in sorted(by_product) for rule in by_product[key]],
        "providers": {name: write(account) for name, account in rules.providers.items()},
        "capture_provider": rules.capture_provider,
    }
    return document({key: value for key, value in content.items() if value}, indent=2) + "\n"
