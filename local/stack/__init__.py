"""The local stack: MiniStack in place of AWS, the simulator in place of Kairos, and the real template between them.

`python -m local.stack up` and `down` (`make up`, `make down`). Read `lifecycle.py` first.
"""
