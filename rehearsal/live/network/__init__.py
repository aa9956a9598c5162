"""What does a pod reach, and who reaches it?"""
