package node

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// recovered is by whom what was lost is ended again, and why, where a person's
// words are lost with it.
var recovered = suspension.ByRule("recovery")

// again says what each kind of our own messages, which a partner gives back, takes
// away here once more. It is every kind that takes something away; nothing that
// gives is done again. What holds already changes nothing.
var again = map[string]func(*change, trust.ParticipantID, jsontext.Value) error{
	kindRevocation: revokeAgain,
	kindSignal:     signalAgain,
	kindNotice:     noticeAgain,
	kindSuspension: suspendAgain,
	kindMove:       moveAgain,
}

// others are the hosts but one. Of somebody who was erased there is none: they had
// been told of the end before the erasure.
func (c *change) others(than trust.ParticipantID, subject trust.SubjectKey) (out []trust.ParticipantID) {
	if c.Erasure.Forgotten(subject) {
		return nil
	}
	for _, host := range c.hosts() {
		if host != than {
			out = append(out, host)
		}
	}
	return out
}

func revokeAgain(c *change, from trust.ParticipantID, content jsontext.Value) error {
	m, err := parse[revocationMessage](content)
	if err != nil {
		return err
	}
	m.Pairwise = ""
	target := revocation.Target{Kind: m.Kind, Participant: c.n.self, Issuer: m.Issuer, Thumbprint: m.Thumbprint}
	if m.Kind == revocation.Subject {
		target.Subject = c.n.Keys.Subject(c.n.self.String(), m.Namespace, m.Subject)
		target.Engagement = m.Engagement
	}
	events, err := c.Revocation.Revoke(c.revocationFacts(target), revocation.Revoked{Target: target, By: recovered})
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: target.Subject, text: revokeText{Message: m, Reason: recovered}}); err != nil {
			return err
		}
		for _, host := range c.others(from, target.Subject) { // which may never have been told
			if err := c.sendRevocation(host, target.Subject, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func signalAgain(c *change, from trust.ParticipantID, content jsontext.Value) error {
	m, err := parse[signalMessage](content)
	if err != nil {
		return err
	}
	m.Pairwise = ""
	keys := c.keysOf(c.n.self, &m)
	r := signal.Received{Transmitter: recovered, Participant: c.n.self, Type: m.Type.Known(), At: m.At}
	r.Marks = signal.Place(keys, signal.Effect{Mark: m.Mark, Raises: m.Raises})
	if len(keys.Subjects) > 0 {
		r.Owner = keys.Subjects[0]
	}
	events, err := c.Signal.Record(r)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: r.Owner, text: signalText{Message: m}}); err != nil {
			return err
		}
		for _, host := range c.others(from, r.Owner) {
			if err := c.sendSignal(host, r.Owner, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// noticeAgain: of a participant or an agreement as a whole other messages tell.
func noticeAgain(c *change, from trust.ParticipantID, content jsontext.Value) error {
	m, err := parse[NoticeText](content)
	if err != nil {
		return err
	}
	if m.Kind == suspension.Participant || m.Kind == suspension.Agreement || m.Expires != 0 && int64(m.Expires) <= c.now {
		return nil
	}
	m.Pairwise = ""
	t := m.target(c.n)
	events, err := c.Suspension.Suspend(suspension.Facts{Self: c.n.self}, suspension.Suspended{Target: t, By: recovered, Expires: int64(m.Expires)}, c.now)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: t.Subject, text: m}); err != nil {
			return err
		}
		for _, partner := range c.concerned(t) {
			if partner == from || c.Erasure.Forgotten(t.Subject) {
				continue
			}
			if err := c.sendNotice(partner, t, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func suspendAgain(c *change, from trust.ParticipantID, content jsontext.Value) error {
	m, err := parse[suspensionMessage](content)
	if err != nil || m.Participant != from {
		return err
	}
	events, err := c.Participant.Suspend(from, recovered)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{text: reasonText{recovered}}); err != nil {
			return err
		}
	}
	return nil
}

// moveAgain stops or ends an agreement again. One that this ledger does not know,
// since it was made in what is lost, is in force at no side that it could be asked
// of here.
func moveAgain(c *change, _ trust.ParticipantID, content jsontext.Value) error {
	m, err := parse[moveMessage](content)
	if err != nil {
		return err
	}
	a, ok := c.Agreement.ByID(m.ID)
	if !ok || m.To != agreement.Suspended && m.To != agreement.Ended {
		return nil
	}
	events, refusal := c.Agreement.Move(c.facts(a.Revision.Document), agreement.Moved{ID: a.ID, To: m.To, By: recovered}, c.now)
	if refusal != nil {
		return nil // it stands no better already
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{text: reasonText{recovered}}); err != nil {
			return err
		}
	}
	return nil
}
