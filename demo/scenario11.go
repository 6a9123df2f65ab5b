package demo

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// rogue is the eleventh scenario: RXW, which is the federation authority, publishes
// what it alone wants, and its administrator tries RJE's admin interface.
func (s *scene) rogue(ctx context.Context) error {
	w := s.play.world
	for _, c := range []struct {
		name   string
		change func(*framework.Document)
		by     []*hospital
		rule   framework.Rule
	}{
		{"with RXW's stolen key, a framework that lowers a tier", func(d *framework.Document) {
			loose := d.Tiers[trust.High]
			loose.MaxStaleness = 24 * 3600
			d.Tiers = map[trust.Tier]framework.TierRule{trust.High: loose, trust.Standard: d.Tiers[trust.Standard]}
		}, []*hospital{w.rxw}, framework.Threshold},
		{"one that lets RXW alone sign the next, signed by it twice", func(d *framework.Document) {
			d.Governance.Threshold, d.Governance.Signers = 1, d.Governance.Signers[:1]
		}, []*hospital{w.rxw, w.rxw}, framework.RepeatedSigner},
		{"one that takes any sign-in for the strongest", func(d *framework.Document) {
			d.Assurance.Mapping = append(slices.Clone(d.Assurance.Mapping), framework.LevelRule{
				Claim: "authentication_assurance_level", Equals: "1", Gives: map[framework.Ladder]framework.Level{framework.Authentication: "high"},
			})
		}, []*hospital{w.rxw}, framework.Threshold},
		{"one signed by two, on another than what is in force", func(d *framework.Document) { d.Previous = framework.Hash(nil) }, []*hospital{w.rxw, w.r0a}, framework.PreviousMismatch},
	} {
		if err := s.unsigned(ctx, c.name, c.change, c.rule, c.by...); err != nil {
			return err
		}
	}
	if err := s.sharedKey(ctx); err != nil {
		return err
	}
	if err := s.unaccepted(ctx); err != nil {
		return err
	}
	return s.visited(ctx)
}

// amended is the next version, with what change does to it.
func (w *world) amended(ctx context.Context, change func(*framework.Document)) (framework.Document, error) {
	list, err := w.rxw.admin.Frameworks(ctx)
	if err != nil {
		return framework.Document{}, err
	}
	current := list.Items[0]
	d := current.Document
	d.Version, d.Previous = current.Version+1, current.Hash
	change(&d)
	return d, nil
}

// signs renders a framework and lets trusts sign it.
func signs(data []byte, by ...*hospital) (framework.Signed, error) {
	signed := framework.Signed{Bytes: data}
	for _, h := range by {
		signature, err := framework.Sign(h.governance, h.id, data)
		if err != nil {
			return signed, err
		}
		signed.Signatures = append(signed.Signatures, signature)
	}
	return signed, nil
}

// unsigned offers all three nodes what they must refuse, and record.
func (s *scene) unsigned(ctx context.Context, name string, change func(*framework.Document), rule framework.Rule, by ...*hospital) error {
	w := s.play.world
	return s.do(ctx, name, refusedBy(rule), func(ctx context.Context) (string, error) {
		d, err := w.amended(ctx, change)
		if err != nil {
			return "", err
		}
		data, _, err := framework.Draft(d, time.Now().Unix())
		if err != nil {
			return "", err
		}
		signed, err := signs(data, by...)
		if err != nil {
			return "", err
		}
		return w.refuse(ctx, signed, rule)
	})
}

func refusedBy(rule framework.Rule) string {
	return "refused and recorded by three nodes, " + string(rule)
}

// refuse offers a framework to every node, and looks for the refusal in its ledger.
func (w *world) refuse(ctx context.Context, signed framework.Signed, rule framework.Rule) (string, error) {
	for _, h := range w.hospitals() {
		if _, err := h.admin.PublishFramework(ctx, signed); trust.KindOf(err) != trust.Denied && trust.KindOf(err) != trust.Invalid {
			return fmt.Sprintf("%s does not refuse it: %v", h.code, err), nil
		}
		recorded, err := h.lastRecorded(ctx, "framework.refused", fmt.Sprintf(`"rule":%q`, rule))
		if err != nil || !recorded {
			return h.code + " has another record, or none", err
		}
	}
	return refusedBy(rule), nil
}

