"""What is handed on for evaluation: facts and tables of one moment, never natural persons.

What a file is called and how it is written is the adapters' business; what stands in it is declared here.
"""
