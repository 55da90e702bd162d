"""Run small programs of the test's own making and give back what they print.

Each line on stdin is a JSON string, a program. The answer is a JSON string with what it
printed, and the name of the exception that ended it, if one did, on a last line of its own.
"""

import contextlib
import faulthandler
import io
import json
import resource
import sys
import warnings

warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

for line in sys.stdin:
    out = io.StringIO()
    faulthandler.dump_traceback_later(10, exit=True)  # no program takes long; one that does ends the test
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(json.loads(line), "program", "exec"), {"__name__": "program"})
        except Exception as e:
            print("ended by", type(e).__name__)
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps(out.getvalue()), flush=True)
