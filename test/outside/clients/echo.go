// Command echo drives an echo of gRPC messages with grpc-go: many calls at once with bodies of 0 to 150 kB that are
// compared byte by byte, calls that are cancelled while they are on their way, and calls that must be refused. It prints
// how many of each there were, and exits with 1 at the first answer that is wrong.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
)

// Messages are bytes as they are.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = append([]byte{}, data...); return nil }
func (raw) Name() string                       { return "raw" }

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// What is asked of the server: the address, whether over TLS, and a seed.
func main() {
	address, seed := os.Args[1], os.Args[3]
	channel := insecure.NewCredentials()
	if os.Args[2] == "tls" {
		channel = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(channel), grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	if err != nil {
		fail("%v", err)
	}
	call := func(ctx context.Context, method string, body []byte, options ...grpc.CallOption) ([]byte, error) {
		var answer []byte
		return answer, connection.Invoke(ctx, method, &body, &answer, options...)
	}
	first, _ := strconv.ParseInt(seed, 10, 64)
	echoed, cancelled := echo(call, first), cancel(call, first)
	refused(connection, call)
	fmt.Printf("%d echoed, %d cancelled\n", echoed, cancelled)
}

type invoke func(ctx context.Context, method string, body []byte, options ...grpc.CallOption) ([]byte, error)

const method = "/test.Echo/Echo"

// 32 callers at once, each with 60 bodies of its own.
func echo(call invoke, seed int64) int {
	var done sync.WaitGroup
	for caller := int64(0); caller < 32; caller++ {
		random := rand.New(rand.NewSource(seed + caller))
		done.Add(1)
		go func() {
			defer done.Done()
			for turn := 0; turn < 60; turn++ {
				body := make([]byte, random.Intn(150_001)>>uint(random.Intn(18)))
				random.Read(body)
				answer, err := call(context.Background(), method, body)
				if err != nil {
					fail("an echo of %d bytes: %v", len(body), err)
				}
				if !bytes.Equal(answer, body) {
					fail("an echo of %d bytes has %d other bytes", len(body), len(answer))
				}
			}
		}()
	}
	done.Wait()
	return 32 * 60
}

// Calls that end within 2 ms, answered or not, beside echoes that must not notice.
func cancel(call invoke, seed int64) int {
	var done sync.WaitGroup
	var cancelled atomic.Int64
	for caller := int64(0); caller < 16; caller++ {
		random := rand.New(rand.NewSource(seed - caller))
		done.Add(1)
		go func() {
			defer done.Done()
			for turn := 0; turn < 60; turn++ {
				body := make([]byte, random.Intn(50_000))
				random.Read(body)
				ctx, stop := context.WithTimeout(context.Background(), time.Duration(random.Intn(2_000))*time.Microsecond)
				answer, err := call(ctx, method, body)
				stop()
				code := status.Code(err)
				if code == codes.DeadlineExceeded {
					cancelled.Add(1)
				} else if err != nil || !bytes.Equal(answer, body) {
					fail("a call that may be cancelled: %v", err)
				}
			}
		}()
	}
	done.Wait()
	if answer, err := call(context.Background(), method, []byte("after")); err != nil || string(answer) != "after" {
		fail("a call after those that were cancelled: %v", err)
	}
	return int(cancelled.Load())
}

func refused(connection *grpc.ClientConn, call invoke) {
	expect := func(what string, wanted codes.Code, err error) {
		if status.Code(err) != wanted {
			fail("%s is %v instead of %v: %v", what, status.Code(err), wanted, err)
		}
	}
	_, err := call(context.Background(), "/test.Echo/Other", nil)
	expect("an unknown method", codes.Unimplemented, err)
	_, err = call(context.Background(), method, []byte("x"), grpc.UseCompressor(gzip.Name))
	expect("a compressed message", codes.Unimplemented, err)
	_, err = call(context.Background(), "/test.Echo/Throws", nil)
	expect("a handler that throws", codes.Internal, err)
	stream, err := connection.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test.Echo/Stream")
	if err == nil {
		var answer []byte
		err = stream.RecvMsg(&answer)
	}
	expect("an unknown method that streams", codes.Unimplemented, err)
	if answer, err := call(context.Background(), method, []byte("last")); err != nil || string(answer) != "last" {
		fail("a call after those that were refused: %v", err)
	}
}
