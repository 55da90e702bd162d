# -*- coding: utf-8 -*-
"""What Python 2 wrote differently."""
import sys
from sqlalchemy import *
from migrate import *

print
print "Adding columns",
print "to %s" % (table,), 0777, 10L, 0xFFL
print >>sys.stderr, "done", `x`,
exec "x = 1"
exec code in namespace, {}


def upgrade(migrate_engine, (a, b)=(1, 2)):
    metadata = MetaData(bind=migrate_engine)
    users = Table('users', metadata, autoload=True)
    try:
        Column('nick', String(100), nullable=True).create(users)
    except (SQLError, OperationalError), e:
        raise RuntimeError, "cannot add: %s" % e
    except KeyError, (errno, message):
        raise KeyError, errno, sys.exc_info()[2]
    if a <> b or not has_key:
        return map(lambda (k, v): k, ur'\u00e9\n', u'b')
    return [x for x in 1, 2, 3 if x]
