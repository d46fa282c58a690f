"""Who may import whom, beyond the layers that the import contracts hold."""

from __future__ import annotations

import grimp
import pytest

DOMAINS = (
    "marketplace.parties",
    "marketplace.catalogue",
    "marketplace.booking",
    "marketplace.billing.ledger",
    "marketplace.billing.pricing",
    "marketplace.billing.invoicing",
    "marketplace.billing.payouts",
    "marketplace.billing.rewards",
    "marketplace.billing.reconciliation",
    "marketplace.vouchers",
    "marketplace.orders",
    "marketplace.evaluation",
    "marketplace.exchange",
)
OPEN_TO_OTHERS = ("use_cases", "queries", "events", "errors", "roles")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("marketplace", cache_dir=None)


def domain_of(module: str) -> str | None:
    return next((d for d in DOMAINS if module == d or module.startswith(d + ".")), None)


def test_a_domain_shows_others_its_use_cases_queries_events_and_errors_only(graph):
    strays = [
        f"{importer} imports {imported}"
        for importer in graph.modules
        if (home := domain_of(importer))
        for imported in graph.find_modules_directly_imported_by(importer)
        if (other := domain_of(imported))
        and other != home
        and imported.removeprefix(other + ".").split(".")[0] not in OPEN_TO_OTHERS
    ]

    assert strays == []


def test_tables_are_imported_by_their_own_domain_only(graph):
    strays = [
        f"{importer} imports {module}"
        for module in graph.modules
        if ".tables" in module and (home := domain_of(module))
        for importer in graph.find_modules_that_directly_import(module)
        if domain_of(importer) != home
    ]

    assert strays == []
