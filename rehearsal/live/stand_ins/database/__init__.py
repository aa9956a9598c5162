"""What stands for RDS: a server per instance, and a proxy that lets in whom IAM lets in."""
