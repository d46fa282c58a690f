"""Names of what the register of parties says."""

from __future__ import annotations

from typing import Final

from marketplace.web.words.naming import Label

PARTIES: Final[dict[str, dict[str, Label]]] = {
    "legal_entity": {
        "university": Label("高等学校", "University"),
        "institute": Label("科研院所", "Research institute"),
        "public_institution": Label("事业单位", "Public institution"),
        "company": Label("企业", "Company"),
        "social_organisation": Label("社会组织", "Social organisation"),
        "government": Label("政府部门", "Government"),
    },
    "capital": {
        "fiscal": Label("财政性资金", "Public money"),
        "social": Label("社会资本", "Private money"),
    },
    "affiliation": {
        "same-legal-entity": Label("同一法人", "One legal entity"),
        "direct-shareholding": Label("直接持股", "Direct shareholding"),
        "same-legal-representative": Label("同一法定代表人", "One legal representative"),
        "indirect-control": Label("间接控制", "Indirect control"),
        "common-control": Label("同一控制", "Common control"),
    },
    "verified": {
        "yes": Label("已核验", "Verified", "success"),
        "no": Label("待核验", "To be verified", "warning"),
    },
}
