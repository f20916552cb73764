"""Who is signed in: passwords, second factors, sessions and tokens, in a side store beside the log.

The log says what an account may do and what was taken from it; nothing secret is ever in it. Of what is
kept here nothing but digests and ciphertext reaches a disk.
"""
