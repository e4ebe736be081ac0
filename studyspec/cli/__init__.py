"""The commands: parse, call the api, print. Imports heavy rooms only inside the command that needs them."""
