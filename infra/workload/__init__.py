"""How is the service run on the cluster?"""
