"""Names of what happens to vouchers: facts, changes of grants, documents, sums of reports."""

from __future__ import annotations

from typing import Final

from marketplace.web.words.naming import Label

VOUCHERS: Final[dict[str, dict[str, Label]]] = {
    "fact_kind": {
        "certificate": Label("证书或资格", "Certificate"),
        "capital": Label("注册资本", "Registered capital"),
        "founded": Label("成立", "Founded"),
        "incubated": Label("在孵", "In an incubator"),
        "team": Label("团队核心成员", "Core members of a team"),
    },
    "beneficiary_fact": {
        "stated": Label("待核实", "To be verified", "warning"),
        "verified": Label("已核实", "Verified", "success"),
        "rejected": Label("不属实", "Not true", "error"),
        "ended": Label("已终止", "Ended"),
    },
    "beneficiary": {
        "technology-sme": Label("科技型中小企业", "Technology SME"),
        "high-tech-company": Label("高新技术企业", "High-tech company"),
        "incubated-company": Label("在孵企业", "Incubated company"),
        "incubated-team": Label("在孵团队", "Incubated team"),
        "team": Label("创业团队", "Team"),
        "small-company": Label("小微企业", "Small company"),
        "student-startup": Label("大学生创业企业", "Student start-up"),
        "founder": Label("创业者", "Founder"),
        "contest-winner": Label("大赛获奖者", "Winner of a contest"),
    },
    "grant_change": {
        "top_up": Label("追加", "Top-up"),
        "withdrawal": Label("收回闲置额度", "Unused quota taken back"),
        "revocation": Label("撤销", "Revoked"),
    },
    "grant_change_status": {
        "proposed": Label("待决定", "To be decided", "warning"),
        "done": Label("已执行", "Done", "success"),
        "declined": Label("已否决", "Declined"),
    },
    "application_document": {
        "application-form": Label("申请表", "Application form"),
        "licence": Label("营业执照", "Business licence"),
        "business-licence": Label("营业执照", "Business licence"),
        "enterprise-type": Label("企业类型证明", "Proof of the kind of company"),
        "credit-report": Label("信用报告", "Credit report"),
        "innovation-proof": Label("创新证明", "Proof of innovation"),
        "main-business-statement": Label(
            "研发与主营业务相关说明", "How it relates to the main business"
        ),
        "research-plan": Label("研发计划", "Research plan"),
    },
    "measure": {
        "issued": Label("发放", "Issued"),
        "held": Label("冻结", "Held"),
        "used": Label("使用", "Used"),
        "claimed": Label("申请兑付", "Claimed"),
        "approved": Label("核准", "Approved"),
        "paid": Label("兑付", "Paid"),
        "expired": Label("到期退回", "Expired"),
        "withdrawn": Label("收回", "Withdrawn"),
        "returned": Label("退款退回", "Returned"),
        "clawed_back": Label("追回", "Clawed back"),
    },
    "grouping": {
        "programme": Label("计划", "Programme"),
        "layer": Label("出资层", "Layer"),
        "funder": Label("出资级别", "Funder"),
        "region": Label("企业所在地", "Region of the SME"),
        "sme": Label("企业", "SME"),
        "provider": Label("服务机构", "Provider"),
        "service_kind": Label("服务类别", "Kind of service"),
        "month": Label("月份", "Month"),
    },
    "compared": {
        "budget": Label("预算", "Budget"),
        "identity": Label("下达 = 可用 + 在券 + 已用", "Appropriated = free + on vouchers + spent"),
        "held": Label("冻结", "Held"),
        "used": Label("已用", "Used"),
        "claims-approved": Label("核准的兑付申请", "Claims approved"),
        "lines-approved": Label("核准的明细", "Lines approved"),
        "clawed-back": Label("待收回的追回款", "Clawed back, not recovered yet"),
    },
    "return_cause": {
        "excluded": Label("剔除", "Excluded"),
        "cut": Label("核减", "Cut"),
        "refunded": Label("退款", "Refunded"),
        "clawed_back": Label("追回", "Clawed back"),
    },
}
