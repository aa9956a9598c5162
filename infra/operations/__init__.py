"""How is the estate watched, saved and paid for?"""
