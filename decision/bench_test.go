package decision_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// large is the nurse's scene among 1,000 policies and 100,000 tombstones.
func large() *scene {
	sc := newScene()
	var text strings.Builder
	text.WriteString(sc.policy)
	for i := range 1000 {
		fmt.Fprintf(&text, "@id(%q)\npermit (principal is Human in Role::\"role-%d\", action == Action::\"act-%d\", resource is Type%d) when { context.purpose == \"TREAT\" };\n",
			fmt.Sprint("p", i), i, i%20, i%50)
	}
	sc.policy = text.String()
	return sc
}

func BenchmarkDecide(b *testing.B) {
	sc := large()
	s := sc.snapshot()
	var rows table.Batch[trust.Engagement]
	for i := range uint64(100_000) {
		rows.Put(table.KeyOf("subject", string(binary.BigEndian.AppendUint64(nil, i))), 1)
	}
	s.Revocation.Tombstones = rows.Table()
	ev := sc.verify(s)
	b.Run("decide", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if d := decision.Decide(s, sc.observed, ev, sc.request); !d.Permit {
				b.Fatal(d.Reason)
			}
		}
	})
	d := decision.Decide(s, sc.observed, ev, sc.request)
	leaf, sealed := make([]byte, 0, 4096), make([]byte, 0, 4096)
	b.Run("leaf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			leaf = decision.AppendLeaf(leaf[:0], &d, &sc.observed, &ev, &sc.request, commit)
		}
	})
	b.Run("sealed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sealed = decision.AppendSealed(sealed[:0], s, &ev, &sc.request, "9f2c")
		}
	})
	b.Run("explain", func(b *testing.B) {
		for b.Loop() {
			if d := decision.Explain(s, sc.observed, ev, sc.request); d.Reason != trust.Permit {
				b.Fatal(d.Reason)
			}
		}
	})
}
