"""What stands for ElastiCache: a server per group, behind an endpoint that checks IAM tokens."""
