"""The engines: what starts workers, a file each. They carry no results and never judge success."""
