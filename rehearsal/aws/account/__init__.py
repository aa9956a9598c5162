"""What the account refuses: rules over everything in it, a module for each service, an error code as AWS words it."""
