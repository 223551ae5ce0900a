"""Results: a method's mattes of many scenes against their truths."""
