// Package serve is where a node meets its machine: the listeners with their
// limits, mutual TLS between nodes, the client that reaches partners, metrics,
// the log, and the stop that lets requests finish. It decides how long a peer
// may take, how much it may send and which key must stand at the other end. It
// refuses to know what any request means.
package serve
