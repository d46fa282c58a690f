"""Reservations of instruments, and the sessions in which they are used.

A reservation is a half-open stretch of time on one seat of an instrument. With preparation before
and cleaning after it (its buffers) it is `blocked`, and PostgreSQL lets no two live reservations
of a seat share an instant: `reservation_no_overlap`. No code looks first and writes then.

States: held, offered or requested → confirmed → in_use → used; and cancelled, late_cancelled,
no_show, rejected, expired (`rules/states.py` has the table). The first five are live.

What always holds:
- A refusal lists every reason, says which of them the instrument's staff may set aside with a
  reason that is kept, and offers what is free instead.
- Reserved, actual and billable minutes are three figures. Billable time runs from the reserved
  start, or an earlier check-in, to the end, and is never less than the instrument's minimum.
- Machine-hours count preparation, test and post-processing; each minute of an instrument once, for
  the session that was opened first; sessions that wait in the problem queue not at all.
- No quota is passed, by whatever number of requests at once; nobody attends two machines at once;
  nobody qualifies themselves.
- No fee is due for time in which the instrument was closed.
- Nobody approves what they asked for.
- A group is reserved whole or not at all. A series never touches what is past, and every date that
  it names has a reservation or its reasons.
- A reservation under an order moves when its order does: orders call the use cases here.
"""
