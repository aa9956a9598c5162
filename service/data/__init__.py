"""Where is what the service keeps, and how is it reached?"""
