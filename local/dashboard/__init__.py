"""The deployed dashboard on 127.0.0.1, drawn from what the local stack really emitted (`make dashboard`).

The template's own DashboardBody, read back from the local AWS (`body`), is filled with numbers (`store`) that come from
the function's log, the queues and MiniStack (`sources`, `emf`), with each alarm's state worked out from the same
numbers (`alarms`). What cannot be had locally is said on the widget, never made up.
"""
