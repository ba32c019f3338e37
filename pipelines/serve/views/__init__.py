"""One view a page: a function of the corpus and what was asked, which gives a template and its values. No view writes anything."""
