// Package local is the store of a node on one machine: two append-only logs in
// segment files, and registers in SQLite.
//
//	DIR/lock                   held while a process has the directory open
//	DIR/trust/00000001.seg     frames, one behind the other, nothing between
//	DIR/trust/tree             32-byte tree hashes in the order of x/mod/sumdb/tlog
//	DIR/decisions/…            the same for the other log
//	DIR/state.db               registers
//
// A batch is one frame, one write and one fdatasync: header, then records,
// single-use values and checkpoint (frame.go). Every byte of a frame is covered
// by a CRC-32C, and every byte of a segment belongs to a frame. The tree file
// can be computed from the leaves; it is written before the frame and synced
// only when a segment ends, so that Open computes the part that belongs to the
// last segment again.
//
// What a crash can leave behind is an incomplete frame at the end of the last
// segment: Open cuts it off and says so. Anything else is a *store.Damage, which
// is never repaired. A sync that fails leaves unknown what is on the disk: the
// store takes no more appends, and the process is to end.
//
// The package knows neither what an entry says nor who signs.
package local
