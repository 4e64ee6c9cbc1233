"""Adapters to DynamoDB, SQS and Secrets Manager."""
