package decision

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

// tell puts a verdict into words: what was looked at, and for a refusal the
// thing, its state and the rule.
func (h *hearing) tell(check int, v verdict) string {
	if v.result == NotReached {
		return "not reached"
	}
	if text, ok := h.tellParty(check, v); ok {
		return text
	}
	return h.tellOwn(check, v)
}

// tellOwn tells what the caller's own proof and rights say.
func (h *hearing) tellOwn(check int, v verdict) string {
	switch check {
	case Identify:
		return h.tellIdentify(v.reason)
	case Authenticate:
		return h.tellAuthenticate(v.reason)
	case Classify:
		return h.tellClassify(v.reason)
	case Delegate:
		return h.tellDelegate(v.reason)
	case Link:
		return h.tellLink(v.reason)
	case Freshness:
		return h.tellFreshness(v.reason)
	case Revocation:
		return h.tellRevocation(v.reason)
	case Entitle:
		return h.tellEntitle(v.reason)
	case LocalPolicy:
		return h.tellPolicy(v.reason)
	default:
		return h.tellObligations(v.reason)
	}
}

func (h *hearing) tellIdentify(reason trust.Reason) string {
	ev, o := h.ev, h.o
	switch {
	case reason == trust.ClockAhead:
		return "this node's time was far ahead of its partners'; everything is denied until an operator accepts a time"
	case reason == trust.ClockUnsure:
		return "nobody has confirmed this node's time since it leapt ahead"
	case reason == trust.LedgerLost:
		return "a partner showed a message of this node that its ledger does not have; everything is denied until the ledger is recovered"
	case reason == trust.Recovering:
		return fmt.Sprintf("ledger goes on in epoch %d behind a loss, and %d partners have not said yet what they were told before", h.s.Edge.Recovery.Epoch, h.s.Edge.Recovery.Waiting)
	case reason == trust.StatementExpired && o.StatementEnd == 0:
		return fmt.Sprintf("%s has sent no statement; only a stated issuer speaks for it", bare(ev.Participant))
	case reason == trust.StatementExpired:
		return fmt.Sprintf("statement of %s expired %s ago", bare(ev.Participant), span(o.Now-o.StatementEnd))
	case reason == trust.SubjectMismatch && o.Subject == trust.SubjectKey{}:
		return "caller has no key in this ledger; without one no revocation could be found"
	case reason == trust.SubjectMismatch:
		return "subject.id is neither \"0\" nor the subject of the evidence; the evidence says who calls"
	case reason == trust.NotOurs:
		return fmt.Sprintf("grant for %s is asked for a subject of %s; a node vouches for its own people alone", bare(h.r.Order.Partner), bare(ev.Participant))
	case reason == trust.NoEvidence && ev.Fault == nil:
		return "request carries no evidence; an enforcement point's word about the caller counts for nothing"
	case reason != "":
		return ev.Fault.Text
	case ev.Participant == h.self:
		return fmt.Sprintf("%s speaks for %s, which is us", bare(ev.Issuer), bare(ev.Participant))
	default:
		return fmt.Sprintf("%s speaks for %s (statement %s old)%s", bare(ev.Issuer), bare(ev.Participant), span(o.StatementAge), h.tellOrigin())
	}
}

// tellOrigin tells whose word a broker restates, and whether it was shown.
func (h *hearing) tellOrigin() string {
	switch origin := h.ev.Origin; {
	case origin == nil:
		return ""
	case origin.Signed():
		return fmt.Sprintf(" · broker of %s, whose own assertion holds (key %s)", bare(origin.Issuer), origin.KeyID)
	default:
		return fmt.Sprintf(" · broker of %s, by its own word alone", bare(origin.Issuer))
	}
}

func (h *hearing) tellAuthenticate(reason trust.Reason) string {
	ev := h.ev
	switch reason {
	case "":
		if ev.Kind == evidence.IDJAG {
			return fmt.Sprintf("grant %s by key %s of %s's own node, for client %s, %s left, used up by this decision",
				ev.Grant.ID, ev.KeyID, bare(ev.Participant), ev.ClientID, span(ev.ExpiresAt-h.o.Now))
		}
		if ev.Grant != nil {
			return fmt.Sprintf("credential %s of our own, issued on a token under key %s of %s, audience %s, %s left",
				ev.Grant.ID, ev.KeyID, bare(ev.Issuer), strings.TrimPrefix(ev.Audience, scheme), span(ev.ExpiresAt-h.o.Now))
		}
		if ev.Exception != "" {
			return fmt.Sprintf("%s, a shared secret that nobody signed: let in by exception %s (shared_secret), %s left", kindName(ev.Kind), ev.Exception, span(ev.ExpiresAt-h.o.Now))
		}
		once := ""
		if h.singleUse() && len(ev.Once) > 0 {
			once = ", used up by this decision"
		}
		return fmt.Sprintf("%s, key %s, %s, audience %s, %s left%s",
			ev.Algorithm, ev.KeyID, kindName(ev.Kind)+tellBinding(&ev.Binding), tellAudience(ev.Audience), span(ev.ExpiresAt-h.o.Now), once)
	case trust.GrantClient:
		return "grant was issued to another client than the one that brings it, or is brought for something else than a credential"
	case trust.AudienceForeign:
		return "audience of the token is no service of ours"
	case trust.AudienceOtherService:
		if h.service == nil {
			return fmt.Sprintf("token is for %s, a service of ours that %s does not guard", ev.Audience, h.r.EnforcementPoint)
		}
		return fmt.Sprintf("token is for %s, another service of ours than %s with audience %s", ev.Audience, h.service.Name, h.service.Audience)
	case trust.Replayed:
		return "token was used before; the agreement takes it once"
	case trust.BindingUnsupported:
		return "token is bound (cnf) to something that cannot be checked here; it never counts without"
	case trust.ProofMissing:
		return "token is" + tellBinding(&ev.Binding) + ", and the request does not show that the caller holds it; a bound token is no bearer's"
	case trust.ProofReplayed:
		return "DPoP proof was used before; one is made for each request"
	case trust.NonceStale:
		return "DPoP proof has a nonce that this node did not give " + h.r.EnforcementPoint + " lately"
	case trust.QuotaFull:
		return fmt.Sprintf("%s has as many unexpired single-use values as it may; a further one waits until one of them expires", bare(ev.Participant))
	default:
		return ev.Fault.Text
	}
}

