"""The yearly evaluation of providers: indicators from the platform's own records, experts' scores,
a grade, public notice, objections, and the grade that the rewards are computed from.

    draft ──publish──▶ published ──objections over, none open, by a second person──▶ final

Invariants: one assessment per provider and year; what is published is not redrafted; who drafted
does not finalise; a verified item of the annex on credit and safety makes a provider unqualified
whatever its score [J.A2].
"""
