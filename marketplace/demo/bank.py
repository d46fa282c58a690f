"""The demo's bank: it takes payment files, receives transfers, and sends statements as a Chinese
e-bank exports them. It knows nothing of the platform's books; that is what reconciling is about.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date

ACCOUNT_NUMBER = "3200 0000 0000 0000 001"
ACCOUNT_HOLDER = "演示省科技资源统筹服务中心"
COLUMNS = (
    "交易日期",
    "借方发生额",
    "贷方发生额",
    "余额",
    "对方户名",
    "对方账号",
    "摘要",
    "交易流水号",
)


@dataclass(frozen=True, slots=True)
class Booking:
    """One line of the account: positive is money in."""

    booked_on: date
    amount_fen: int
    balance_fen: int
    counterparty: str
    counterparty_account: str
    remark: str
    reference: str


class DemoBank:
    """One account at one bank."""

    def __init__(self) -> None:
        self.balance_fen = 0
        self._unsent: list[Booking] = []
        self._opening_fen = 0
        self._number = 0

    def receive(
        self, day: date, *, amount_fen: int, payer: str, payer_account: str, remark: str
    ) -> None:
        """Somebody transfers money to the platform's account."""
        self._book(day, amount_fen, payer, payer_account, remark)

    def pay(
        self, day: date, *, amount_fen: int, payee: str, payee_account: str, remark: str
    ) -> None:
        """The platform's payment file is executed, line by line."""
        self._book(day, -amount_fen, payee, payee_account, remark)

    def statement(self) -> bytes | None:
        """Everything since the last statement as the bank exports it, or None when nothing moved.

        GB18030, a preamble before the header, thousands commas, separate debit and credit columns,
        as real exports have them.
        """
        if not self._unsent:
            return None
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["账户明细查询"])
        writer.writerow(["账号", ACCOUNT_NUMBER, "户名", ACCOUNT_HOLDER, "币种", "人民币"])
        writer.writerow(["期初余额", _yuan(self._opening_fen), "期末余额", _yuan(self.balance_fen)])
        writer.writerow(
            [
                "交易日期",
                "借方发生额",
                "贷方发生额",
                "余额",
                "对方户名",
                "对方账号",
                "摘要",
                "交易流水号",
            ]
        )
        for line in self._unsent:
            writer.writerow(
                [
                    f"{line.booked_on:%Y%m%d}",
                    _yuan(-line.amount_fen) if line.amount_fen < 0 else "",
                    _yuan(line.amount_fen) if line.amount_fen > 0 else "",
                    _yuan(line.balance_fen),
                    line.counterparty,
                    line.counterparty_account,
                    line.remark,
                    line.reference,
                ]
            )
        self._unsent = []
        self._opening_fen = self.balance_fen
        return out.getvalue().encode("gb18030")

    def _book(self, day: date, amount_fen: int, name: str, account: str, remark: str) -> None:
        self._number += 1
        self.balance_fen += amount_fen
        self._unsent.append(
            Booking(
                booked_on=day,
                amount_fen=amount_fen,
                balance_fen=self.balance_fen,
                counterparty=name,
                counterparty_account=account,
                remark=remark,
                reference=f"{day:%Y%m%d}{self._number:08d}",
            )
        )


def _yuan(amount_fen: int) -> str:
    return f"{amount_fen // 100:,}.{amount_fen % 100:02d}"
