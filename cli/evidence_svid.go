package cli

import (
	"bytes"
	"encoding/base64"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

// svidChecker gives the check of SVIDs by the bundle of one trust domain. A
// bundle that says that nothing is to be trusted is taken, and refuses every
// SVID; one that no node could use is bad input.
func (a *app) svidChecker(f checkFlags) (func([]byte) checked, error) {
	switch {
	case f.jwks != "":
		return nil, trust.Errorf(trust.Invalid, "--jwks and --bundle are both given; a token is checked by one of them")
	case f.issuer != "":
		return nil, trust.Errorf(trust.Invalid, "--issuer goes with --jwks; whose a bundle is says --trust-domain")
	case f.trustDomain == "":
		return nil, trust.Errorf(trust.Invalid, "--trust-domain is missing; no bundle says itself whose it is")
	}
	domain, err := trustDomain(f.trustDomain)
	if err != nil {
		return nil, err
	}
	data, err := a.read(f.bundle)
	if err != nil {
		return nil, err
	}
	bundle, err := spiffe.ParseBundle(domain, data)
	if err == nil && bundle.Unusable() != "" {
		err = trust.Errorf(trust.Invalid, "nothing in the bundle can be used: %s", bundle.Unusable())
	}
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "%s: %w", f.bundle, err)
	}
	tried, err := kindsOf(f.kind, evidence.SVIDKinds())
	if err != nil {
		return nil, err
	}
	at, err := a.moment(f.at)
	if err != nil {
		return nil, err
	}
	registry, err := registryOf(participant.Speaker{Issuer: domain, Bundle: &bundle}, f.class, trust.Workload)
	if err != nil {
		return nil, err
	}
	return func(token []byte) checked {
		proof := svidOf(token)
		if len(tried) == 1 {
			proof.Kind = tried[0]
		}
		return checkProofs([]evidence.Proof{proof}, registry, f.audience, at)
	}, nil
}

// svidOf tells an X509-SVID from a JWT-SVID by its first bytes, and reads the
// certificates of one that stands on a line as base64 of their DER. What it is
// bound to is taken for shown: who holds its key is told by a handshake alone.
func svidOf(token []byte) evidence.Proof {
	if bytes.HasPrefix(token, []byte("MI")) {
		if der, err := base64.StdEncoding.Strict().DecodeString(string(token)); err == nil {
			token = der
		}
	}
	if !bytes.HasPrefix(token, []byte{0x30}) && !bytes.HasPrefix(token, []byte("-----BEGIN")) {
		return evidence.Proof{Kind: evidence.JWTSVID, Token: token}
	}
	proof := evidence.Proof{Kind: evidence.X509SVID, Token: token}
	if chain, err := spiffe.ParseChain(token); err == nil {
		proof.Shown = &evidence.Shown{Certificate: chain.Leaf()}
	}
	return proof
}
