"""The deployed dashboard on 127.0.0.1, with the numbers that the local stack really emitted (`make dashboard`).

`body` reads the template's own DashboardBody. `sources` and `emf` read numbers and log lines from the functions' logs
and from the queues into `store`. `alarms` computes the state of each alarm from the same numbers. `log_query` makes
tables of log lines. `picture` puts all of it together for the page. If a metric is not available locally, its widget
says so.
"""
