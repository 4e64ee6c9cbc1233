"""The chaos run: calls through the local stack while what the relay rests on breaks, and each call accounted for.

`python -m local.chaos --calls 10000` (`make chaos`). Read `chaos.py` first; what breaks, and when, is in `weather.py`.
"""
