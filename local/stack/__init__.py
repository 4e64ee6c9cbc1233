"""The local stack: MiniStack instead of AWS, the simulator instead of Kairos, and the real template.

`python -m local.stack up` and `down` (`make up`, `make down`). Read `lifecycle.py` first.
"""
