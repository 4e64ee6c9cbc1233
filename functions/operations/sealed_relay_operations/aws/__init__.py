"""The adapters on AWS. Only the handler imports them."""
