// Package spiffe reads SPIFFE IDs, the bundles of trust domains and X509-SVIDs.
// It decides what a well-formed one is and whether a certificate chain leads to
// an authority of its own trust domain. It refuses to know which participant a
// trust domain belongs to, where a bundle was fetched, and who trusts whom:
// bundles of different trust domains never meet here.
//
// A trust domain is named by a trust.IssuerID, spiffe://name. Every refusal is
// trust.Invalid; that of a certificate carries a Fault. No error quotes a
// certificate.
package spiffe
