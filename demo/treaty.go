package demo

import (
	"context"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/trust"
)

// found signs the framework with all three governance keys, puts it in force at
// RXW, and lets it travel from there: it reaches the others over the edge that
// their people open by comparing fingerprints. It gives the framework's hash.
func (w *world) found(ctx context.Context) (string, error) {
	data, hash, err := framework.Draft(w.rules(), time.Now().Unix())
	if err != nil {
		return "", err
	}
	signed := framework.Signed{Bytes: data}
	for _, h := range w.hospitals() {
		signature, err := framework.Sign(h.governance, h.id, data)
		if err != nil {
			return "", err
		}
		signed.Signatures = append(signed.Signatures, signature)
	}
	if _, err := w.rxw.admin.PublishFramework(ctx, signed); err != nil {
		return "", err
	}
	if err := w.rxw.admin.AdoptFramework(ctx, hash); err != nil {
		return "", err
	}
	for _, other := range []*hospital{w.rje, w.r0a} {
		if err := meet(ctx, w.rxw, other); err != nil {
			return "", err
		}
		if err := other.join(ctx, hash); err != nil {
			return "", err
		}
	}
	if err := meet(ctx, w.rje, w.r0a); err != nil {
		return "", err
	}
	return hash, w.each(func(h *hospital) error { return h.admin.Declare(ctx, h.declaration()) })
}

// meet confirms two trusts to each other. The fingerprint stands for what their
// people read to each other on the telephone.
func meet(ctx context.Context, inviter, guest *hospital) error {
	for _, pair := range [][2]*hospital{{inviter, guest}, {guest, inviter}} {
		invitation, err := pair[0].admin.Invitation(ctx)
		if err != nil {
			return err
		}
		if _, err := pair[1].admin.Confirm(ctx, invitation); err != nil {
			return err
		}
	}
	return nil
}

// join waits for the framework to come over the edge and adopts it.
func (h *hospital) join(ctx context.Context, hash string) error {
	err := until(ctx, "the framework to reach "+h.code, func(ctx context.Context) (bool, error) {
		list, err := h.admin.Frameworks(ctx)
		if err != nil {
			return false, err
		}
		for _, f := range list.Items {
			if f.Hash == hash {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return h.admin.AdoptFramework(ctx, hash)
}

// hear waits until h has a fresh word from partner.
func (h *hospital) hear(ctx context.Context, partner *hospital) error {
	const fresh = 5 // seconds; heartbeats are one apart
	return until(ctx, h.code+" to hear from "+partner.code, func(ctx context.Context) (bool, error) {
		status, err := h.admin.Status(ctx)
		for _, p := range status.Partners {
			if p.ID == partner.id {
				return p.Age >= 0 && p.Age <= fresh, err
			}
		}
		return false, err
	})
}

// conclude brings an agreement about: the home proposes, the host countersigns
// the same bytes, both put it in force, and the host grants nurses their role.
func conclude(ctx context.Context, home, host *hospital, d agreement.Document) error {
	if err := agreed(ctx, home, host, d); err != nil {
		return err
	}
	return host.grant(ctx, d)
}

// agreed is conclude without the role.
func agreed(ctx context.Context, home, host *hospital, d agreement.Document) error {
	for _, pair := range [][2]*hospital{{home, host}, {host, home}} {
		if err := pair[0].hear(ctx, pair[1]); err != nil {
			return err
		}
	}
	rendered, err := home.owner(d).RenderAgreement(ctx, admin.Draft{Document: d})
	if err != nil {
		return err
	}
	signature, err := jose.SignBytes(home.governance, agreement.Domain, rendered.Bytes)
	if err != nil {
		return err
	}
	if err := home.owner(d).OfferAgreement(ctx, admin.Offer{Bytes: rendered.Bytes, Signature: signature}); err != nil {
		return err
	}
	if err := host.countersign(ctx, d); err != nil {
		return err
	}
	if _, err := home.reaches(ctx, d.Name, agreement.Agreed); err != nil {
		return err
	}
	for _, h := range []*hospital{home, host} {
		if err := h.owner(d).ActivateAgreement(ctx, d.Name); err != nil {
			return err
		}
		if _, err := h.reaches(ctx, d.Name, agreement.Active); err != nil {
			return err
		}
	}
	return nil
}

// owner is who signs and puts in force for h.
func (h *hospital) owner(d agreement.Document) *admin.Client {
	if d.Home == h.id {
		return h.operators[locumDesk]
	}
	return h.operators[recordKeeper]
}

// countersign signs what arrived, byte for byte.
func (h *hospital) countersign(ctx context.Context, d agreement.Document) error {
	if _, err := h.reaches(ctx, d.Name, agreement.Proposed); err != nil {
		return err
	}
	proposed, err := h.owner(d).Agreement(ctx, d.Name)
	if err != nil {
		return err
	}
	signature, err := jose.SignBytes(h.governance, agreement.Domain, proposed.Bytes)
	if err != nil {
		return err
	}
	return h.owner(d).CountersignAgreement(ctx, d.Name, admin.Countersignature{Hash: proposed.Hash, Signature: signature})
}

// reaches waits until an agreement stands at a stage here.
func (h *hospital) reaches(ctx context.Context, name string, stage agreement.Stage) (found admin.Agreement, err error) {
	err = until(ctx, "agreement "+name+" to be "+string(stage)+" at "+h.code, func(ctx context.Context) (bool, error) {
		list, err := h.admin.Agreements(ctx)
		for _, a := range list.Items {
			if a.Name == name && a.Stage == stage {
				found = a
				return true, nil
			}
		}
		return false, err
	})
	return found, err
}

// grantable is the local role of each class, and whom of it gets it.
var grantable = map[trust.Class]mapping.Document{
	trust.Human:          {To: "ward-reader", From: mapping.From{Class: trust.Human, Attribute: "role_code", Equals: nurseRole}},
	trust.Agent:          {To: "ward-agent", From: mapping.From{Class: trust.Agent}},
	trust.ServiceAccount: {To: "ward-service", From: mapping.From{Class: trust.ServiceAccount}},
}

// grant proposes the mapping of those whom an agreement is about; the ward
// manager approves it.
func (h *hospital) grant(ctx context.Context, d agreement.Document) error {
	m := grantable[d.Accepts[0].Class]
	m.Kind, m.Name, m.Agreement, m.Expires = "Mapping", d.Name+"-role", d.Name, d.Ends
	if err := h.admin.OfferMapping(ctx, m); err != nil {
		return err
	}
	return h.operators[wardManager].GrantMapping(ctx, m.Name)
}
