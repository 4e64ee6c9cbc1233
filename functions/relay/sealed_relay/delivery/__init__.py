"""One request from its calls to its outcomes: seal, store, send, record the answer, settle."""
