package node

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/trust"
)

// LinkReport is one link's measured removal time: an agreement, in the direction
// from home to host.
type LinkReport struct {
	drill.Summary
	Agreement string              `json:"agreement"` // its name
	Home      trust.ParticipantID `json:"home"`
	Host      trust.ParticipantID `json:"host"`
	Verdict   string              `json:"verdict"` // kept, breached or unmeasured
	Samples   []drill.Sample      `json:"samples"` // of the window, oldest first
}

// Drills reports every link that is in force or was drilled: its drills of the
// window before now, 0 for all that the state keeps, of one class or of all ("").
func (n *Node) Drills(a Actor, window time.Duration, class trust.Class) ([]LinkReport, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	s, now := n.State(), n.Now()
	var since int64
	if window > 0 {
		since = now - int64(window/time.Second)
	}
	out := []LinkReport{}
	for _, in := range slices.SortedFunc(s.Agreement.All(), byLink) {
		link, drilled := s.Drill.Link(in.ID)
		if _, alive := in.Alive(now); !alive && !drilled {
			continue
		}
		r := LinkReport{
			Summary: drill.Summarise(link.Samples, since, string(class)), Agreement: in.Revision.Document.Name, Home: in.Home(), Host: in.Host(),
			Samples: []drill.Sample{},
		}
		for _, x := range link.Samples {
			if x.At >= since && (class == "" || x.Class == class) {
				r.Samples = append(r.Samples, x)
			}
		}
		switch {
		case r.Kept():
			r.Verdict = string(drill.Kept)
		case r.N > 0:
			r.Verdict = string(drill.Breached)
		default:
			r.Verdict = "unmeasured"
			if limit, _, ok := removal(s, in, firstClass(in, class)); ok {
				r.Limit = micros(limit)
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func byLink(a, b *agreement.Agreement) int {
	return cmp.Or(strings.Compare(a.Home().String(), b.Home().String()), strings.Compare(a.Host().String(), b.Host().String()),
		strings.Compare(a.Revision.Document.Name, b.Revision.Document.Name))
}

// firstClass is the class by which an agreement is drilled if nobody says
// otherwise.
func firstClass(a *agreement.Agreement, class trust.Class) trust.Class {
	if class != "" || len(a.Revision.Document.Accepts) == 0 {
		return class
	}
	return a.Revision.Document.Accepts[0].Class
}
