"""Where do pods run, and as whom?"""
