"""What people see and how it ships: reads engine events and exported graphs."""
