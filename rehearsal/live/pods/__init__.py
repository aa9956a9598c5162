"""How does a node run pods?"""
