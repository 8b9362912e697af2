"""Ask and change the sessions of a Trackside from a Python program."""
