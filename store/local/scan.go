package local

import (
	"errors"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// scan is what the end of a log says when it is opened.
type scan struct {
	log    *logFile
	repair bool   // whether leaves are wanted, and a tear may look like damage
	start  int    // the first segment that was read
	first  uint64 // number of the first of leaves
	leaves []tlog.Hash
	once   []trust.Once
	at     int64 // the newest batch's time
	tail   *store.Tail
}

// end reads a log's last segment, and the one before it where no whole frame
// stands in the last, and sets the log's head. Where it fails with a
// *store.Damage, the head is what stands whole before that.
func (s *scan) end() error {
	l := s.log
	if len(l.segments) == 0 {
		return nil
	}
	damage := s.place()
	s.first = l.segments[s.start].first
	for i := s.start; i < len(l.segments); i++ {
		l.segments[i].first = max(l.segments[i].first, l.head.Size)
		if err := s.segment(i); err != nil {
			return err
		}
	}
	return damage
}

// place learns which records the segments hold and where to start.
func (s *scan) place() error {
	l := s.log
	last := len(l.segments) - 1
	s.start = last
	for i := 1; i <= last; i++ {
		err := l.segments[i].place(i == last)
		switch {
		case err == nil:
		case i == last:
			l.segments[i].first = 0
			s.start = last - 1
		default:
			l.segments = l.segments[:i]
			s.start = i - 1
			return err
		}
	}
	return nil
}

// segment reads every frame of segment i.
func (s *scan) segment(i int) error {
	l := s.log
	seg := l.segments[i]
	size, err := seg.file.Size()
	if err != nil {
		return internal("reading %s: %w", seg.name, err)
	}
	w := seg.walk(mark{first: seg.first}, size)
	for err == nil {
		err = s.next(w)
	}
	l.size = w.at.offset
	if errors.Is(err, io.EOF) {
		return nil
	}
	if i == len(l.segments)-1 && s.torn(w, err) {
		s.tail = &store.Tail{Log: l.name, File: seg.name, Bytes: size - w.at.offset, Size: w.at.first}
		return nil
	}
	if errors.Is(err, errShort) {
		return w.damage(size, errShort.Error())
	}
	return err
}

// next takes in one frame.
func (s *scan) next(w *walk) error {
	h, err := w.header()
	if err != nil {
		return err
	}
	f, err := w.frame(h)
	if err != nil {
		return err
	}
	for i := 0; i < len(f.batch.Records) && s.repair; i++ {
		s.leaves = append(s.leaves, tlog.RecordHash(f.batch.Records[i].Leaf))
	}
	s.once = append(s.once, f.batch.Once...)
	s.at = h.at
	s.log.until = h.until
	s.log.head = store.Head{Size: h.end(), Checkpoint: f.batch.Checkpoint}
	return nil
}

// torn reports whether what w met can be a write that a crash interrupted: it
// reaches to the end of the file, and no frame follows it.
func (s *scan) torn(w *walk, err error) bool {
	if errors.Is(err, errShort) {
		return true
	}
	d, ok := errors.AsType[*store.Damage](err)
	if !ok || !s.repair || d.To != w.end {
		return false
	}
	switch d.Rule {
	case payloadSum:
		return true
	case noFrame, headerSum:
		rest := make([]byte, w.end-w.at.offset-1)
		n, _ := w.seg.file.ReadAt(rest, w.at.offset+1)
		return n == len(rest) && !holdsFrame(rest, w.at.first)
	default:
		return false
	}
}

// unexpired reads, from segments before those already read, the single-use
// values that may not have expired.
func (s *scan) unexpired() error {
	for i := s.start; i > 0 && s.log.segments[i].until > s.at; i-- {
		seg := s.log.segments[i-1]
		size, err := seg.file.Size()
		if err != nil {
			return internal("reading %s: %w", seg.name, err)
		}
		w := seg.walk(mark{first: seg.first}, size)
		for err == nil {
			var h header
			var f frame
			if h, err = w.header(); err == nil {
				f, err = w.frame(h)
				s.once = append(s.once, f.batch.Once...)
			}
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}
