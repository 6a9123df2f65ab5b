package node

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

const (
	statementType   = "entity-statement+jwt"
	statementLife   = 24 * time.Hour
	statementRenew  = 6 * time.Hour
	statementRetry  = time.Minute
	statementBucket = "statement" // participant to "issued ends" of its newest statement
)

// Declare states this organisation's own issuers to every partner.
func (n *Node) Declare(ctx context.Context, a Actor, d participant.Document) error {
	_, err := n.write(ctx, a, func(c *change) error {
		if err := c.take(c.Participant.Declare(c.issuerFacts(), d, a.ID)); err != nil || c.refusal != nil {
			return err
		}
		for p := range c.Participant.Partners() {
			if err := c.sendStatement(p.Card.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// sendStatement queues a fresh statement of the own issuers for a partner.
func (c *change) sendStatement(to trust.ParticipantID) error {
	var s participant.Statement
	s.Iss, s.Sub = c.n.self, c.n.self
	s.Iat, s.Exp = c.now, c.now+int64(statementLife/time.Second)
	s.Metadata.Entente.Issuers = c.Participant.Declared()
	if s.Metadata.Entente.Issuers == nil {
		s.Metadata.Entente.Issuers = []participant.Issuer{}
	}
	jwt, err := jose.Sign(c.n.Keys.Signer(participant.StatementKey), statementType, s)
	if err != nil {
		return trust.Errorf(trust.Internal, "signing the statement: %w", err)
	}
	return c.send(to, edge.Governance, kindStatement, trust.SubjectKey{}, statementMessage{Statement: jwt})
}

// receiveStatement takes a partner's statement. New content is an entry; the
// dates of a renewal are a register.
func receiveStatement(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[statementMessage](content)
	if err != nil {
		return err
	}
	// A statement may have waited longer than the key that signed it was good.
	signers := func(iat int64) []jose.Key { return from.Keys(participant.StatementKey, iat) }
	payload, err := verifyBy(signers, []byte(m.Statement), jose.Form{Types: []string{statementType}, Use: jose.ForStatement, MaxBytes: maxMessage})
	if err != nil {
		return err
	}
	s, err := parse[participant.Statement](payload)
	if err != nil {
		return err
	}
	events, refusal := c.Participant.Accept(c.issuerFacts(), from.Card.ID, s, c.now)
	if err := c.record(events, refusal); err != nil {
		return err
	}
	return c.n.noteStatement(c.ctx, from.Card.ID, s)
}

// issuerFacts are what naming an issuer rests on besides the participants.
func (c *change) issuerFacts() participant.Facts {
	return participant.Facts{Framework: c.Framework.Current}
}

// noteStatement keeps a statement's dates over a restart.
func (n *Node) noteStatement(ctx context.Context, from trust.ParticipantID, s participant.Statement) error {
	n.views.stated(from, s.Iat, s.Exp)
	value := strconv.FormatInt(s.Iat, 10) + " " + strconv.FormatInt(s.Exp, 10)
	return n.Store.Put(ctx, store.Pair{Bucket: statementBucket, Key: from.String(), Value: []byte(value)})
}

// loadWatermarks reads the statements' dates back at start.
func (n *Node) loadWatermarks(ctx context.Context) error {
	for after := ""; ; {
		page, err := n.Store.Scan(ctx, statementBucket, "", after, 256)
		if err != nil {
			return err
		}
		for _, pair := range page {
			id, err := trust.ParseParticipantID(pair.Key)
			issued, ends, _ := strings.Cut(string(pair.Value), " ")
			iat, err1 := strconv.ParseInt(issued, 10, 64)
			exp, err2 := strconv.ParseInt(ends, 10, 64)
			if err != nil || err1 != nil || err2 != nil {
				return trust.Errorf(trust.Internal, "register %s of %q is damaged", statementBucket, pair.Key)
			}
			n.views.stated(id, iat, exp)
			after = pair.Key
		}
		if len(page) < 256 {
			return nil
		}
	}
}

// keepStatements renews the own statement at every partner well before it ends.
func (n *Node) keepStatements(ctx context.Context) {
	for ctx.Err() == nil {
		if left := n.statementDue(); left > 0 {
			wait(ctx, nil, left)
			continue
		}
		if err := n.renewStatement(ctx); err != nil {
			n.Log.Error("the statement was not renewed", "error", err)
			wait(ctx, nil, statementRetry)
		}
	}
}

// statementDue gives in what time the own statement is to be renewed: by its date,
// which outlives a restart.
func (n *Node) statementDue() time.Duration {
	issued := n.views.dates(n.self).statementIssued
	left := time.Duration(issued-n.Now())*time.Second + statementRenew
	return min(left, statementRenew) // the clock may have been set back
}

// renewStatement queues a fresh statement for every partner, and notes its date.
func (n *Node) renewStatement(ctx context.Context) error {
	var own participant.Statement
	_, err := n.change(ctx, func(c *change) error {
		own.Iat, own.Exp = c.now, c.now+int64(statementLife/time.Second)
		for p := range c.Participant.Partners() {
			if err := c.sendStatement(p.Card.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	// It is on its way; a node that stops here does not send another one later.
	return n.noteStatement(context.WithoutCancel(ctx), n.self, own)
}