// tellAudience names an audience; whom certificates are shown to, they are for.
func tellAudience(audience string) string {
	if audience == "" {
		return "whom it is shown to"
	}
	return strings.TrimPrefix(audience, scheme)
}

// tellBinding says what a token is bound to, for behind the word token.
func tellBinding(b *evidence.Binding) string {
	switch {
	case b.Key != "" && b.Certificate != "":
		return " bound to a key and to a certificate"
	case b.Key != "":
		return " bound to a key"
	case b.Certificate != "":
		return " bound to a certificate"
	default:
		return ""
	}
}

func (h *hearing) tellClassify(reason trust.Reason) string {
	ev, lifetime := h.ev, h.ev.ExpiresAt-h.ev.IssuedAt
	switch reason {
	case trust.Unclassified:
		return fmt.Sprintf("no class rule of issuer %s matches the token; an unclassified caller gets nothing", bare(ev.Issuer))
	case trust.UnknownClass:
		return fmt.Sprintf("class %s is not in framework %d", ev.Class, h.d.FrameworkVersion)
	case trust.LowAssurance:
		return fmt.Sprintf("%s; class %s needs more", h.short(h.class.Needs), ev.Class)
	case trust.Lowered:
		return fmt.Sprintf("token says %s, but a signal lowered what %s counts for; class %s needs %s", h.levels(), h.ladder, ev.Class, h.class.Needs[h.ladder])
	case trust.TokenLifetime:
		return fmt.Sprintf("token lives %s; one of class %s lives at most %s", span(lifetime), ev.Class, span(int64(h.class.MaxTokenLifetime)))
	case trust.AuthAge:
		if ev.AuthTime == 0 {
			return fmt.Sprintf("token does not say when the person signed in; class %s needs it (limit %s)", ev.Class, span(int64(h.class.MaxAuthAge)))
		}
		return fmt.Sprintf("signed in %s ago (limit %s)", span(h.o.Now-ev.AuthTime), span(int64(h.class.MaxAuthAge)))
	}
	text := string(ev.Class) + " · " + h.levels()
	if ev.Origin != nil {
		text += " (the lower of broker and origin)"
	}
	if h.class.MaxAuthAge > 0 && ev.Class == trust.Human {
		text += fmt.Sprintf(" · signed in %s ago (limit %s)", span(h.o.Now-ev.AuthTime), span(int64(h.class.MaxAuthAge)))
	}
	return text
}

// levels names what was reached on each ladder that the framework has.
func (h *hearing) levels() string { return h.levelsOf(h.ev.Assurance) }

func (h *hearing) levelsOf(v framework.Vector) string {
	if h.s.Framework.Current == nil {
		return "nothing; there is no framework"
	}
	var names []string
	for _, ladder := range ladders {
		if level := h.s.Framework.Current.Name(ladder, v); level != "" {
			names = append(names, string(ladder)+" "+string(level))
		}
	}
	return strings.Join(names, ", ")
}

// short tells the ladder on which the evidence stays below needs.
func (h *hearing) short(needs map[framework.Ladder]framework.Level) string {
	return fmt.Sprintf("%s is %s, below %s", h.ladder, h.s.Framework.Current.Name(h.ladder, h.assurance), needs[h.ladder])
}

