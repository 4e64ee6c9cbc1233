"""One batch of messages from SQS: read it, plan its requests, claim its calls, and answer SQS."""
