"""The page from Python: finding a Node that can run it, starting it, joining it, and its addresses."""
