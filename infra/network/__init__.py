"""Which addresses are there, and which way leads in and out?"""
