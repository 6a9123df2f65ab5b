package faulty

import (
	"encoding/binary"
	"hash/crc32"
)

// Reseal gives every frame of a segment the checksums that its bytes have, as
// somebody would who alters an entry on purpose. It stops at the first frame
// whose length is impossible.
func Reseal(segment []byte) {
	const header = 48
	table := crc32.MakeTable(crc32.Castagnoli)
	for len(segment) >= header {
		size := int64(header) + int64(binary.LittleEndian.Uint32(segment[12:]))
		if size > int64(len(segment)) {
			return
		}
		binary.LittleEndian.PutUint32(segment[40:], crc32.Checksum(segment[header:size], table))
		binary.LittleEndian.PutUint32(segment[44:], crc32.Checksum(segment[:44], table))
		segment = segment[size:]
	}
}
