// Package jose reads, verifies and makes signed tokens (JWS compact form, RFC
// 7515) and the public keys they are checked with (JWK, RFC 7517).
//
// It decides which bytes count as a token, which keys are fit to verify, and
// whether a signature holds. The algorithm comes from the key, never from the
// token; nothing in a token can bring or name a key beyond its kid; the payload
// is parsed once, and that object is what verification gives back. A proof that
// brings its own key (SelfSigned) is no token and has a way of its own. It
// refuses to know whose key is whose, what any claim means, what time it is, and
// anything encrypted or symmetric.
//
// Every refusal is trust.Invalid; that of a token carries a Fault. No error
// quotes a token.
package jose
