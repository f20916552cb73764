"""The vault: the openings of sealed fields, each encrypted under a key of its person.

A person's key is random and lies in the database wrapped by a key outside of it, in a file. Forgetting
somebody destroys the person's key: whatever is left of the openings anywhere is noise.
"""
