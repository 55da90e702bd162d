# What Python added in 3.12 and 3.13.
type Point = tuple[float, float]
type ListOrSet[T: (int, str) = int, *Ts = *tuple[int], **P] = list[T] | set[T]


def first[T](items: list[T]) -> T:
    return items[0]


class Box[T: Base](Generic, key=1):
    def get[**P](self, *args: P.args) -> T: ...


print(f"{", ".join(f"{x["name"]!r:>{width}}" for x in items)}")
print(f"{
    value  # a comment with }
    = :{'>'}{10 + 2}}")
x = f'{a['b']:{f'{c}'}}' f"{'\n'.join(d)}"
