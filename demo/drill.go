package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// How many drills are held: at RJE, which the report's revocation_ms is about,
// and at R0A.
const (
	drillsAtRJE = 100
	drillsAtR0A = 20
)

// Link is a link's measured removal time, in milliseconds from the
// acknowledgement at home to the first denial at the host, as both have signed
// it and either reports it.
type Link struct {
	Agreement string              `json:"agreement"`
	Home      trust.ParticipantID `json:"home"`
	Host      trust.ParticipantID `json:"host"`
	N         int                 `json:"n"`
	P50       float64             `json:"p50"`
	P95       float64             `json:"p95"`
	P99       float64             `json:"p99"`
	Limit     float64             `json:"limit"`
	Verdict   string              `json:"verdict"`
}

// drills rehearses revocations on both links of RXW, and sees that both ends of
// each report the same.
func (s *scene) drills(ctx context.Context) error {
	p, w := s.play, s.play.world
	for _, at := range []struct {
		host  *hospital
		count int
	}{{w.rje, drillsAtRJE}, {w.r0a, drillsAtR0A}} {
		name := fmt.Sprintf("%d drills with %s: a canary is let in, ended at RXW, denied", at.count, at.host.code)
		err := s.do(ctx, name, "every limit kept, and both ledgers say so", func(ctx context.Context) (string, error) {
			for range at.count {
				if _, err := w.rxw.admin.Drill(ctx, node.DrillRequest{Partner: at.host.id}); err != nil {
					return "", err
				}
			}
			return p.measured(ctx, at.host, at.count)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// measured takes what both ends of RXW's link with a host report of it.
func (p *play) measured(ctx context.Context, host *hospital, count int) (string, error) {
	var reports []node.LinkReport
	for _, h := range []*hospital{p.world.rxw, host} {
		list, err := h.admin.Drills(ctx, 0, "")
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(list.Items, func(l node.LinkReport) bool { return l.Home == p.world.rxw.id && l.Host == host.id })
		if i < 0 {
			return h.code + " does not know the link", nil
		}
		reports = append(reports, list.Items[i])
	}
	home, there := reports[0], reports[1]
	p.report.Links = append(p.report.Links, linkOf(home))
	if host == p.world.rje {
		for _, took := range home.Took {
			p.drilled = append(p.drilled, time.Duration(took)*time.Microsecond)
		}
	}
	switch {
	case home.Verdict != string(drill.Kept):
		return fmt.Sprintf("%s: %v", home.Verdict, home.Breaches), nil
	case home.N != count || home.Alone > 0 || !slices.Equal(home.Took, there.Took):
		return fmt.Sprintf("%d at RXW, %d of them not signed by %s, which has %d", home.N, home.Alone, host.code, there.N), nil
	default:
		return "every limit kept, and both ledgers say so", nil
	}
}

func linkOf(l node.LinkReport) Link {
	ms := func(us int64) float64 { return milliseconds(time.Duration(us) * time.Microsecond) }
	return Link{
		Agreement: l.Agreement, Home: l.Home, Host: l.Host, N: l.N, P50: ms(l.P50), P95: ms(l.P95), P99: ms(l.P99), Limit: ms(l.Limit), Verdict: l.Verdict,
	}
}
