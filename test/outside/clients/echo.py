"""Drives an echo of gRPC messages with grpc-core: many calls at once with bodies of 0 to 150 kB that are compared, calls
that are cancelled on their way, and calls that must be refused. Prints how many of each there were; a wrong answer ends it
with 1."""

import random
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

ADDRESS, CHANNEL, SEED = sys.argv[1], sys.argv[2], int(sys.argv[3])
METHOD = "/test.Echo/Echo"


def channel():
    if CHANNEL == "tls":
        with open(sys.argv[4], "rb") as authorities:
            return grpc.secure_channel(ADDRESS, grpc.ssl_channel_credentials(authorities.read()))
    return grpc.insecure_channel(ADDRESS)


def expect(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()} instead of {code}"
    else:
        raise AssertionError(f"an answer instead of {code}")


with channel() as connection:
    echo = connection.unary_unary(METHOD)

    def caller(number):
        chance = random.Random(SEED + number)
        for _ in range(40):
            body = chance.randbytes(chance.randint(0, 150_000) >> chance.randrange(18))
            assert echo(body, timeout=60) == body, f"an echo of {len(body)} bytes"
        return 40

    def canceller(number):
        chance = random.Random(SEED - number)
        cancelled = 0
        for _ in range(40):
            body = chance.randbytes(chance.randint(0, 50_000))
            call = echo.future(body)
            if chance.random() < 0.5:
                call.cancel()
            try:
                assert call.result() == body, f"an echo of {len(body)} bytes"
            except grpc.FutureCancelledError:
                cancelled += 1
        return cancelled

    with ThreadPoolExecutor(32) as pool:
        echoes = [pool.submit(caller, number) for number in range(16)]
        cancels = [pool.submit(canceller, number) for number in range(1, 9)]
        echoed = sum(one.result() for one in echoes)
        cancelled = sum(one.result() for one in cancels)

    expect(grpc.StatusCode.UNIMPLEMENTED, lambda: connection.unary_unary("/test.Echo/Other")(b""))
    expect(grpc.StatusCode.UNIMPLEMENTED, lambda: echo(bytes(10_000), compression=grpc.Compression.Gzip))
    expect(grpc.StatusCode.INTERNAL, lambda: connection.unary_unary("/test.Echo/Throws")(b""))
    expect(grpc.StatusCode.UNIMPLEMENTED, lambda: list(connection.unary_stream("/test.Echo/Stream")(b"")))
    assert echo(b"last") == b"last"

print(f"{echoed} echoed, {cancelled} cancelled")
