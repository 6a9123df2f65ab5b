package node

import (
	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// catchUp queues for a host, once both have signed, all that this home ended
// before: what was revoked under an earlier agreement, or under none, is revoked
// for a new host too (R35). What the host knows already changes nothing there.
// The word that this is all comes last: before it the host puts nothing in force.
func (c *change) catchUp(id string) error {
	a, ok := c.Agreement.ByID(id)
	if !ok || a.Stage != agreement.Agreed || a.Home() != c.n.self {
		return nil
	}
	for from := uint64(0); ; from += readAtOnce {
		records, err := c.n.trust.Read(c.ctx, from, readAtOnce)
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := c.repeat(a.Host(), r); err != nil {
				return err
			}
		}
		if len(records) < readAtOnce {
			break
		}
	}
	if err := c.record(c.Agreement.CatchUp(c.facts(a.Revision.Document), agreement.CaughtUp{ID: id})); err != nil {
		return err
	}
	return c.send(a.Host(), edge.Safety, kindCaughtUp, trust.SubjectKey{}, caughtUpMessage{ID: id})
}

// repeat queues the message of one entry again, if it is an end or a new
// beginning that was decided here. Of an erased person nothing is left to tell.
func (c *change) repeat(host trust.ParticipantID, r ledger.Record) error {
	event, err := c.n.codec.Decode(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
	if err != nil {
		return err
	}
	switch e := event.(type) {
	case revocation.Revoked:
		if e.Target.Participant != c.n.self || !e.From.IsZero() {
			return nil
		}
		text, err := unsealed[revokeText](c, e.Target.Subject, r)
		if err != nil || text == nil || text.Message.Namespace == evidence.CanarySpace { // nobody can show a canary that ended before
			return err
		}
		return c.sendRevocation(host, e.Target.Subject, text.Message)
	case revocation.Bulk:
		return c.repeatBulk(host, e, r)
	case revocation.EngagementOpened:
		if e.Participant != c.n.self || !e.From.IsZero() {
			return nil
		}
		text, err := unsealed[joinerText](c, e.Subject, r)
		if err != nil || text == nil {
			return err
		}
		return c.sendEngagement(host, e.Subject, text.Message)
	case signal.Received:
		if e.Participant != c.n.self || !e.From.IsZero() || len(e.Marks) == 0 {
			return nil
		}
		return c.repeatSignal(host, e, r)
	case suspension.Suspended:
		_, stopped := c.Suspension.Stopped(e.Target, c.now)
		if !stopped || e.Target.Kind != suspension.Subject || e.Target.Participant != c.n.self || !e.From.IsZero() {
			return nil
		}
		text, err := unsealed[NoticeText](c, e.Target.Subject, r)
		if err != nil || text == nil {
			return err
		}
		return c.sendNotice(host, e.Target, *text)
	default:
		return nil
	}
}

func (c *change) repeatSignal(host trust.ParticipantID, e signal.Received, r ledger.Record) error {
	text, err := unsealed[signalText](c, e.Owner, r)
	if err != nil || text == nil {
		return err
	}
	return c.sendSignal(host, e.Owner, text.Message)
}

// unsealed reads an entry's sealed part, nil once its owner was erased.
func unsealed[T any](c *change, owner trust.SubjectKey, r ledger.Record) (*T, error) {
	plain, err := c.n.Keys.Unseal(c.ctx, owner, r.Sealed)
	if trust.KindOf(err) == trust.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := parse[T](plain)
	return &text, err
}
