"""What does an AWS account need before the estate can be deployed into it? A second Pulumi project, one stack each."""
