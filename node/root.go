package node

import (
	"slices"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// Root names what other things hang from as an operator does: a subject by Issuer
// and Subject, a key by Issuer and KeyID (a kid or a thumbprint), an issuer by
// Issuer, an agreement and a client by Name.
type Root struct {
	Kind    revocation.RootKind `json:"kind"`
	Issuer  string              `json:"issuer,omitempty"`
	Subject string              `json:"subject,omitempty"`
	KeyID   string              `json:"key_id,omitempty"`
	Name    string              `json:"name,omitempty"`
}

// revoke is the request that ends a root which is revoked.
func (r *Root) revoke(why Why) RevokeRequest {
	return RevokeRequest{
		Kind: revocation.TargetKind(r.Kind), Issuer: r.Issuer, Subject: r.Subject, KeyID: r.KeyID, Reason: why.Reason, Incident: why.Incident,
	}
}

// root finds what is named, ended or not.
func (c *change) root(r Root) (revocation.Root, error) {
	found := revocation.Root{Kind: r.Kind}
	switch r.Kind {
	case revocation.RootSubject, revocation.RootKey, revocation.RootIssuer:
		target, _, err := c.target(r.revoke(Why{Reason: "to be found"}))
		if err != nil {
			return found, err
		}
		found.Participant, found.Subject, found.Issuer, found.Thumbprint = target.Participant, target.Subject, target.Issuer, target.Thumbprint
	case revocation.RootAgreement:
		a, ok := c.Agreement.ByName(r.Name)
		if !ok {
			return found, trust.Errorf(trust.NotFound, "agreement %q is not known here", r.Name)
		}
		found.Agreement = a.ID
	case revocation.RootClient:
		if _, ok := c.Client.Get(r.Name); !ok {
			return found, trust.Errorf(trust.NotFound, "client %q is not registered here", r.Name)
		}
		found.Client = r.Name
	}
	return found, found.Check()
}

// mayUnwind: what a program may revoke, it may unwind; the rest takes an admin.
func mayUnwind(a Actor, kind revocation.RootKind) bool {
	switch kind {
	case revocation.RootSubject, revocation.RootKey, revocation.RootIssuer:
		return mayRevoke(a)
	case revocation.RootAgreement:
		return true // its own matrix says who may
	case revocation.RootClient:
		return slices.Contains(a.Roles, operator.Admin)
	}
	return slices.Contains(a.Roles, operator.Admin)
}

// bears reports whether a permit or a credential, on this ground and under this
// agreement, stands on the root.
func bears(r *revocation.Root, g *decision.Ground, o *decision.Observed, agreement string) bool {
	var stands bool
	switch r.Kind {
	case revocation.RootAgreement:
		return agreement == r.Agreement
	case revocation.RootClient:
		return g.Client == r.Client
	case revocation.RootSubject:
		stands = o.Subject == r.Subject || o.Origin == r.Subject
	case revocation.RootKey:
		iss := r.Issuer.String()
		stands = g.Issuer == iss && (g.Key == r.Thumbprint || slices.Contains(g.Keys, r.Thumbprint)) ||
			g.Origin != nil && g.Origin.Issuer == r.Issuer && g.Origin.Thumbprint == r.Thumbprint
	case revocation.RootIssuer:
		stands = g.Participant == r.Participant && (g.Issuer == r.Issuer.String() || g.Origin != nil && g.Origin.Issuer == r.Issuer)
	}
	for i := range min(len(g.Chain), len(o.Chain)) {
		stands = stands || bears(r, &g.Chain[i], &o.Chain[i], agreement)
	}
	return stands
}
