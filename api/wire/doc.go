// Package wire is what every HTTP interface of a node does alike: how a local
// caller's credential is read, how a body is taken in, how an answer goes out,
// and how it says that something went wrong (RFC 9457). It decides which status
// belongs to which kind of error, in one table, and that a cause never crosses
// the border. It refuses to know what was asked.
package wire
