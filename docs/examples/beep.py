"""For `bellboard notify --command python beep.py`: notices come as JSON; here they become lines in a file."""

import json
import sys

notice = json.load(sys.stdin)
with open("bells.log", "a") as log:
    print(notice["action"], notice["key"], notice["headline"], file=log)
