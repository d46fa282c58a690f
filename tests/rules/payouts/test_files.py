"""The payment file that a bank is handed."""

from typing import Any

from marketplace.billing.payouts.rules.files import COLUMNS, PaymentLine, digest, payment_file


def a_line(payout_id: int = 1, **changes: Any) -> PaymentLine:
    given: dict[str, Any] = {
        "holder": "示例大学",
        "number": "6222000000000001",
        "bank_name": "示例银行",
        "cnaps": "105301000013",
        "amount_fen": 1_234_505,
        "end_to_end_id": f"SC-P-{payout_id}",
        "purpose": f"仪器服务费结算 SC-P-{payout_id}",
    }
    return PaymentLine(payout_id=payout_id, **(given | changes))


def test_a_file_opens_in_a_spreadsheet_with_chinese_intact_and_amounts_in_yuan():
    content = payment_file([a_line()])

    text = content.decode("utf-8-sig")
    assert content.startswith(b"\xef\xbb\xbf")
    assert text.splitlines() == [
        ",".join(COLUMNS),
        "示例大学,6222000000000001,示例银行,105301000013,12345.05,CNY,仪器服务费结算 SC-P-1,SC-P-1",
    ]


def test_the_same_payments_give_the_same_bytes_in_whatever_order_they_come():
    lines = [a_line(1), a_line(2), a_line(3)]

    assert payment_file(lines) == payment_file(lines[::-1])
    assert digest(payment_file(lines)) != digest(payment_file(lines[:2]))


def test_a_name_that_a_spreadsheet_would_run_is_quoted():
    text = payment_file([a_line(holder='=HYPERLINK("x")', bank_name="@sum")]).decode("utf-8-sig")

    assert '"\'=HYPERLINK(""x"")"' in text
    assert ",'@sum," in text


def test_a_name_with_a_comma_or_a_line_break_stays_one_cell():
    text = payment_file([a_line(holder='示例,"大学"\n南京')]).decode("utf-8-sig")

    assert '"示例,""大学""\n南京"' in text
