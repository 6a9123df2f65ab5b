//go:build !race

package ledger_test

// flipApart is how many bytes apart the bytes are that are flipped: all of them.
const flipApart = 1
