"""The run: sends messages through the local stack, waits until every call has ended, and compares the accounts.

`python -m local.run --messages 100` (`make run`). Read `send_and_wait.py` first. `accounting.py` counts.
"""
