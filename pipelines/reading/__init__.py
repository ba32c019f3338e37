"""What can be told of a page's blocks by where they stand and what they look like, before anybody judges their words.

Extraction and cleaning both begin here, so neither has to know the other: the layout of a page in numbers, trees that
decide by such numbers, and the glance, which says which blocks look like the article and how sure that is.
"""
