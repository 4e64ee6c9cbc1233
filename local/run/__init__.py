"""The run: sends messages through the local stack, waits for what becomes of them, and compares the accounts.

`python -m local.run --messages 100` (`make run`). Read `run.py` first; what must agree is in `accounting.py`.
"""
