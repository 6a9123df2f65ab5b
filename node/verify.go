package node

import (
	"context"
	"encoding/hex"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Report is what VerifyLedger recomputed.
type Report struct {
	Participant   trust.ParticipantID `json:"participant"`
	GovernanceKey string              `json:"governance_key"` // compare it with the one you were given
	Demo          bool                `json:"demo,omitzero"`
	Logs          []LogReport         `json:"logs"`
	State         string              `json:"state"` // hex SHA-256 of the state that the trust log folds to
}

// LogReport is one log, recomputed.
type LogReport struct {
	Log         string        `json:"log"`
	Entries     uint64        `json:"entries"`
	Root        string        `json:"root"`
	Checkpoints int           `json:"checkpoints"`
	Sealed      int           `json:"sealed"`
	Newest      trust.Instant `json:"newest"`
}

// VerifyLedger recomputes both logs of a ledger offline: frames, leaves, tree,
// every signed checkpoint, sealed parts, the fold, and the shape of every
// decision. The log keys are those that the participant's own cards certify, the
// first entry's and its successors', each for its time. Head,
// which may be nil, is a checkpoint of either log that somebody kept. It fails
// with a *ledger.Fault, or Invalid.
func VerifyLedger(ctx context.Context, r store.Reader, head []byte, progress func(log string, entries uint64)) (Report, error) {
	card, err := ReadCard(ctx, r)
	if err != nil {
		return Report{}, err
	}
	report := Report{Participant: card.ID, GovernanceKey: card.GovernanceKey, Demo: card.Demo}
	codec, s := state.NewCodec(), &state.Snapshot{}
	cards := &ownCards{cards: []participant.Card{card}, since: []int64{0}, codec: codec}
	logs := []struct {
		name, origin string
		each         func(ledger.Record) error
	}{
		{store.TrustLog, card.TrustOrigin, func(r ledger.Record) (err error) {
			if err := cards.see(r); err != nil {
				return err
			}
			s, err = state.Fold(codec, s, r.Kind, r.Version, r.Body, r.Stamp())
			return err
		}},
		{store.DecisionLog, card.DecisionOrigin, new(permits).check},
	}
	headOrigin, err := originOfHead(head, card)
	if err != nil {
		return report, err
	}
	for _, log := range logs {
		cfg := ledger.VerifyConfig{Log: log.name, Origin: log.origin, Each: log.each}
		cfg.Keys = func() ([]ledger.LogKey, error) { return cards.keys(log.origin) }
		if headOrigin == log.origin {
			cfg.Head = head
		}
		if progress != nil {
			cfg.Progress = func(entries uint64) { progress(log.name, entries) }
		}
		found, err := ledger.Verify(ctx, r, cfg)
		if err != nil {
			return report, err
		}
		report.Logs = append(report.Logs, LogReport{
			Log: log.name, Entries: found.Size, Root: found.Root.String(), Checkpoints: found.Checkpoints,
			Sealed: found.Sealed, Newest: trust.Instant(found.At),
		})
	}
	hash, err := s.Hash()
	report.State = hex.EncodeToString(hash)
	return report, err
}

// ReadCard reads the card that the first entry of the trust log holds.
func ReadCard(ctx context.Context, r store.Reader) (participant.Card, error) {
	page, err := r.Read(ctx, store.Query{Log: store.TrustLog, Max: 1})
	if err != nil {
		return participant.Card{}, err
	}
	if len(page.Runs) == 0 || len(page.Runs[0].Records) == 0 {
		return participant.Card{}, trust.Errorf(trust.NotFound, "the trust log is empty; entente init begins one")
	}
	record, err := ledger.ParseRecord(page.Runs[0].Records[0])
	if err != nil {
		return participant.Card{}, err
	}
	event, err := state.NewCodec().Decode(trust.Kind{Name: record.Kind, Version: record.Version}, record.Body)
	if err != nil {
		return participant.Card{}, err
	}
	born, ok := event.(participant.Born)
	if !ok {
		return participant.Card{}, trust.Errorf(trust.Invalid, "the first entry is %s; a trust log begins with who the node is", record.Kind)
	}
	return participant.ParseCard(born.Card)
}

// originOfHead tells which of the two logs a kept checkpoint is of.
func originOfHead(head []byte, c participant.Card) (string, error) {
	if head == nil {
		return "", nil
	}
	kept, err := ledger.ReadCheckpoint(head)
	origin := kept.Origin
	if err == nil && origin != c.TrustOrigin && origin != c.DecisionOrigin {
		return "", trust.Errorf(trust.Invalid, "the given head is of log %q; this ledger has %q and %q", origin, c.TrustOrigin, c.DecisionOrigin)
	}
	return origin, err
}

// permits are the permits of the decision log so far.
type permits struct {
	made, issued places
	counters     counters
}

// of gives those recorded as entries of a kind; nil where it has none.
func (p *permits) of(k trust.Kind) *places {
	switch k {
	case decision.EntryKind:
		return &p.made
	case decision.IssuedKind:
		return &p.issued
	default:
		return nil
	}
}

// check reads an entry of the decision log: a decision, what was decided about a
// credential, or either given again; and what hosts told.
func (p *permits) check(r ledger.Record) error {
	kind := trust.Kind{Name: r.Kind, Version: r.Version}
	if known, err := p.counters.check(kind, r.Body); known || err != nil {
		return err
	}
	if repeated, again := decision.Repeats(kind); again {
		own, err := decision.ParseAgain(kind, r.Body)
		if err == nil && !p.of(repeated).has(own.Of.N) {
			err = trust.Errorf(trust.Invalid, "entry %s repeats the one at %s, which is no earlier permit of kind %s", kind, own.Of, repeated)
		}
		return err
	}
	if kind == decision.ReusedKind {
		own, err := decision.ParseReused(r.Body)
		if err == nil && !p.made.has(own.Of.N) {
			err = trust.Errorf(trust.Invalid, "entry %s uses the one at %s, which is no earlier permit", kind, own.Of)
		}
		return err
	}
	if kind == decision.ClientKind {
		_, err := decision.ParseClientLeaf(r.Body)
		return err
	}
	leaf, err := decision.ParseEntry(kind, r.Body)
	if known := p.of(kind); err == nil && known != nil && leaf.Permit() {
		known.add(r.Position.N)
	}
	return err
}

// places is a set of numbers of entries, a bit for each.
type places struct{ bits []uint64 }

func (p *places) add(n uint64) {
	for uint64(len(p.bits)) <= n/64 {
		p.bits = append(p.bits, 0)
	}
	p.bits[n/64] |= 1 << (n % 64)
}

func (p *places) has(n uint64) bool {
	return n/64 < uint64(len(p.bits)) && p.bits[n/64]>>(n%64)&1 == 1
}
