package local

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// A frame is a header and a payload; numbers are little-endian.
//
//	 0  magic "EFR1"
//	 4  number of records
//	 8  number of single-use values
//	12  payload length in bytes
//	16  number of the first record, 8 bytes
//	24  the batch's time in Unix seconds, 8 bytes
//	32  the latest expiry of any single-use value up to here, 8 bytes
//	40  CRC-32C of the payload
//	44  CRC-32C of the 44 bytes before it
//
// The payload is, for each record, leaf and sealed part, each with its length
// (4 bytes) before it; for each single-use value its key (16 bytes), expiry (8)
// and edge with its length (4); and the checkpoint, to the end.
const (
	magic      = "EFR1"
	headerSize = 48
)

// The rules that an interrupted write can break.
const (
	noFrame    = "no frame begins here"
	headerSum  = "the header's checksum is another"
	payloadSum = "the payload's checksum is another"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type header struct {
	records uint32
	once    uint32
	length  uint32
	first   uint64
	at      int64
	until   int64
	sum     uint32
}

func (h header) end() uint64 { return h.first + uint64(h.records) }

// size is the whole frame's, in bytes.
func (h header) size() int64 { return headerSize + int64(h.length) }

// frame is a parsed payload; its slices lie in the payload's bytes.
type frame struct {
	header
	batch store.Batch
}

// parseHeader reads the header at the beginning of b, which holds at least
// headerSize bytes, or gives the rule that is broken.
func parseHeader(b []byte) (h header, rule string) {
	le := binary.LittleEndian
	switch {
	case string(b[:4]) != magic:
		return h, noFrame
	case crc32.Checksum(b[:44], castagnoli) != le.Uint32(b[44:]):
		return h, headerSum
	}
	h = header{
		records: le.Uint32(b[4:]), once: le.Uint32(b[8:]), length: le.Uint32(b[12:]), first: le.Uint64(b[16:]),
		at: int64(le.Uint64(b[24:])), until: int64(le.Uint64(b[32:])), sum: le.Uint32(b[40:]),
	}
	if h.records == 0 || h.first > math.MaxInt64-uint64(h.records) {
		return h, "the header's record numbers are impossible"
	}
	return h, ""
}

// parsePayload reads a whole payload, or gives the rule that is broken.
func parsePayload(h header, payload []byte) (f frame, rule string) {
	if crc32.Checksum(payload, castagnoli) != h.sum {
		return f, payloadSum
	}
	f.header = h
	f.batch.At = h.at
	r := reader{rest: payload}
	for range h.records {
		f.batch.Records = append(f.batch.Records, store.Record{Leaf: r.sized(), Sealed: r.sized()})
		if r.short {
			return f, "a record is longer than the frame"
		}
	}
	for range h.once {
		f.batch.Once = append(f.batch.Once, r.once())
		if r.short {
			return f, "a single-use value is none"
		}
	}
	f.batch.Checkpoint = r.rest
	return f, ""
}

// reader takes fields off the front of a payload.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.short = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) sized() []byte {
	size := r.take(4)
	if r.short {
		return nil
	}
	return r.take(int(binary.LittleEndian.Uint32(size)))
}

func (r *reader) once() (o trust.Once) {
	fixed := r.take(24)
	edge := r.sized()
	if r.short {
		return o
	}
	copy(o.Key[:], fixed)
	o.Expires = int64(binary.LittleEndian.Uint64(fixed[16:]))
	r.short = o.Edge.UnmarshalText(edge) != nil
	return o
}

// appendFrame adds b's frame to buf. Its first record is number first, and no
// value burned before expires after until.
func appendFrame(buf []byte, b *store.Batch, first uint64, until int64) ([]byte, header, error) {
	start := len(buf)
	buf = append(buf, make([]byte, headerSize)...)
	for i := range b.Records {
		buf = appendSized(buf, b.Records[i].Leaf)
		buf = appendSized(buf, b.Records[i].Sealed)
	}
	for i := range b.Once {
		buf = append(buf, b.Once[i].Key[:]...)
		buf = binary.LittleEndian.AppendUint64(buf, uint64(b.Once[i].Expires))
		buf = appendSized(buf, []byte(b.Once[i].Edge.String()))
		until = max(until, b.Once[i].Expires)
	}
	buf = append(buf, b.Checkpoint...)
	payload := buf[start+headerSize:]
	if len(payload) > math.MaxInt32 {
		return nil, header{}, trust.Errorf(trust.Invalid, "a batch of %d bytes is too large; a frame holds up to %d", len(payload), math.MaxInt32)
	}
	h := header{
		records: uint32(len(b.Records)), once: uint32(len(b.Once)), length: uint32(len(payload)),
		first: first, at: b.At, until: until, sum: crc32.Checksum(payload, castagnoli),
	}
	h.put(buf[start:])
	return buf, h, nil
}

func (h header) put(b []byte) {
	le := binary.LittleEndian
	copy(b, magic)
	le.PutUint32(b[4:], h.records)
	le.PutUint32(b[8:], h.once)
	le.PutUint32(b[12:], h.length)
	le.PutUint64(b[16:], h.first)
	le.PutUint64(b[24:], uint64(h.at))
	le.PutUint64(b[32:], uint64(h.until))
	le.PutUint32(b[40:], h.sum)
	le.PutUint32(b[44:], crc32.Checksum(b[:44], castagnoli))
}

func appendSized(buf, b []byte) []byte {
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(b)))
	return append(buf, b...)
}

// holdsFrame reports whether anywhere in b a frame begins that follows entry
// number size: then what stands before it was not the last write.
func holdsFrame(b []byte, size uint64) bool {
	for {
		i := bytes.Index(b, []byte(magic))
		if i < 0 || len(b)-i < headerSize {
			return false
		}
		b = b[i:]
		if h, rule := parseHeader(b); rule == "" && h.first > size {
			return true
		}
		b = b[1:]
	}
}
