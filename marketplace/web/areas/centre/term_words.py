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
    "research": ("研究开发", "research"),
    "testing": ("检验检测", "testing"),
    "pilot": ("中试", "pilot"),
    "proof-of-concept": ("概念验证", "proof of concept"),
    "computing": ("算力", "computing"),
    "research-and-development": ("研究开发", "research and development"),
    "broker-training": ("技术经纪人培训", "training of brokers"),
    "technology-sme": ("科技型中小企业", "technology SMEs"),
}
"""Kinds of service and of buyers that many programmes name; others are told as they are written."""
