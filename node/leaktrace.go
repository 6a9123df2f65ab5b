package node

import (
	"bytes"
	"context"
	"slices"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// traceLeak reads from the newest record back where the leaked thing was
// presented, here and at partners.
func (n *Node) traceLeak(ctx context.Context, l *leaked) error {
	ctx, stop := context.WithTimeout(ctx, leakFor)
	defer stop()
	var marks [][]byte
	if l.token != "" {
		marks = append(marks, []byte(`"token":"`+l.token+`"`))
	}
	if l.credential != "" {
		marks = append(marks, []byte(`"credential":"`+l.credential+`"`), []byte(`"id":"`+l.credential+`"`))
	}
	repeats := map[uint64]int{} // by the number of the permit that is repeated
	for end := n.decisions.Size(); end > 0; {
		from := end - min(end, readAtOnce)
		records, err := n.decisions.Read(ctx, from, int(end-from))
		if ctx.Err() != nil {
			l.out.Report.Partial = true
			return nil
		}
		if err != nil {
			return err
		}
		end = from
		for i := range slices.Backward(records) {
			r := &records[i]
			l.countRepeat(r, repeats)
			if (trust.Kind{Name: r.Kind, Version: r.Version}) == counterKind {
				if err := n.traceAbroad(ctx, l, r); err != nil {
					return err
				}
			} else if slices.ContainsFunc(marks, func(mark []byte) bool { return bytes.Contains(r.Body, mark) }) {
				if err := n.traceHere(ctx, l, r, 1+repeats[r.Position.N]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// countRepeat notes a permit that was given or used again.
func (l *leaked) countRepeat(r *ledger.Record, repeats map[uint64]int) {
	kind := trust.Kind{Name: r.Kind, Version: r.Version}
	if kind == decision.AgainKind {
		if again, err := decision.ParseAgain(kind, r.Body); err == nil {
			repeats[again.Of.N]++
		}
	}
	if kind == decision.ReusedKind {
		if reused, err := decision.ParseReused(r.Body); err == nil {
			repeats[reused.Of.N] += len(reused.Uses)
		}
	}
}

// traceAbroad takes in a receipt, if it is about the leaked token.
func (n *Node) traceAbroad(ctx context.Context, l *leaked, r *ledger.Record) error {
	if l.hash == "" {
		return nil
	}
	leaf, one, err := n.counter(ctx, *r)
	if err != nil || one == nil || one.Token != l.hash {
		return err
	}
	report := &l.out.Report
	report.Home = n.self
	l.classes[one.Class] = true
	if !slices.Contains(report.Hosts, leaf.Host) {
		report.Hosts = append(report.Hosts, leaf.Host)
		slices.SortFunc(report.Hosts, byName)
		l.out.Abroad = append(l.out.Abroad, AcceptedAbroad{Host: leaf.Host})
	}
	if one.Permit {
		uses := max(one.Uses, 1)
		report.Permits += uses
		l.out.Abroad[slices.IndexFunc(l.out.Abroad, func(a AcceptedAbroad) bool { return a.Host == leaf.Host })].Permits += uses
		l.seen(one.At)
	}
	return nil
}

func (l *leaked) seen(at trust.Instant) {
	if l.out.Last == 0 {
		l.out.Last = at
	}
	l.out.First = at
}

// traceHere takes in a record of this ledger: of the issue of the leaked
// credential, or of a decision on what leaked.
func (n *Node) traceHere(ctx context.Context, l *leaked, r *ledger.Record, uses int) error {
	leaf, details, erased, err := n.recorded(ctx, *r)
	if err != nil {
		return err
	}
	report := &l.out.Report
	if leaf.Participant.IsZero() {
		return nil // nobody could be made of it
	}
	report.Home, report.Issuer = leaf.Participant, leaf.Issuer
	if leaf.Subject != nil {
		report.Subject = *leaf.Subject
	}
	if leaf.Class != "" && !slices.Contains(report.Classes, leaf.Class) {
		report.Classes = append(report.Classes, leaf.Class)
	}
	if leaf.Agreement != "" && !slices.Contains(report.Agreements, leaf.Agreement) {
		report.Agreements = append(report.Agreements, leaf.Agreement)
	}
	if _, ev, _ := decision.Replay(leaf, details); !erased && leaf.Subject != nil {
		l.named = Stoppable{Kind: suspension.Subject, Participant: leaf.Participant, Issuer: ev.Issuer.String(), Subject: ev.Subject}
	}
	if issued, ok := n.issuedIn(ctx, r); ok && issued.Credential == l.credential {
		if int64(issued.Expires) > n.Now() {
			l.out.Ended = &issued
		}
		return nil
	}
	if !leaf.Permit() {
		return nil
	}
	report.Permits += uses
	l.seen(trust.Instant(r.At))
	at := slices.IndexFunc(l.out.Services, func(s AcceptedService) bool {
		return s.EnforcementPoint == leaf.EnforcementPoint && s.ResourceType == leaf.ResourceType
	})
	if at < 0 {
		at, l.out.Services = len(l.out.Services), append(l.out.Services, AcceptedService{leaf.EnforcementPoint, leaf.ResourceType, 0})
	}
	l.out.Services[at].Permits += uses
	return nil
}
