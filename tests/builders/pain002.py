"""Status reports for tests, as banks write them."""

from __future__ import annotations

from collections.abc import Iterable

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"


def a_report(
    payments: Iterable[tuple[str, str, str]] = (),
    *,
    batch: str = "SC-B-1",
    group: str = "",
    number: str = "BANK-1",
    namespace: str = NAMESPACE,
) -> bytes:
    """A pain.002 file: reference, code and reason of each payment, and the word on all of them."""
    told = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{code}</TxSts>"
        + (
            f"<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>{reason}</AddtlInf></StsRsnInf>"
            if reason
            else ""
        )
        + "</TxInfAndSts>"
        for reference, code, reason in payments
    )
    word = f"<GrpSts>{group}</GrpSts>" if group else ""
    instruction = (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{batch}</OrgnlPmtInfId>{told}</OrgnlPmtInfAndSts>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{namespace}"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>{number}</MsgId></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{batch}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{word}</OrgnlGrpInfAndSts>"
        f"{instruction if told else ''}</CstmrPmtStsRpt></Document>"
    ).encode()