// lastRecorded reports whether the newest entries of the trust log hold one of a
// kind that says so.
func (h *hospital) lastRecorded(ctx context.Context, kind, says string) (bool, error) {
	const newest = 50
	status, err := h.admin.Status(ctx)
	if err != nil {
		return false, err
	}
	var from uint64
	for _, l := range status.Logs {
		if l.Log == store.TrustLog && l.Size > newest {
			from = l.Size - newest
		}
	}
	page, err := h.operators[auditor].Entries(ctx, store.TrustLog, from, 2*newest)
	return slices.ContainsFunc(page.Items, func(e node.EntryView) bool {
		return strings.HasPrefix(e.Kind, kind) && strings.Contains(string(e.Body), says)
	}), err
}

// sharedKey offers a framework in which a newcomer under RXW has RXW's own key.
func (s *scene) sharedKey(ctx context.Context) error {
	w := s.play.world
	return s.do(ctx, "one with a newcomer below RXW that shares its key, signed by all three", refusedBy(framework.Unsound), func(ctx context.Context) (string, error) {
		newcomer, err := trust.ParseParticipantID("https://clinic.rxw.example")
		if err != nil {
			return "", err
		}
		d, err := w.amended(ctx, func(d *framework.Document) {
			d.Governance.Signers = append(slices.Clone(d.Governance.Signers), framework.Signer{Participant: newcomer, Key: w.rxw.governance.Key().GovernanceText()})
		})
		if err != nil {
			return "", err
		}
		data, err := canonical.Marshal(d)
		if err != nil {
			return "", err
		}
		signed, err := signs(data, w.hospitals()...)
		if err != nil {
			return "", err
		}
		return w.refuse(ctx, signed, framework.Unsound)
	})
}

// unaccepted lets two sign the next version. RJE's people have not accepted it, and
// RJE decides by the one before until they do.
func (s *scene) unaccepted(ctx context.Context) error {
	p, w := s.play, s.play.world
	d, err := w.amended(ctx, func(d *framework.Document) { d.Summary = "as it was, reviewed" })
	if err != nil {
		return err
	}
	data, hash, err := framework.Draft(d, time.Now().Unix())
	if err != nil {
		return err
	}
	decides := func(name string, version int, first func(context.Context) error) error {
		want := fmt.Sprintf("permit by framework %d", version)
		return s.do(ctx, name, want, func(ctx context.Context) (string, error) {
			if err := first(ctx); err != nil {
				return "", err
			}
			tokens, err := p.enter(ctx, p.bola, p.records["RJE"])
			if err != nil {
				return "", err
			}
			permit, reference, _, err := p.records["RJE"].call(ctx, tokens.Access)
			if err != nil {
				return "", err
			}
			e, err := w.rje.operators[auditor].Explain(ctx, reference)
			if !permit {
				return word(e.Reason), err
			}
			return fmt.Sprintf("permit by framework %d", e.Framework), err
		})
	}
	err = decides("RXW and R0A sign and adopt the next; RJE's people do not; a nurse reads at RJE", d.Version-1, func(ctx context.Context) error {
		signed, err := signs(data, w.rxw, w.r0a)
		if err != nil {
			return err
		}
		if _, err := w.rxw.admin.PublishFramework(ctx, signed); err != nil {
			return err
		}
		if err := w.rxw.admin.AdoptFramework(ctx, hash); err != nil {
			return err
		}
		if err := w.r0a.join(ctx, hash); err != nil {
			return err
		}
		return until(ctx, "RJE to know who adopted it", func(ctx context.Context) (bool, error) {
			list, err := w.rje.admin.Adoptions(ctx)
			ahead := slices.DeleteFunc(list.Items, func(a node.Adoption) bool { return a.Version != d.Version })
			return len(ahead) == 2, err
		})
	})
	if err != nil {
		return err
	}
	return decides("RJE's people accept it; she reads again", d.Version, func(ctx context.Context) error { return w.rje.join(ctx, hash) })
}

// visited lets RXW's administrator try RJE's admin interface.
func (s *scene) visited(ctx context.Context) error {
	w := s.play.world
	return s.do(ctx, "RXW's administrator asks RJE's admin interface", "refused and recorded", func(ctx context.Context) (string, error) {
		var o operatorFile
		text, err := os.ReadFile(w.rxw.file("operator.json"))
		if err != nil {
			return "", err
		}
		if err := canonical.Decode(text, &o); err != nil {
			return "", err
		}
		if _, err := admin.NewClient(w.rje.file("admin.sock"), o.Credential).Status(ctx); trust.KindOf(err) != "unauthenticated" {
			return fmt.Sprintf("not refused: %v", err), nil
		}
		recorded, err := w.rje.lastRecorded(ctx, "operator.trespassed", `"count":`)
		if err != nil || !recorded {
			return "refused, and not recorded", err
		}
		return "refused and recorded", nil
	})
}
