# What Python programs do: long integers, floating point, dictionaries, strings, objects, exceptions, sorting.


def digits_of_pi(count):  # Jeremy Gibbons' spigot
    q, r, t, k, n, l = 1, 0, 1, 1, 3, 3
    while count:
        if 4 * q + r - t < n * t:
            yield n
            count -= 1
            q, r, n = 10 * q, 10 * (r - n * t), 10 * (3 * q + r) // t - 10 * n
        else:
            q, r, t, k, n, l = q * k, (2 * q + r) * l, t * l, k + 1, (q * (7 * k + 2) + r * l) // (t * l), l + 2


class Body:
    def __init__(self, position, velocity):
        self.position, self.velocity = position, velocity

    def move(self, others, step):
        for other in others:
            if other is not self:
                distance = other.position - self.position
                self.velocity += step * distance / (1 + distance * distance)
        self.position += step * self.velocity


print("".join(map(str, digits_of_pi(1000))))

bodies = [Body(i * 1.5, 0.1 * i) for i in range(6)]
for _ in range(8000):
    for body in bodies:
        body.move(bodies, 0.01)
print([body.position.hex() for body in bodies])

words = {}
with open("/bench/text") as text:
    for line in text.read(800000).splitlines():
        for word in line.split():
            words[word] = words.get(word, 0) + len(line)
print(sorted(words.items(), key=lambda item: (-item[1], item[0]))[:50])

failures = 0
for number in range(100000):
    try:
        failures += 10 // (number % 3)
    except ZeroDivisionError:
        failures += 1
print(failures, sum(ord(c) for c in ",".join(f"{n:x}" for n in range(140000)).upper()))
