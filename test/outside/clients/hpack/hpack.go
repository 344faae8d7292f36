// Command hpack writes header blocks as golang.org/x/net/http2/hpack encodes them, each before the fields that stand in
// it: names and values that come again, binary and long ones, some that may never be indexed, and a table whose size
// changes. It is told a seed and how many blocks; every text stands behind its length in four bytes.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"math/rand"
	"os"
	"strconv"

	"golang.org/x/net/http2/hpack"
)

var names = []string{":method", ":path", ":authority", "content-type", "user-agent", "cookie", "x-a", "x-b", "www-authenticate"}
var values = []string{"", "GET", "/", "application/grpc", "gzip, deflate", "a", "trailers"}

func main() {
	seed, _ := strconv.ParseInt(os.Args[1], 10, 64)
	blocks, _ := strconv.Atoi(os.Args[2])
	random := rand.New(rand.NewSource(seed))
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for ; blocks > 0; blocks-- {
		// Twice now and then: then the smallest stands in the block, and the last.
		for change := random.Intn(12); change > 9; change-- {
			encoder.SetMaxDynamicTableSize(uint32(random.Intn(4_097)))
		}
		fields := make([]hpack.HeaderField, random.Intn(14))
		for i := range fields {
			fields[i] = hpack.HeaderField{Name: name(random), Value: value(random), Sensitive: random.Intn(8) == 0}
			encoder.WriteField(fields[i])
		}
		write(out, block.Bytes())
		binary.Write(out, binary.BigEndian, uint32(len(fields)))
		for _, field := range fields {
			write(out, []byte(field.Name))
			write(out, []byte(field.Value))
		}
		block.Reset()
	}
}

func name(random *rand.Rand) string {
	if random.Intn(3) > 0 {
		return names[random.Intn(len(names))]
	}
	return "x-" + strconv.Itoa(random.Intn(200))
}

func value(random *rand.Rand) string {
	switch random.Intn(6) {
	case 0, 1:
		return values[random.Intn(len(values))]
	case 2:
		return strconv.Itoa(random.Intn(1_000))
	case 3: // any bytes
		bytes := make([]byte, random.Intn(60))
		random.Read(bytes)
		return string(bytes)
	case 4: // longer than the table, sometimes
		return string(bytes.Repeat([]byte{byte('!' + random.Intn(94))}, random.Intn(5_500)>>uint(random.Intn(8))))
	default: // text
		text := make([]byte, random.Intn(80))
		for i := range text {
			text[i] = byte(' ' + random.Intn(95))
		}
		return string(text)
	}
}

func write(out *bufio.Writer, text []byte) {
	binary.Write(out, binary.BigEndian, uint32(len(text)))
	out.Write(text)
}
