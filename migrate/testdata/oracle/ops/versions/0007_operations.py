"""Operations of the project's own, and op as a parameter"""
import sqlalchemy as sa
from alembic import op
from alembic.operations import MigrateOperation, Operations

revision = "0007"
down_revision = "0006"


@Operations.register_operation("add_stamp")
class AddStamp(MigrateOperation):
    def __init__(self, table_name, column="stamp"):
        self.table_name = table_name
        self.column = column

    @classmethod
    def add_stamp(cls, operations, table_name, **kw):
        return operations.invoke(cls(table_name, **kw))


@Operations.implementation_for(AddStamp)
def add_stamp(operations, operation):
    operations.add_column(operation.table_name, sa.Column(operation.column, sa.Integer))


def helper(operations, name):
    with operations.batch_alter_table(name) as b:
        b.add_column(sa.Column("helped", sa.Integer))


def upgrade():
    op.add_stamp("city")
    op.add_stamp("city", column="second")
    helper(op, "city")
    o = op
    o.drop_column("city", "second")


def downgrade():
    pass
