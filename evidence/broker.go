package evidence

import (
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Origin is who first vouched for the subject of a brokered token (R63). The
// token's own issuer is then the broker.
type Origin struct {
	Issuer    trust.IssuerID
	Namespace string           // the space of the subject's identifier, of the evidence's participant
	Subject   string           // plain, as the origin knows the subject; never written into a leaf
	Assurance framework.Vector // the most that the evidence can have
	IssuedAt  int64            // of the origin's own assertion, or of the broker's where there is none
	ExpiresAt int64            // likewise
	AuthTime  int64            // 0: not stated
	KeyID     string           // that signed the origin's own assertion; empty where there is none
	// Thumbprint is that key's (RFC 7638).
	Thumbprint string
	Claims     canonical.Object // that its assurance is read from; nil: the broker names it alone
}

// Signed reports whether the origin's own signed word was there. Without it the
// broker alone names the origin.
func (o *Origin) Signed() bool { return o.Thumbprint != "" }

// trace finds the origin of a brokered token. What the origin signed is verified
// as any token is, by what is registered for its issuer; nothing the broker
// sends brings a key or an address. An assertion that is there and does not hold
// refuses the token: a broker's word never stands in for a broken one.
func (ev *Evidence) trace(line *participant.Issuer, r Registry, now int64, cache Signatures) *Fault {
	b := line.Broker
	subject, ok := ev.Claims.Text(b.SubjectClaim())
	if !ok || subject == "" {
		return fault(trust.ClaimMissing, "claim "+b.SubjectClaim()+" is not a text; the broker's registration says that it has the subject's identifier at the origin")
	}
	var origin *Origin
	var f *Fault
	if token, there := ev.Claims[b.Assertion]; b.Assertion != "" && there {
		origin, f = ev.signed(line, token, subject, r, now, cache)
	} else {
		origin, f = ev.told(b, subject, r)
	}
	if f != nil {
		return f
	}
	ev.Origin = origin
	switch {
	case origin.Signed() && origin.AuthTime == 0:
		ev.AuthTime = 0 // only the origin knows, and it does not say
	case origin.AuthTime != 0 && (ev.AuthTime == 0 || origin.AuthTime < ev.AuthTime):
		ev.AuthTime = origin.AuthTime
	}
	return nil
}

// signed reads the origin's own assertion.
func (ev *Evidence) signed(line *participant.Issuer, claim any, subject string, r Registry, now int64, cache Signatures) (*Origin, *Fault) {
	b := line.Broker
	token, ok := claim.(string)
	if !ok {
		return nil, fault(trust.NoOrigin, "claim "+b.Assertion+" is not a text; it has the origin's own assertion")
	}
	own, _, f := Verify(Proof{Kind: IDToken, Token: []byte(token), origin: true}, r, now, cache)
	if f != nil {
		ev.Origin = &Origin{Issuer: own.Issuer}
		return nil, fault(f.Reason, "the origin's assertion in a brokered token: "+f.Text)
	}
	switch {
	case own.Participant != ev.Participant:
		return nil, fault(trust.ForeignOrigin, "origin "+own.Issuer.String()+" does not speak for the participant that the broker speaks for")
	case own.Audience != b.Audience:
		return nil, fault(trust.AudienceForeign, "the origin's assertion is for another party than the broker "+ev.Issuer.String())
	case own.Subject != subject:
		return nil, fault(trust.ClaimMissing, "the origin's assertion speaks of another subject than the broker's claim "+b.SubjectClaim())
	case own.Class != "" && own.Class != classOf(line.Classes, ev.Claims, ""):
		return nil, fault(trust.ClaimMissing, "the origin's assertion speaks of another identity class than the broker's token")
	}
	ev.Delegated = ev.Delegated || own.Delegated
	return &Origin{
		Issuer: own.Issuer, Namespace: own.Namespace, Subject: subject, Assurance: own.Assurance,
		IssuedAt: own.IssuedAt, ExpiresAt: own.ExpiresAt, AuthTime: own.AuthTime, KeyID: own.KeyID, Thumbprint: own.Thumbprint, Claims: own.Claims,
	}, nil
}

// told reads what the broker itself tells of the origin. It counts for no more
// than the framework lets a broker say by itself, and for no more than it says
// that the origin said.
func (ev *Evidence) told(b *participant.Broker, subject string, r Registry) (*Origin, *Fault) {
	o := &Origin{Subject: subject, Assurance: r.Brokered(), IssuedAt: ev.IssuedAt, ExpiresAt: ev.ExpiresAt}
	var iss string
	switch v := ev.Claims[b.Origin].(type) {
	case string:
		iss = v
	case canonical.Object:
		iss, _ = v.Text("iss")
		o.Assurance, o.Claims = framework.Min(o.Assurance, r.Assurance(v)), v
		if at, ok := v["auth_time"].(int64); ok && at > 0 {
			o.AuthTime = at
		}
		if sub, there := v["sub"]; there && sub != subject {
			return nil, fault(trust.ClaimMissing, "claim "+b.Origin+" speaks of another subject than claim "+b.SubjectClaim())
		}
	}
	if b.Origin == "" || iss == "" {
		return nil, fault(trust.NoOrigin, "token of broker "+ev.Issuer.String()+" names no origin; what it restates has one")
	}
	speaker, ok := r.Speaker(iss)
	if !ok {
		return nil, fault(trust.ForeignOrigin, "origin that the broker names is not registered by any participant")
	}
	o.Issuer = speaker.Issuer
	for i := range speaker.Candidates {
		c := &speaker.Candidates[i]
		switch space := c.Issuer.Namespace(); {
		case c.Participant != ev.Participant:
		case c.Issuer.Broker != nil:
			return nil, brokersBroker(speaker.Issuer)
		case o.Namespace != "" && o.Namespace != space:
			return nil, fault(trust.AmbiguousIssuer, "origin "+iss+" has two spaces of subjects; only its own assertion tells which is meant")
		default:
			o.Namespace = space
		}
	}
	if o.Namespace == "" {
		return nil, fault(trust.ForeignOrigin, "origin "+iss+" does not speak for the participant that the broker speaks for")
	}
	return o, nil
}

func brokersBroker(issuer trust.IssuerID) *Fault {
	return fault(trust.ForeignOrigin, "origin "+issuer.String()+" is a broker itself; an origin is where the sign-in took place")
}
