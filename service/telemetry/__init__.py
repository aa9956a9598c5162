"""What does a running process tell about itself?"""
