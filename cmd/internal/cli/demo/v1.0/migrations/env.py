# instep never runs this file.
from alembic import context

context.configure(url="mysql://shop@db/shop")
with context.begin_transaction():
    context.run_migrations()
