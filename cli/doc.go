// Package cli is the command line. It decides how a person or a script asks and
// how an answer is shown: data on standard output, everything else on standard
// error, and an exit code that says what kind of failure it was.
//
// It refuses to hold rules: all but what is done offline (init, the signing of
// governance documents, ledger verify, demo, version) is asked of the node
// through its admin socket, never read from its data directory.
package cli
