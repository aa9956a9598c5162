"""What of the service speaks HTTP, whatever the feature?"""
