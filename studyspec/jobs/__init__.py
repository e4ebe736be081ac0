"""The stages of work, a file each: what decides a result, the result, and how it is come by."""
