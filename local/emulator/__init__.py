"""Runs a deployed function under AWS's Lambda runtime emulator, without Docker.

`fetch_function` fetches a function from the local AWS, `run_emulator` runs it.
"""
