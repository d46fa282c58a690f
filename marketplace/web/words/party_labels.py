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
    "instrument_kind": {
        "general": Label("通用", "General"),
        "special": Label("专用", "Special"),
    },
    "instrument_share_mode": {
        "internal": Label("内部共享", "Within the unit"),
        "external": Label("外部共享", "With everybody"),
        "none": Label("不共享", "Not shared"),
    },
    "instrument_condition": {
        "normal": Label("正常", "Normal"),
        "occasional-faults": Label("偶有故障", "Occasional faults"),
        "frequent-faults": Label("故障频繁", "Frequent faults"),
        "awaiting-repair": Label("待修", "Awaiting repair"),
        "awaiting-disposal": Label("待报废", "Awaiting disposal"),
    },
    "instrument_funds": {
        "central": Label("中央财政资金", "Central public funds"),
        "local": Label("地方财政资金", "Local public funds"),
        "own": Label("单位自有资金", "The unit's own money"),
        "other": Label("其他", "Other"),
    },
    "instrument_source": {
        "purchased": Label("购置", "Bought"),
        "developed": Label("研制", "Developed"),
        "donated": Label("赠送", "Donated"),
        "other": Label("其他", "Other"),
    },
    "instrument_exemption": {
        "national-security": Label("涉及国家安全", "National security"),
        "secrecy": Label("涉密", "Secrecy"),
        "other-law": Label("法律法规另有规定", "Another law"),
    },
    "invoice": {
        "blue": Label("蓝字发票", "Invoice", "info"),
        "red": Label("红字发票", "Red invoice", "error"),
    },
    "contract_registration": {
        "not_eligible": Label("不登记", "Not to be registered"),
        "eligible": Label("拟登记", "To be filed", "info"),
        "submitted": Label("登记中", "With the registry", "warning"),
        "registered": Label("已登记", "Registered", "success"),
        "refused": Label("未予登记", "Refused", "error"),
    },
    "credit_state": {
        "open": Label("未还清", "Open"),
        "overdue": Label("有逾期", "Overdue"),
        "proposed": Label("待审批", "To be decided"),
    },
    "credit_terms": {
        "proposed": Label("待审批", "To be decided", "warning"),
        "in_force": Label("生效", "In force", "success"),
        "refused": Label("已拒绝", "Refused", "error"),
        "withdrawn": Label("已撤回", "Taken back"),
        "ended": Label("已终止", "Ended"),
    },
    "owing": {
        "service": Label("服务费", "Service"),
        "fee": Label("违约费用", "Fee"),
    },
    "credit_receipt": {
        "wallet": Label("钱包还款", "Out of the wallet"),
        "bank": Label("银行转账", "By bank"),
    },
    "verified": {
        "yes": Label("已核验", "Verified", "success"),
        "no": Label("待核验", "To be verified", "warning"),
    },
}
