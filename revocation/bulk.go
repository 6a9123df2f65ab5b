package revocation

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Mark is the end of all engagements of a subject up to this one.
type Mark struct {
	Subject    trust.SubjectKey
	Engagement trust.Engagement
}

// MaxMarks is how many marks one entry holds at most: those of 100,000 subjects,
// each under two names, and more than half as many again.
const MaxMarks = 250_000

// markSize is the bytes of a packed mark: the subject, then the engagement as a
// big-endian number.
const markSize = len(trust.SubjectKey{}) + 4

// Pack writes marks one behind the other, sorted by subject. Of several marks of
// one subject it keeps the highest. It sorts the slice it is given.
func Pack(marks []Mark) []byte {
	slices.SortFunc(marks, func(a, b Mark) int {
		if c := bytes.Compare(a.Subject[:], b.Subject[:]); c != 0 {
			return c
		}
		return int(int64(b.Engagement) - int64(a.Engagement))
	})
	packed := make([]byte, 0, len(marks)*markSize)
	for i, m := range marks {
		if i > 0 && marks[i-1].Subject == m.Subject {
			continue
		}
		packed = append(packed, m.Subject[:]...)
		packed = binary.BigEndian.AppendUint32(packed, uint32(m.Engagement))
	}
	return packed
}

// Unpack yields what Pack wrote. Whatever stands out of order or is cut short it
// leaves out.
func Unpack(packed []byte) iter.Seq[Mark] {
	return func(yield func(Mark) bool) {
		var last trust.SubjectKey // which is nobody's
		for ; len(packed) >= markSize; packed = packed[markSize:] {
			m := Mark{Subject: trust.SubjectKey(packed), Engagement: trust.Engagement(binary.BigEndian.Uint32(packed[len(last):]))}
			if bytes.Compare(m.Subject[:], last[:]) <= 0 || m.Engagement == 0 {
				continue
			}
			last = m.Subject
			if !yield(m) {
				return
			}
		}
	}
}

// RevokeMany ends many engagements of one participant's subjects, for good. As
// with Revoke, one local operator or the participant itself is enough, and where
// all have ended already nothing changes. It fails with Invalid or Denied.
func (s State) RevokeMany(b Bulk) ([]trust.Event, error) {
	if err := checkOrigin("bulk revocation", b.From, b.By); err != nil {
		return nil, err
	}
	if !b.From.IsZero() && b.From != b.Participant {
		return nil, trust.Errorf(trust.Denied, "participant %s revokes subjects of %s; only who answers for them may", b.From, b.Participant)
	}
	marks, fresh := 0, false
	for m := range Unpack(b.Marks) {
		marks++
		if ended, _ := s.Ended(m.Subject); ended < m.Engagement {
			fresh = true
		}
	}
	switch {
	case b.Participant.IsZero() || marks == 0 || marks*markSize != len(b.Marks):
		return nil, trust.Errorf(trust.Invalid, "bulk revocation must name a participant and hold marks as they are packed: each subject once, in order, with its engagement")
	case marks > MaxMarks:
		return nil, trust.Errorf(trust.Invalid, "bulk revocation has %d marks; one entry holds %d", marks, MaxMarks)
	case b.Subjects <= 0 || b.Subjects > marks:
		return nil, trust.Errorf(trust.Invalid, "bulk revocation of %d subjects has %d marks; each subject has one at least", b.Subjects, marks)
	case !fresh:
		return nil, nil
	}
	return []trust.Event{b}, nil
}

// revokeMany copies each page that it touches once.
func (s State) revokeMany(b Bulk) State {
	ended, openings := s.Tombstones.Edit(), s.Openings.Edit()
	for m := range Unpack(b.Marks) {
		key := table.Key(m.Subject)
		if last, _ := s.Tombstones.Get(key); m.Engagement > last {
			ended.Put(key, m.Engagement)
		}
		if s.Openings.Len() == 0 {
			continue
		}
		if o, ok := s.Openings.Get(key); ok && o.Engagement <= m.Engagement {
			openings.Delete(key)
		}
	}
	s.Tombstones, s.Openings = ended.Table(), openings.Table()
	return s
}
