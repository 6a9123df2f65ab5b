// Package admin is the local administrators' interface: JSON over the node's
// unix socket, and the client that the command line uses. Each file holds one
// noun: what it looks like on the wire, its routes, and its calls.
//
// It decides who is let in (a named operator, by credential) and how things are
// written. It refuses to hold rules: what may be done, and by whom, the nouns
// and the node say.
package admin
