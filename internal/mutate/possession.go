package main

const (
	bindingGo    = "evidence/binding.go"
	dpopGo       = "evidence/dpop.go"
	nonceGo      = "node/nonce.go"
	selfSignedGo = "jose/selfsigned.go"
)

// possessionMutants are the checks of what a token is bound to and what is shown
// for it, which TestPossession has to notice.
var possessionMutants = noticedBy("^TestPossession$",
	lost(bindingGo, "cnf is an object that says something", "if «!ok || len(cnf) == 0» {", "false"),
	lost(bindingGo, "what cnf names is a hash", "case !ok || «!isHash(hash)»:", "false"),
	lost(bindingGo, "a hash has its length", "if «len(s) != base64.RawURLEncoding.EncodedLen(len(sum))» {", "len(s) > 43"),
	other(bindingGo, "a hash has no stray bits", "_, err := «base64.RawURLEncoding.Strict()».Decode(", "base64.RawURLEncoding"),
	lost(bindingGo, "a proof is beside a bound token", "case «b.Key == \"\" && len(s.DPoP) > 0»:", "false"),
	lost(bindingGo, "no proof is no proof", "case !b.Bound(), «b.Key != \"\" && len(s.DPoP) == 0»,", "false"),
	lost(bindingGo, "no certificate is no certificate", "«b.Certificate != \"\" && len(s.Certificate) == 0»:", "false"),
	lost(bindingGo, "the certificate is the token's", "case «b.Certificate != \"\" && hashText(s.Certificate) != b.Certificate»:", "false"),
	lost(bindingGo, "a proof is for the token", "if «!p.of(ev.Hash)» {", "false"),
	lost(dpopGo, "a proof is by the key of the token", "if «key != \"\" && p.Key != key» {", "false"),
	lost(dpopGo, "a proof has a jti", "claims.Text(\"jti\"); «!ok || p.jti == \"\" || len(p.jti) > maxText» {", "false"),
	lost(dpopGo, "a jti has an end", "claims.Text(\"jti\"); «!ok || p.jti == \"\" || len(p.jti) > maxText» {", "!ok || p.jti == \"\""),
	lost(dpopGo, "a nonce is a text that has an end", "value.(string); «!ok || p.Nonce == \"\" || len(p.Nonce) > maxText» {", "false"),
	lost(dpopGo, "a proof is for the method", "if «!ok || method == \"\" || method != s.Method» {", "false"),
	lost(dpopGo, "a proof is for the URL", "if url, _ := claims.Text(\"htu\"); «!sameURL(url, s.URL)» {", "false"),
	lost(dpopGo, "a proof has a time", "case «!ok || issued <= 0 || issued > maxTime»:", "false"),
	lost(dpopGo, "a proof grows old", "case «now >= issued+ProofAge»:", "false"),
	lost(dpopGo, "a proof is good for a minute", "case «now >= issued+ProofAge»:", "now >= issued+2*ProofAge"),
	lost(dpopGo, "a proof is not from the future", "case «issued > now+Leeway»:", "false"),
	lost(callerGo, "what cannot be checked binds all the same", "case «b.Other»:", "false"),
	lost(callerGo, "a bound token is no bearer's", "case «b.Bound() && !b.Shown && !h.introspected()»:", "false"),
	lost(callerGo, "a proof is used once", "case «b.Once != nil && o.ProofReplayed»:", "false"),
	lost(callerGo, "a nonce is one of ours", "case «b.Once != nil && o.Nonce == StaleNonce»:", "false"),
	lost(nonceGo, "a nonce is whole", "if err != nil || «len(b) != nonceSize» {", "false"),
	lost(nonceGo, "nobody else makes a nonce", "|| «subtle.ConstantTimeCompare([]byte(n.nonce(point, at)), []byte(nonce)) != 1» {", "false"),
	lost(selfSignedGo, "a proof's header has nothing else", "case «len(o) != 3»:", "false"),
	lost(selfSignedGo, "a proof brings no private key", "if «checkPublic(jwk) != nil || foreign(jwk, \"sig\", algs) != \"\"» {", "false"),
)
