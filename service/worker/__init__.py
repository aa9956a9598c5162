"""Who renders the videos that were asked for? Workers, which lose nothing when they die."""
