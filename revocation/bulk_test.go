package revocation_test

import (
	"encoding/binary"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

func spread(i int) (k trust.SubjectKey) {
	binary.BigEndian.PutUint64(k[:], uint64(i+1)*0x9e3779b97f4a7c15)
	return k
}

// bulkOf ends the first engagement of subjects from up to to.
func bulkOf(t testing.TB, from, to int) revocation.Bulk {
	marks := make([]revocation.Mark, 0, to-from)
	for i := from; i < to; i++ {
		marks = append(marks, revocation.Mark{Subject: spread(i), Engagement: 1})
	}
	return revocation.Bulk{Participant: rxw(t), Subjects: len(marks), Marks: revocation.Pack(marks), By: "o1"}
}

// A bulk act ends what as many single ones do (R35), and nothing of it comes
// back by repetition or by an older act.
func TestABulkIsAsManySingles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var one, many revocation.State
		mark := rapid.Custom(func(rt *rapid.T) revocation.Mark {
			return revocation.Mark{Subject: trust.SubjectKey{byte(rapid.IntRange(1, 9).Draw(rt, "subject"))}, Engagement: trust.Engagement(rapid.IntRange(1, 5).Draw(rt, "engagement"))}
		})
		for n := range byte(10) {
			e := revocation.EngagementOpened{Participant: rxw(t), Subject: trust.SubjectKey{n}, Engagement: 3, Since: now}
			one, many = one.Apply(e, trust.Stamp{At: now}), many.Apply(e, trust.Stamp{At: now})
		}
		for range 3 {
			marks := rapid.SliceOfN(mark, 1, 12).Draw(rt, "marks")
			for _, m := range marks {
				target := revocation.Target{Kind: revocation.Subject, Participant: rxw(t), Subject: m.Subject, Engagement: m.Engagement}
				one = one.Apply(revocation.Revoked{Target: target}, trust.Stamp{At: now})
			}
			e := revocation.Bulk{Participant: rxw(t), Marks: revocation.Pack(marks)}
			many = many.Apply(e, trust.Stamp{At: now}).Apply(e, trust.Stamp{At: now})
		}
		if !maps.Equal(maps.Collect(one.Tombstones.All()), maps.Collect(many.Tombstones.All())) ||
			!maps.Equal(maps.Collect(one.Openings.All()), maps.Collect(many.Openings.All())) {
			rt.Fatalf("singles lead to %v, bulk acts to %v", maps.Collect(one.Tombstones.All()), maps.Collect(many.Tombstones.All()))
		}
	})
}

func TestPack(t *testing.T) {
	a, b := trust.SubjectKey{1}, trust.SubjectKey{2}
	packed := revocation.Pack([]revocation.Mark{{b, 1}, {a, 2}, {b, 7}, {a, 1}})
	want := []revocation.Mark{{a, 2}, {b, 7}}
	if got := slices.Collect(revocation.Unpack(packed)); !slices.Equal(got, want) || len(packed) != 40 {
		t.Errorf("%d bytes hold %v, want %v", len(packed), got, want)
	}
	swapped := slices.Concat(packed[20:], packed[:20], packed[:10])
	if got := slices.Collect(revocation.Unpack(swapped)); !slices.Equal(got, want[1:]) {
		t.Errorf("out of order there are %v", got)
	}
}

func TestRevokeMany(t *testing.T) {
	var s revocation.State
	b := bulkOf(t, 0, 500)
	events, err := s.RevokeMany(b)
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	s = s.Apply(events[0], trust.Stamp{At: now})
	for _, i := range []int{0, 250, 499} {
		if reason, ended := s.Verdict(rxw(t).String(), idp(t).String(), thumbprint, spread(i), now); !ended || reason != trust.SubjectRevoked {
			t.Errorf("subject %d: %s", i, reason)
		}
	}
	if _, ended := s.Verdict(rxw(t).String(), idp(t).String(), thumbprint, spread(500), now); ended {
		t.Error("somebody who is not on the list has ended")
	}
	if again, err := s.RevokeMany(b); err != nil || again != nil {
		t.Errorf("done again it gives %v, %v", again, err)
	}
	if more, err := s.RevokeMany(bulkOf(t, 499, 501)); err != nil || len(more) != 1 {
		t.Errorf("with one more it gives %v, %v", more, err)
	}
}

func TestRevokeManyRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*revocation.Bulk)
		want   trust.ErrorKind
	}{
		{"nobody says it", func(b *revocation.Bulk) { b.By = "" }, trust.Invalid},
		{"two say it", func(b *revocation.Bulk) { b.From = rxw(t) }, trust.Invalid},
		{"another participant says it", func(b *revocation.Bulk) { b.From, b.By = rje(t), "" }, trust.Denied},
		{"of nobody", func(b *revocation.Bulk) { b.Participant = trust.ParticipantID{} }, trust.Invalid},
		{"no marks", func(b *revocation.Bulk) { b.Marks = nil }, trust.Invalid},
		{"a mark cut short", func(b *revocation.Bulk) { b.Marks = b.Marks[:len(b.Marks)-1] }, trust.Invalid},
		{"out of order", func(b *revocation.Bulk) { b.Marks = slices.Concat(b.Marks[20:], b.Marks[:20]) }, trust.Invalid},
		{"one twice", func(b *revocation.Bulk) { b.Marks = slices.Concat(b.Marks[:20], b.Marks) }, trust.Invalid},
		{"no engagement", func(b *revocation.Bulk) { clear(b.Marks[16:20]) }, trust.Invalid},
		{"no subject", func(b *revocation.Bulk) { clear(b.Marks[:16]) }, trust.Invalid},
		{"too many", func(b *revocation.Bulk) { *b = bulkOf(t, 0, revocation.MaxMarks+1) }, trust.Invalid},
		{"more subjects than marks", func(b *revocation.Bulk) { b.Subjects++ }, trust.Invalid},
		{"no subjects", func(b *revocation.Bulk) { b.Subjects = 0 }, trust.Invalid},
	} {
		b := bulkOf(t, 0, 3)
		c.change(&b)
		events, err := revocation.State{}.RevokeMany(b)
		wants(t, c.name, c.want, events, err)
	}
}

// What is kept of somebody who left is 20 bytes without a pointer: the garbage
// collector skips it, and a million people under both of their names take 45 MB
// at most; here are a quarter of them.
func TestMarksAreSmall(t *testing.T) {
	tables := reflect.TypeFor[revocation.State]().Field(0).Type
	if tables != reflect.TypeFor[table.Table[trust.Engagement]]() || unsafe.Sizeof(trust.Engagement(0))+unsafe.Sizeof(table.Key{}) != 20 {
		t.Fatalf("tombstones are a %s", tables)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var s revocation.State
	for from := 0; from < 500_000; from += 250_000 {
		s = s.Apply(bulkOf(t, from, from+250_000), trust.Stamp{At: now})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	used := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if used > 45_000_000/4 || s.Tombstones.Len() != 500_000 {
		t.Errorf("%d marks take %d bytes; at most 45 a person are allowed", s.Tombstones.Len(), used)
	}
	runtime.KeepAlive(s)
}

func BenchmarkApply100kAtOnce(b *testing.B) {
	var s revocation.State
	s = s.Apply(bulkOf(b, 200_000, 450_000), trust.Stamp{At: now})
	e := bulkOf(b, 0, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		s.Apply(e, trust.Stamp{At: now})
	}
}
