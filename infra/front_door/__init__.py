"""How do people reach the service?"""
