// Package canonical is the only way JSON enters or leaves the core: strict JSON
// in, RFC 8785 canonical JSON out.
//
// It decides what counts as one JSON text that everybody reads alike: UTF-8
// without lone surrogates, member names unique even when case is ignored, at
// most MaxDepth containers deep, and nothing behind the value. It refuses to
// know what any member means. The size of an input is its caller's to bound.
//
// Every failure to read is trust.Invalid, and its text names the member by its
// JSON Pointer (RFC 6901), never a value.
package canonical
