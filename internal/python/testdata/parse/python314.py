# What Python added in 3.14.
template = t"SELECT {name!r:x} FROM {table=}" rt'\d{a}'
try:
    pass
except ValueError, TypeError, KeyError:
    pass
try:
    pass
except* A, B:
    pass
