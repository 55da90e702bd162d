from shop.models import orders


def create(connection, customer):
    connection.execute(orders.insert().values(customer=customer))
