package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/trust"
)

// Checkpoint says what a log's tree is at a size. It is signed as a note (C2SP
// signed-note and tlog-checkpoint): origin, size and root, each on its line, and
// one extension line, "epoch 1".
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   Hash
	Epoch  uint32
}

func (c Checkpoint) String() string {
	return fmt.Sprintf("%s\n%d\n%s\nepoch %d\n", c.Origin, c.Size, c.Root, c.Epoch)
}

// sign signs the checkpoint with the key of its time. Where there is none, or it
// cannot be used, it fails with Unavailable, and isUnsigned knows that error.
func (c Checkpoint) sign(signerAt func(at int64) (note.Signer, error), at int64) (signed []byte, err error) {
	signer, err := signerAt(at)
	if err == nil {
		signed, err = note.Sign(&note.Note{Text: c.String()}, signer)
	}
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "signing the checkpoint of %s at size %d: %w", c.Origin, c.Size, unsigned{err})
	}
	return signed, nil
}

// unsigned is why a checkpoint could not be signed.
type unsigned struct{ error }

func (u unsigned) Unwrap() error { return u.error }

func isUnsigned(err error) bool {
	_, is := errors.AsType[unsigned](err)
	return is
}

// ParseCheckpoint reads a checkpoint of the log with the given origin, signed by
// a key that verifiers know. It fails with Invalid.
func ParseCheckpoint(signed []byte, origin string, verifiers note.Verifiers) (Checkpoint, error) {
	n, err := note.Open(signed, verifiers)
	if err != nil {
		return Checkpoint{}, trust.Errorf(trust.Invalid, "checkpoint is not signed by %s: %w", origin, err)
	}
	for _, sig := range n.Sigs {
		// The note's reader lets the unused bits of the last digit be anything.
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return Checkpoint{}, trust.Errorf(trust.Invalid, "checkpoint has a signature by %s that is not canonical base64", sig.Name)
		}
	}
	c, err := readCheckpoint([]byte(n.Text))
	if err == nil && c.Origin != origin {
		return c, trust.Errorf(trust.Invalid, "checkpoint is of log %q; this is %q", c.Origin, origin)
	}
	return c, err
}

// readCheckpoint reads a checkpoint's text, whoever signed it.
func readCheckpoint(signed []byte) (c Checkpoint, err error) {
	text, _, _ := bytes.Cut(signed, []byte("\n\n"))
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) == 4 {
		c.Origin = lines[0]
		c.Size, _ = strconv.ParseUint(lines[1], 10, 63)
		c.Root, _ = tlog.ParseHash(lines[2])
		epoch, _ := strconv.ParseUint(strings.TrimPrefix(lines[3], "epoch "), 10, 32)
		c.Epoch = uint32(epoch)
	}
	if c.Origin == "" || c.Epoch == 0 || strings.TrimSuffix(c.String(), "\n") != strings.Join(lines, "\n") {
		return c, trust.Errorf(trust.Invalid, "checkpoint %q is not origin, size, root and epoch, each on its line", text)
	}
	return c, nil
}

// VerifyInclusion checks that the tree of c has, as entry n, one with the given
// leaf hash. It fails with Invalid.
func VerifyInclusion(c Checkpoint, n uint64, leaf Hash, proof []Hash) error {
	if err := tlog.CheckRecord(proof, int64(c.Size), c.Root, int64(n), leaf); err != nil {
		return trust.Errorf(trust.Invalid, "entry %d is not proven to be in %s at size %d: %w", n, c.Origin, c.Size, err)
	}
	return nil
}

// VerifyConsistency checks that the tree of later begins with that of earlier.
// It fails with Invalid.
func VerifyConsistency(earlier, later Checkpoint, proof []Hash) error {
	err := error(nil)
	switch {
	case earlier.Origin != later.Origin || earlier.Size > later.Size:
		err = fmt.Errorf("they are not two sizes of one log in this order")
	case earlier.Size == 0:
		if earlier.Root != emptyRoot() {
			err = fmt.Errorf("an empty tree has another root")
		}
	default:
		err = tlog.CheckTree(proof, int64(later.Size), later.Root, int64(earlier.Size), earlier.Root)
	}
	if err != nil {
		return trust.Errorf(trust.Invalid, "%s at size %d is not proven to continue size %d: %w", later.Origin, later.Size, earlier.Size, err)
	}
	return nil
}

func emptyRoot() Hash { return sha256.Sum256(nil) }
