"""The commands: parse, call the api, print. A heavy room is imported where it is needed."""
