package local

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"

	"github.com/entente-id/entente/store"
)

// markEvery is how far apart, in bytes, the places are at which a segment
// remembers which record a frame begins with.
const markEvery = 32 << 10

type mark struct {
	first  uint64
	offset int64
}

// segment is a file of frames. All but the last of a log are complete.
type segment struct {
	log   string
	name  string // relative to the data directory
	file  File
	first uint64 // number of the first record, be it yet to come
	until int64  // the latest expiry of single-use values up to the first frame

	mu    sync.Mutex
	marks []mark // rising; of the part that has been walked so far
}

// begin gives the last known place at or before the frame that holds record n.
func (s *segment) begin(n uint64) mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].first > n })
	if i == 0 {
		return mark{first: s.first}
	}
	return s.marks[i-1]
}

// note remembers that a frame begins at m, if that is far enough from the last.
func (s *segment) note(m mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last int64
	if n := len(s.marks); n > 0 {
		last = s.marks[n-1].offset
	}
	if m.offset-last >= markEvery {
		s.marks = append(s.marks, m)
	}
}

// walk reads frames from one place of a segment on.
type walk struct {
	seg   *segment
	in    *bufio.Reader
	at    mark  // the next frame's place
	end   int64 // the segment's length
	heads [headerSize]byte
}

// place learns from the first frame which records a segment holds; whole also
// asks for that frame's payload.
func (s *segment) place(whole bool) error {
	size, err := s.file.Size()
	if err != nil {
		return internal("reading %s: %w", s.name, err)
	}
	w := s.walk(mark{}, size)
	h, err := w.anyHeader()
	if err == nil && whole {
		_, err = w.frame(h)
	}
	if errors.Is(err, errShort) {
		return w.damage(size, errShort.Error())
	}
	if err != nil {
		return err
	}
	s.first, s.until = h.first, h.until
	return nil
}

// read gives the runs with at most limit records from number from on, which
// stands in this segment of the length end.
func (s *segment) read(from uint64, limit int, end int64) ([]store.Run, error) {
	var runs []store.Run
	w := s.walk(s.begin(from), end)
	for limit > 0 {
		h, err := w.header()
		switch {
		case errors.Is(err, io.EOF):
			return runs, nil
		case errors.Is(err, errShort):
			return runs, w.damage(end, err.Error())
		case err != nil:
			return runs, err
		case h.end() <= from:
			if err := w.skip(h); err != nil {
				return runs, err
			}
			continue
		}
		f, err := w.frame(h)
		if err != nil {
			return runs, err
		}
		first := max(from, h.first)
		records := f.batch.Records[first-h.first:]
		records = records[:min(len(records), limit)]
		limit -= len(records)
		runs = append(runs, store.Run{First: first, Records: records, End: h.end(), Checkpoint: f.batch.Checkpoint})
	}
	return runs, nil
}

func (s *segment) walk(from mark, end int64) *walk {
	in := io.NewSectionReader(s.file, from.offset, end-from.offset)
	return &walk{seg: s, in: bufio.NewReaderSize(in, int(min(markEvery, in.Size()))), at: from, end: end}
}

// errShort says that the bytes end before the frame does.
var errShort = errors.New("the frame is incomplete")

// header reads the next frame's header. At the end it gives io.EOF; where fewer
// bytes are left than the frame needs, errShort.
func (w *walk) header() (header, error) {
	if w.at.offset == w.end {
		return header{}, io.EOF
	}
	h, err := w.anyHeader()
	if err == nil && h.first != w.at.first {
		return h, w.damage(w.at.offset+headerSize, fmt.Sprintf("the frame begins with entry %d where entry %d follows", h.first, w.at.first))
	}
	return h, err
}

// anyHeader is header without regard to the order of entries.
func (w *walk) anyHeader() (h header, err error) {
	if w.end-w.at.offset < headerSize {
		return h, errShort
	}
	if _, err := io.ReadFull(w.in, w.heads[:]); err != nil {
		return h, w.reading(err)
	}
	h, rule := parseHeader(w.heads[:])
	switch {
	case rule != "":
		return h, w.damage(w.end, rule)
	case h.size() > w.end-w.at.offset:
		return h, errShort
	}
	return h, nil
}

// skip passes over the payload of h, which header gave.
func (w *walk) skip(h header) error {
	if _, err := w.in.Discard(int(h.length)); err != nil {
		return w.reading(err)
	}
	w.pass(h)
	return nil
}

// frame reads the payload of h, which header gave.
func (w *walk) frame(h header) (frame, error) {
	payload := make([]byte, h.length)
	if _, err := io.ReadFull(w.in, payload); err != nil {
		return frame{}, w.reading(err)
	}
	f, rule := parsePayload(h, payload)
	if rule != "" {
		return f, w.damage(w.at.offset+h.size(), rule)
	}
	w.pass(h)
	return f, nil
}

func (w *walk) pass(h header) {
	w.seg.note(w.at)
	w.at = mark{first: h.end(), offset: w.at.offset + h.size()}
}

func (w *walk) damage(to int64, rule string) *store.Damage {
	return &store.Damage{Log: w.seg.log, File: w.seg.name, From: w.at.offset, To: to, Size: w.at.first, Rule: rule}
}

func (w *walk) reading(err error) error {
	return internal("reading %s: %w", w.seg.name, err)
}
