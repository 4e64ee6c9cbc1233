"""The chaos run: sends calls through the local stack while faults are injected, and accounts for each call.

`python -m local.chaos --calls 10000` (`make chaos`). Read `chaos_run.py` first.
`fault_schedule.py` draws the faults, `inject_faults.py` injects them, `kill_processes.py` kills.
"""
