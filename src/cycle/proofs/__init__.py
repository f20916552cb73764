"""What lets anybody check the log: trees, checkpoints, the registry, disclosures, bundles. Pure.

``tree`` hashes and proves, ``note`` signs, ``checkpoint`` says what is signed, ``registry`` gathers
the heads of all logs, ``disclosure`` opens what a leaf keeps sealed, ``bundle`` writes what an auditor
takes away and ``verify`` is the one file with which they check it. `docs/proofs.md` specifies all of it.
"""
