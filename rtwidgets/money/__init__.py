"""What a session costs, and what keeps it to a budget.

ledger -> metering     what was used, entry by entry; the bill
budgeting              whether the next reply still fits
"""
