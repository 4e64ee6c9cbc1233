"""The deployed dashboard on 127.0.0.1, drawn from what the local stack really emitted (`make dashboard`).

The template's own DashboardBody, read back from the local AWS (`body`), is filled with numbers (`store`) that come from
the functions' logs, the queues and MiniStack (`sources`, `emf`), with each alarm's state worked out from the same
numbers (`alarms`) and tables of log lines (`log_query`). What cannot be had locally is said on the widget, never made
up.
"""
