package node_test

import (
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// What an agreement releases as context is read from the context alone, and a
// changed value flips the decision (R14, R22).
func TestPolicyReadsTheContextThatAnAgreementReleases(t *testing.T) {
	ward := wardOf(t, func(d *agreement.Document) {
		d.Attributes = append(d.Attributes, agreement.Attribute{Name: "image_digest", From: "build.image", Purpose: "supply chain", Context: true})
	})
	const permit = `permit (principal is Human, action, resource) when { `
	_, err := ward.Host.ApplyPolicy(t.Context(), ward.Host.Admin, permit+`principal has image_digest && principal.image_digest == "sha256:11" };`)
	refused(t, "reading it from the principal", err, trust.Invalid)
	_, err = ward.Host.ApplyPolicy(t.Context(), ward.Host.Admin, permit+`context has image_digest && context.image_digest == "sha256:11" };`)
	done(t, err)
	of := func(image string) []byte {
		return ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, map[string]any{"build": map[string]any{"image": image}})
	}
	want(t, ward, of("sha256:11"), trust.Permit)
	want(t, ward, of("sha256:12"), trust.PolicyDenies)
	want(t, ward, nurse(ward, "nurse-1"), trust.PolicyDenies)
}

// What the enforcement point sees of the caller's device takes part where the
// service registered it, and never what another request had (R14, R22).
func TestWhatAnEnforcementPointSees(t *testing.T) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	const managed = nodetest.WardPolicy + `@id("device") forbid (principal, action, resource) unless { context has workload && context.workload has device && context.workload.device == "managed" };`
	_, err := host.ApplyPolicy(ctx, host.Admin, managed)
	refused(t, "reading what nobody may state", err, trust.Invalid)
	d, _ := host.State().Service.Service("ward-records")
	d.Workload = []string{"device"}
	done(t, host.RegisterService(ctx, host.Admin, d))
	_, err = host.ApplyPolicy(ctx, host.Admin, managed)
	done(t, err)
	token := nurse(ward, "nurse-1")
	seen := func(workload canonical.Object) node.Answer {
		ask := ward.Ask(token)
		ask.Workload = workload
		return answer(t, host, ask)
	}
	for range 3 { // remembered permits too
		for reason, workload := range map[trust.Reason]canonical.Object{trust.Permit: {"device": "managed"}, trust.PolicyForbid: {"device": "rooted"}} {
			a := seen(workload)
			if e, err := host.Explain(ctx, host.Admin, a.Reference); a.Reason != reason || err != nil || e.Reason != reason {
				t.Fatalf("%v gets %+v, explained as %+v (%v)", workload, a, e, err)
			}
		}
		if a := seen(nil); a.Reason != trust.PolicyForbid {
			t.Fatalf("nothing seen gets %+v", a)
		}
	}
	d.Workload = nil
	done(t, host.RegisterService(ctx, host.Admin, d))
	if a := seen(canonical.Object{"device": "managed"}); a.Reason != trust.PolicyForbid {
		t.Errorf("a point that may state it no longer gets %+v", a)
	}
}
