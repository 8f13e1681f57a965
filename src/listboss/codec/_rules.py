"""Read rule files in JSON and TOML into a `RuleSet`, and write one as canonical JSON.

A file has `products`, `segmentations`, `providers` (capabilities by the account's name),
`capture_provider` and the `version` of the format, all of them optional. Each product,
account and segmentation is read by itself, so a wrong one does not affect the others.
What can be written but not run (an unknown fact, a provider that is not integrated) is not
an error of the file: `RuleSet.findings` reports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

import attrs

from listboss.codec._document import LIMITS, Format, Limits, Source, read_tree, root_object
from listboss.codec._faults import add_faults, combine, fault, label, unknown_key, wrong_type
from listboss.codec._reading import UNREADABLE, read, reader_of
from listboss.codec._writing import canonical_json, write
from listboss.errors import CodecError, RuleError
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
    """The valid rules of a rule file, and the faults of the others.

    There are at most `MAX_FAULTS` + 1 faults: one more shows that there are others.
    """

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
    """Read a rule set, all of which must be valid.

    `source` is a string, bytes, or a mapping from a parser; `format` says how to read a
    string or bytes. `providers` are the accounts that the host has connected: they are added
    to the accounts of the file and replace one of the same name, since the host knows what
    its account can do. The rules are reviewed against `catalogue`, which a file does not have.
    Raises `CodecError`: one fault alone, several as a `CodecErrors` group.

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
      expected a string, got a boolean @ $.segmentations[0].name (write it in quotes)
      ...
    """
    loaded = read_rules(
        source, format=format, providers=providers, catalogue=catalogue, limits=limits
    )
    if loaded.errors:
        raise combine(loaded.errors)
    return loaded.rules


def read_rules(
    source: Source,
    *,
    format: Format = "json",
    providers: Mapping[str, Capabilities] | None = None,
    catalogue: Catalogue = HOTMART,
    limits: Limits = LIMITS,
) -> Loaded:
    """Read the valid rules of a rule file, and report the faults of the rest.

    Takes the arguments of `load_rules`. Raises `CodecError` only if nothing can be read:
    for a syntax error, an exceeded limit or an unknown version.

    >>> loaded = read_rules({"products": [{"id": "1", "name": "Course"}, {"id": 2}]})
    >>> [product.id for product in loaded.rules.products]
    ['1']
    >>> [(error.code, error.path) for error in loaded.errors]
    [('wrong_type', '$.products[1].id'), ('missing_key', '$.products[1].name')]
    """
    root = root_object(read_tree(source, format, limits))
    faults: list[CodecError] = []
    for key in root:
        if key not in TOP_LEVEL:
            _add(faults, "$", unknown_key(key, TOP_LEVEL))
    products = _read_list(root, "products", Product, faults)
    segmentations = _read_list(root, "segmentations", Segmentation, faults)
    try:
        rules = RuleSet(
            products.values(),
            segmentations.values(),
            providers={**_read_providers(root, faults), **(providers or {})},
            catalogue=catalogue,
            capture_provider=_read_capture_provider(root, faults),
        )
    except RuleError as error:  # it is too large; the path counts only what could be read
        n = [*segmentations][int(error.path.removeprefix("$.segmentations[")[:-1])]
        path = f"$.segmentations[{n}]"
        raise CodecError(error.message, code=error.code, path=path, hint=error.hint) from None
    return Loaded(rules, tuple(faults))


def _read_list(
    root: dict[str, object], key: str, kind: type[Noun], faults: list[CodecError]
) -> dict[int, Noun]:
    """Read each item of a list by itself; of two items with the same id, keep the first."""
    path, items = f"$.{key}", root.get(key)
    if items is None:
        return {}
    if not isinstance(items, list):
        _add(faults, path, wrong_type(items, "a list"))
        return {}
    kept: dict[int, Noun] = {}
    places: dict[str, int] = {}
    read_noun = reader_of(kind)
    for n, item in enumerate(cast("list[object]", items)):
        items[n] = None  # so that never all of it is in memory twice
        try:
            noun: Noun = read_noun(item, kind)
        except UNREADABLE as error:
            _add(faults, f"{path}[{n}]", error, _prefix(kind, item))
            continue
        if (wrong_id := _id_fault(noun, path, places)) is None:
            kept[n], places[noun.id] = noun, n
        else:
            _add(faults, f"{path}[{n}].id", wrong_id, _prefix(kind, item))
    return kept


def _prefix(kind: type[Noun], item: object) -> str:
    """Start the messages about an item with its name, by which its author knows it."""
    fields = cast("dict[str, object]", item) if isinstance(item, dict) else {}
    names = [fields.get("name"), fields.get("id")]
    found = [name for name in names if isinstance(name, str) and name.strip()]
    return label(kind.__name__.lower(), found[0]) if found else ""


def _id_fault(
    noun: Product | Segmentation, path: str, places: Mapping[str, int]
) -> CodecError | None:
    if isinstance(noun, Segmentation) and noun.id.startswith(AUTOMATIC_ID_PREFIX):
        return fault("automatic_segmentation", "the id belongs to an automatic segmentation")
    if noun.id in places:
        return fault("duplicate_id", f"{path}[{places[noun.id]}] has the same id")
    return None


def _read_providers(root: dict[str, object], faults: list[CodecError]) -> dict[str, Capabilities]:
    path, accounts = "$.providers", root.get("providers")
    if accounts is None:
        return {}
    if not isinstance(accounts, dict):
        hint = 'write capabilities by name, such as {"mail": {"add_tag": "native"}}'
        _add(faults, path, wrong_type(accounts, "an object", hint))
        return {}
    kept: dict[str, Capabilities] = {}
    for name, value in cast("dict[str, object]", accounts).items():
        if not name.strip():
            _add(faults, path, fault("blank", "the name of a provider is blank"))
        kind, prefix = FrozenMap[str, Capabilities], label("provider", name)
        account = read({name: value}, kind, faults, path=path, prefix=prefix)
        if name.strip() and account is not None:
            kept |= account
    return kept


def _read_capture_provider(root: dict[str, object], faults: list[CodecError]) -> str | None:
    path, name = "$.capture_provider", root.get("capture_provider")
    if name is None or (isinstance(name, str) and name.strip()):
        return name
    blank = fault("blank", "the name of a provider is blank")
    other = wrong_type(name, "a string", "write the name of a provider")
    _add(faults, path, blank if isinstance(name, str) else other)
    return None


def _add(faults: list[CodecError], path: str, error: Exception, prefix: str = "") -> None:
    add_faults(faults, error, path=path, prefix=prefix, private=False)


def dump_rules(rules: RuleSet) -> str:
    """Write a rule set as canonical JSON: equal rule sets give equal text.

    The catalogue is not written, since it is code of the host. So
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
    return canonical_json({key: value for key, value in content.items() if value}, indent=2) + "\n"
