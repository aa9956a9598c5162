"""What does everything else build on?"""
