"""What a service costs: cost sheets, price lists, and the price of one service.

A provider files a cost sheet for an instrument and a year: its running cost by component and the
minutes it is planned to run. A price list filed after it may ask at most that cost (no profit),
unless the state sets the price; it stands public for the notice and is then in force. Of the
lists in force the one in force last counts, and what was filed is never edited: a newer version
replaces it, or it is withdrawn. `price_service` says what one customer pays, line by line.

States of a price list: in notice → in force | withdrawn.
Invariants: no price above cost (J.21a, N.25c); no price before its notice has ended (J.15, J.21d);
an amount is rounded once per line, half up; a ceiling is rounded down.
"""
