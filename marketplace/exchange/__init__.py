"""Other systems: what the platform hands to them, in their layout, and what they answered.

A provider reports its service records to the national network platform once a quarter (record
type 6). A run is made from the platform's own records, every field checked by the layout's rule;
what does not pass is listed with all its reasons and left out. What was sent is kept, so the next
run of the same quarter holds only what is new or has changed.

made → sent → accepted | rejected; a run that nobody sends is rejected by hand.
"""
