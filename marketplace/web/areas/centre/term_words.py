"""Kinds of service and of buyers by their names, as terms of programmes are told."""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, tuple[str, str]]] = {
    "statutory-test": ("法定检验", "statutory tests"),
    "law-enforcement-inspection": ("执法检查", "law enforcement"),
    "commercial-inspection": ("商检", "commercial inspection"),
    "bulk-inspection": ("大宗检验", "bulk inspection"),
    "medical-service": ("医疗服务", "medical services"),
    "commercial-photography": ("商业摄影", "commercial photography"),
    "instrument-sharing": ("仪器共享", "instrument sharing"),
    "research": ("研究", "research"),
    "testing": ("检验检测", "testing"),
    "pilot": ("中试", "pilot"),
    "proof-of-concept": ("概念验证", "proof of concept"),
    "computing": ("算力", "computing"),
    "research-and-development": ("研究开发", "research and development"),
    "broker-training": ("技术经纪人培训", "training of brokers"),
    "technology-transfer": ("技术转移", "technology transfer"),
    "result-evaluation": ("成果评价", "evaluation of results"),
    "high-tech": ("高新技术企业", "a high-tech company"),
    "incubated": ("在孵", "incubated"),
    "talent-plan": ("人才计划人员创办", "founded with a person of a talent plan"),
    "technology-deputy": ("科技副总", "a deputy for technology"),
    "contest-winner": ("创业大赛获奖", "a contest won"),
    "student-founder": ("大学生创业", "founded by students"),
    "research-share": ("研发投入占比达标", "enough spent on research"),
    "class-one-ip": ("一类知识产权", "a patent or the like of the first class"),
    "no-serious-dishonesty": ("无严重失信", "no serious dishonesty"),
    "credit-report": ("信用报告", "credit report"),
    "innovation-proof": ("创新证明", "proof of innovation"),
    "main-business-statement": ("研发与主营业务相关说明", "how it relates to the main business"),
    "application-form": ("申请表", "application form"),
    "licence": ("营业执照", "business licence"),
    "enterprise-type": ("企业类型证明", "proof of the kind of company"),
    "small-company": ("小微企业", "small companies"),
    "high-tech-company": ("高新技术企业", "high-tech companies"),
    "incubated-company": ("在孵企业", "incubated companies"),
    "incubated-team": ("在孵团队", "teams in incubators"),
    "team": ("创业团队", "teams"),
    "founder": ("创业者", "founders"),
    "student-startup": ("大学生初创企业", "student start-ups"),
    "technology-sme": ("科技型中小企业", "technology SMEs"),
}
"""Kinds of service and of buyers that many programmes name; others are told as they are written."""
