package node_test

import (
	"testing"

	"github.com/entente-id/entente/agreement"
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
