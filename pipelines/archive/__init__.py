"""Archives of the web: many WARC files at once, each a task of its own, before one writer settles what they gave.

lists       what was asked for -> files
prefilter   bytes that cannot be about the topic are not parsed
task        one file -> one Parquet file beside the corpus: the same stages as everywhere
engines     tasks over processes here, or over machines with Spark
settle      Parquet files -> the corpus, in an order that does not depend on who finished first
"""
