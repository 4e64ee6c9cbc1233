"""AWS's Lambda runtime emulator on this machine, without Docker: runs a function just as it was deployed.

`deployed_function` fetches what a Lambda service holds, `emulating` runs it.
"""
