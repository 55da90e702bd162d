from shop.models import orders


def show(connection, order_id):
    return connection.execute(orders.select().where(orders.c.id == order_id)).one()