func (h *hearing) tellFreshness(reason trust.Reason) string {
	limit := span(int64(h.tier.MaxStaleness))
	switch reason {
	case trust.BundleStale:
		limit := span(int64(h.tier.BundleAge()))
		if h.o.BundleAge <= 0 {
			return fmt.Sprintf("bundle of %s was not read since this node started (limit %s)", h.ev.Issuer, limit)
		}
		return fmt.Sprintf("bundle of %s was last read %s ago (limit %s)", h.ev.Issuer, span(h.o.BundleAge), limit)
	case trust.FeedSilent:
		limit := span(FeedBound(h.s))
		if h.o.FeedAge < 0 {
			return fmt.Sprintf("transmitter of %s proved nothing since this node started, or its stream is not enabled (limit %s)", bare(h.ev.Issuer), limit)
		}
		return fmt.Sprintf("transmitter of %s proved last %s ago that it is heard (limit %s)", bare(h.ev.Issuer), span(h.o.FeedAge), limit)
	case trust.EdgeBroken:
		rule, _ := h.s.Edge.Broken(h.ev.Participant)
		return fmt.Sprintf("edge with %s is broken by the rule %q until an operator resumes it", bare(h.ev.Participant), rule)
	case trust.NeverProven:
		return fmt.Sprintf("%s has proven nothing since this node started (limit %s)", bare(h.ev.Participant), limit)
	default:
		return fmt.Sprintf("last proven word from %s %s ago (limit %s)", bare(h.ev.Participant), span(h.o.PartnerAge), limit)
	}
}

func (h *hearing) tellRevocation(reason trust.Reason) string {
	switch reason {
	case trust.SubjectRevoked:
		return fmt.Sprintf("the subject's engagement with %s has ended; the identifier never revives it", bare(h.ev.Participant))
	case trust.EngagementEnded:
		return "token was issued in an engagement that has ended"
	case trust.KeyRevoked:
		return fmt.Sprintf("key %s of %s is revoked, whatever it signed when", h.ev.KeyID, bare(h.ev.Issuer))
	case trust.SubjectSuspended:
		return fmt.Sprintf("the subject of %s is suspended, here or by its home; two people resume it", bare(h.ev.Participant))
	case trust.IdentityIdle:
		return "the identity of this subject of ours is registered, and nobody has activated it"
	case trust.PersonBarred:
		return fmt.Sprintf("a person of %s, whom a remedy of a dispute stops, comes under this identifier", bare(h.ev.Participant))
	case trust.PersonUnnamed:
		return fmt.Sprintf("evidence does not name the person as the remedy of a dispute with %s wants", bare(h.ev.Participant))
	case trust.MonitoringSpent:
		return "subject is monitored after a dispute, and had all permits of this hour"
	case trust.ClientSuspended:
		return fmt.Sprintf("credential %s was issued to client %s, which is suspended here", h.ev.Grant.ID, h.ev.ClientID)
	case trust.CredentialEnded:
		if h.ev.Grant.Epoch != h.s.Edge.Recovery.Epoch {
			return fmt.Sprintf("credential %s was issued before the ledger was recovered into epoch %d, and might have been given back in what is lost", h.ev.Grant.ID, h.s.Edge.Recovery.Epoch)
		}
		return fmt.Sprintf("credential %s was given back before its time", h.ev.Grant.ID)
	case trust.ClientEnded:
		return fmt.Sprintf("credential %s was issued to client %s, which has ended", h.ev.Grant.ID, h.ev.ClientID)
	case trust.SubjectDisabled:
		return fmt.Sprintf("account is disabled, as %s was told by a transmitter", bare(h.ev.Participant))
	case trust.SessionOver:
		return "session is over: who signed in before has to sign in again"
	case trust.ClaimsChanged:
		return "token was issued before its claims changed"
	case trust.DeviceUnfit:
		return "device is not compliant until a transmitter says that it is"
	case trust.RiskTooHigh:
		return "risk is high, and a transmitter's high risk denies here"
	case trust.IssuerRevoked:
		return fmt.Sprintf("%s speaks for %s no longer", bare(h.ev.Issuer), bare(h.ev.Participant))
	default:
		return "not revoked"
	}
}

func (h *hearing) tellObligations(reason trust.Reason) string {
	if reason == trust.TooMuchAccess {
		return fmt.Sprintf("credential would name %d accesses; tier %s allows %d", evidence.Size(h.r.Order.Access), h.d.Tier, h.tier.Caps.ScopesPerCredential)
	}
	if reason == trust.Unwatched {
		return "the session would stay open; the enforcement point holds no watch stream with room for it"
	}
	if h.r.Order != nil {
		return "credential may live for " + span(h.d.TTL)
	}
	if h.line.SingleUse {
		return "the agreement takes each token once: ask every time"
	}
	if h.ev.Binding.Once != nil {
		return "a DPoP proof is for one request: ask every time"
	}
	return "may be relied on for " + span(h.d.TTL)
}

const scheme = "https://"

// bare leaves out of an identifier what all of them begin with.
func bare(id fmt.Stringer) string { return strings.TrimPrefix(id.String(), scheme) }

// span writes a duration in the largest unit that does not round it much.
func span(seconds int64) string {
	switch n := max(seconds, -seconds); {
	case n < 300:
		return strconv.FormatInt(seconds, 10) + " s"
	case n < 2*3600:
		return strconv.FormatInt(seconds/60, 10) + " min"
	case n < 48*3600:
		return strconv.FormatInt(seconds/3600, 10) + " h"
	default:
		return strconv.FormatInt(seconds/86400, 10) + " d"
	}
}
