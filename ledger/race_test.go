//go:build race

package ledger_test

// flipApart is how many bytes apart the bytes are that are flipped. Under the
// race detector a verification takes ten times as long, and the run without it
// flips every byte.
const flipApart = 17
