package receipt

import (
	"encoding/hex"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/trust"
)

// MaxBatch is how many receipts a batch holds at most.
const MaxBatch = 512

// BatchType is the typ of a signed batch, a JWS of the host's stream key.
const BatchType = "entente-receipts+jwt"

// Batch is the statement that a host signs about consecutive receipts of a series:
// the claims of a JWS. Head is the last number of the series, so that lag is seen, and
// Past the last of each series before, as far as the host's ledger still goes.
type Batch struct {
	Iss    trust.ParticipantID `json:"iss"`
	Aud    trust.ParticipantID `json:"aud"`
	Iat    int64               `json:"iat"`
	Epoch  uint32              `json:"epoch"` // of the host's ledger
	Series uint32              `json:"series,omitzero"`
	Past   []Place             `json:"past,omitempty"`
	First  uint64              `json:"first"`
	Last   uint64              `json:"last"`
	Head   uint64              `json:"head"`
	Root   string              `json:"root"` // hex
}

// Delivery is a batch with its receipts. The signature covers them by the root.
type Delivery struct {
	Batch    string    `json:"batch"` // the JWS
	Receipts []Receipt `json:"receipts"`
}

// Root is the Merkle tree hash of leaves (RFC 6962, section 2.1), in hex.
func Root(leaves []tlog.Hash) string {
	root := subtree(leaves)
	return hex.EncodeToString(root[:])
}

func subtree(leaves []tlog.Hash) tlog.Hash {
	switch n := len(leaves); n {
	case 0:
		return tlog.Hash{}
	case 1:
		return leaves[0]
	default:
		split := 1
		for 2*split < n {
			split *= 2
		}
		return tlog.NodeHash(subtree(leaves[:split]), subtree(leaves[split:]))
	}
}

// Hashes gives the leaf of each receipt.
func Hashes(receipts []Receipt) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(receipts))
	for i, r := range receipts {
		var err error
		if out[i], err = r.Hash(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Refusal is why a batch contradicts itself or what it follows: From and To are
// the numbers of a series that it concerns.
type Refusal Range

func (r *Refusal) Error() string {
	return fmt.Sprintf("receipts %s to %s are %s", Place{r.Series, r.From}, Place{r.Series, r.To}, r.Kind)
}

// Check holds a signed batch against its receipts and against the last number of
// each series recorded before. It gives the leaves, and the numbers of earlier series
// that were recorded and that the host lost; a batch without receipts says only that.
// It fails with a *Refusal where the host contradicts itself or leaves a number out,
// and with Invalid for a shape.
func (b Batch) Check(recorded []Place, receipts []Receipt) (leaves []tlog.Hash, lost []Range, err error) {
	if lost, err = b.before(recorded); err != nil {
		return nil, nil, err
	}
	if b.Head == 0 && b.First == 0 && b.Last == 0 && len(receipts) == 0 && len(lost) > 0 && LastOf(recorded, b.Series) == 0 {
		return nil, lost, nil
	}
	leaves, err = b.behind(LastOf(recorded, b.Series), receipts)
	if err != nil {
		return nil, nil, err
	}
	return leaves, lost, nil
}

// behind holds a batch against the last number recorded of its series.
func (b Batch) behind(after uint64, receipts []Receipt) ([]tlog.Hash, error) {
	switch count := uint64(len(receipts)); {
	case b.Head < after:
		return nil, &Refusal{MissingAtHost, b.Series, b.Head + 1, after}
	case count == 0 || count > MaxBatch || b.Last-b.First+1 != count || b.Head < b.Last || b.First == 0:
		return nil, trust.Errorf(trust.Invalid, "a batch of %d receipts cannot be from %d to %d of %d", count, b.First, b.Last, b.Head)
	case b.First > after+1:
		return nil, &Refusal{MissingAtHome, b.Series, after + 1, b.First - 1}
	case b.First <= after:
		return nil, trust.Errorf(trust.Invalid, "a batch from %d repeats what was recorded up to %d", b.First, after)
	}
	for i, r := range receipts {
		if want := b.First + uint64(i); r.N != want {
			return nil, &Refusal{MissingAtHome, b.Series, want, want}
		}
		if err := r.Check(); err != nil {
			return nil, err
		}
	}
	leaves, err := Hashes(receipts)
	if err != nil {
		return nil, err
	}
	if Root(leaves) != b.Root {
		return nil, &Refusal{Altered, b.Series, b.First, b.Last}
	}
	return leaves, nil
}
