"""What an account pays: its plan, the price and since when."""
