package node_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// heard lets a node hear a transmitter of the ward's issuer.
func heard(t *testing.T, n *nodetest.Node, ward *nodetest.Ward, change func(*signal.Document)) (secret string) {
	t.Helper()
	issuer, err := trust.ParseIssuerID(ward.Issuer.URL)
	done(t, err)
	d := signal.Document{
		Kind: "Transmitter", Name: "idp", Issuer: issuer, Delivery: signal.Push, Audience: n.ID.String() + "/signals",
		StreamID: "stream-1", VerifyURI: ward.Issuer.URL + "/ssf/verify",
	}
	if change != nil {
		change(&d)
	}
	if d.Delivery == signal.Push {
		speak(t, n, ward)
	}
	nodetest.Eventually(t, "the keys of the issuer", func() bool {
		speaker, ok := n.State().Speaker(ward.Issuer.URL)
		return ok && len(speaker.Keys.Keys()) > 0
	})
	secret, err = n.AddTransmitter(t.Context(), n.Admin, d, "our-token")
	done(t, err)
	nodetest.Eventually(t, "the transmitter to be heard", func() bool {
		listed, err := n.Transmitters(t.Context())
		return err == nil && (listed[0].Age > 0 || !d.Feeds())
	})
	return secret
}

// speak lets the transmitter answer verifications, as soon as it is asked.
func speak(t *testing.T, n *nodetest.Node, ward *nodetest.Ward) {
	t.Helper()
	n.World.Serve(ward.Issuer.URL+"/ssf/verify", func(authorization string, body []byte) (int, []byte) {
		var asked struct {
			StreamID string `json:"stream_id"`
			State    string `json:"state"`
		}
		if err := canonical.Decode(body, &asked); err != nil || asked.StreamID != "stream-1" || authorization != "Bearer our-token" {
			return http.StatusBadRequest, nil
		}
		all := setClaims(n, ward, signal.Verification, signal.OpaqueOf("stream-1"), claims{"state": asked.State}, nil)
		jws, err := jose.Sign(ward.Issuer.Key, signal.SETType, all)
		if err != nil || n.ReceiveSignal(context.Background(), "idp", []byte(jws)) != nil {
			return http.StatusInternalServerError, nil
		}
		return http.StatusNoContent, nil
	})
}

type claims = map[string]any

// set signs a security event token of the ward's issuer about a subject.
func set(t *testing.T, n *nodetest.Node, ward *nodetest.Ward, event signal.Type, about signal.SubjectID, content claims, with claims) []byte {
	t.Helper()
	return []byte(nodetest.Must(jose.Sign(ward.Issuer.Key, signal.SETType, setClaims(n, ward, event, about, content, with)))(t))
}

func setClaims(n *nodetest.Node, ward *nodetest.Ward, event signal.Type, about signal.SubjectID, content claims, with claims) claims {
	if content == nil {
		content = claims{}
	}
	all := claims{
		"iss": ward.Issuer.URL, "aud": n.ID.String() + "/signals", "jti": rand.Text(), "iat": time.Now().Unix(),
		"sub_id": about.Object(), "events": claims{string(event): content},
	}
	for name, v := range with {
		all[name] = v
	}
	return all
}

func user(ward *nodetest.Ward, subject string) signal.SubjectID {
	return signal.SubjectOf(ward.Issuer.URL, subject)
}

func pushed(t *testing.T, n *nodetest.Node, jws []byte) {
	t.Helper()
	done(t, n.ReceiveSignal(t.Context(), "idp", jws))
}

// What a home's own identity provider says of its people ends their sessions at
// every host, over the edge.
func TestASignalAtHomeHoldsAtTheHost(t *testing.T) {
	ward := wardOf(t, nil)
	home := ward.Home
	heard(t, home, ward, nil)
	before := time.Now().Unix() - 5
	old := home.World.Token(ward.Issuer, "nurse-1", ward.Audience, claims{"iat": before, "auth_time": before})
	want(t, ward, old, trust.Permit)
	want(t, ward, old, trust.Permit) // by memory
	pushed(t, home, set(t, home, ward, signal.SessionRevoked, user(ward, "nurse-1"), claims{"event_timestamp": before + 1}, nil))
	await(t, ward, old, trust.SessionOver)
	refreshed := home.World.Token(ward.Issuer, "nurse-1", ward.Audience, claims{"auth_time": before})
	want(t, ward, refreshed, trust.SessionOver)
	again := home.World.Token(ward.Issuer, "nurse-1", ward.Audience, claims{"auth_time": time.Now().Unix()})
	want(t, ward, again, trust.Permit)
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)

	pushed(t, home, set(t, home, ward, signal.AccountDisabled, user(ward, "nurse-1"), nil, claims{"iat": time.Now().Unix() - 1}))
	await(t, ward, again, trust.SubjectDisabled)
	pushed(t, home, set(t, home, ward, signal.AccountEnabled, user(ward, "nurse-1"), claims{"event_timestamp": before}, nil))
	pushed(t, home, set(t, home, ward, signal.AccountDisabled, user(ward, "nurse-2"), nil, nil))
	await(t, ward, nurse(ward, "nurse-2"), trust.SubjectDisabled)
	want(t, ward, again, trust.SubjectDisabled) // enabled before it was disabled
	pushed(t, home, set(t, home, ward, signal.AccountEnabled, user(ward, "nurse-1"), nil, nil))
	await(t, ward, again, trust.Permit)
}

// A host may hear the identity provider of a partner itself.
func TestASignalAtTheHost(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	heard(t, host, ward, nil)
	token := nurse(ward, "nurse-1")
	want(t, ward, token, trust.Permit)
	disabled := set(t, host, ward, signal.AccountDisabled, user(ward, "nurse-1"), nil, nil)
	pushed(t, host, disabled)
	want(t, ward, token, trust.SubjectDisabled)
	before := len(entries(t, host, "trust", ""))
	pushed(t, host, disabled)
	if after := len(entries(t, host, "trust", "")); after != before {
		t.Errorf("the same token again left %d entries", after-before)
	}
	host.Stop()
	host.Start()
	pushed(t, host, disabled) // remembered
	if after := len(entries(t, host, "trust", "signal.received/v1")); after != 1 {
		t.Errorf("the same token after a start: %d signals", after)
	}
}

// What was taken back before a host agreed is taken back for it too.
func TestAHostThatAgreesLaterLearnsOfSignals(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, first := founded(t, w, nil)
	issuer := w.NewIssuer("https://idp.rxw.example")
	ward := w.Agree(home, first, []*nodetest.Issuer{issuer}, nil)
	heard(t, home, ward, nil)
	pushed(t, home, set(t, home, ward, signal.AccountDisabled, user(ward, "nurse-1"), nil, nil))
	late := w.New("trust.late.example", nodetest.HostRoles()...)
	w.Introduce(home, late)
	late.Adopt(home.State().Framework.Current.Signed)
	later := w.Agree(home, late, []*nodetest.Issuer{issuer}, func(d *agreement.Document) { d.Name = "later" })
	later.Furnish()
	want(t, later, nurse(later, "nurse-2"), trust.Permit)
	want(t, later, nurse(later, "nurse-1"), trust.SubjectDisabled)
}

// Sessions and devices end by the names that tokens give them; a token that
// gives none may be of that session.
func TestSessionsByName(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	heard(t, host, ward, nil)
	at := time.Now().Unix() - 5
	token := func(with claims) []byte {
		with["iat"], with["auth_time"] = at, at
		return host.World.Token(ward.Issuer, "nurse-1", ward.Audience, with)
	}
	one, two, none := token(claims{"sid": "s1"}), token(claims{"sid": "s2"}), token(claims{})
	for _, signedIn := range [][]byte{one, two, none} {
		want(t, ward, signedIn, trust.Permit)
	}
	pushed(t, host, set(t, host, ward, signal.SessionRevoked, signal.SubjectID{Format: signal.Complex, Parts: map[signal.Member]signal.SubjectID{
		signal.User: user(ward, "nurse-1"), signal.Session: signal.OpaqueOf("s1"),
	}}, nil, nil))
	want(t, ward, one, trust.SessionOver)
	want(t, ward, two, trust.Permit)
	want(t, ward, none, trust.SessionOver)
	want(t, ward, host.World.Token(ward.Issuer, "nurse-1", ward.Audience, claims{"sid": "s1", "auth_time": time.Now().Unix() + 1}), trust.SessionOver)
}

// A signal lowers what tokens count for, and never raises it above what they say.
func TestASignalLowersAssurance(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	heard(t, host, ward, nil)
	token := nurse(ward, "nurse-1")
	want(t, ward, token, trust.Permit)
	level := func(level, direction string, ago int64) {
		pushed(t, host, set(t, host, ward, signal.AssuranceLevelChange, user(ward, "nurse-1"),
			claims{"namespace": "authentication_assurance_level", "current_level": level, "change_direction": direction, "event_timestamp": time.Now().Unix() - ago}, nil))
	}
	level("1", "decrease", 5)
	want(t, ward, token, trust.Lowered)
	level("3", "increase", 3)
	want(t, ward, token, trust.Permit)
	want(t, ward, host.World.Token(ward.Issuer, "nurse-1", ward.Audience, claims{"authentication_assurance_level": "1"}), trust.LowAssurance)
}

// A purged account ends its engagement for good; the same event from before a new
// engagement does not end that.
func TestAPurgedAccountIsATombstone(t *testing.T) {
	ward := wardOf(t, nil)
	home := ward.Home
	heard(t, home, ward, nil)
	purged := func(at int64) {
		pushed(t, home, set(t, home, ward, signal.AccountPurged, user(ward, "nurse-1"), claims{"event_timestamp": at}, nil))
	}
	at := time.Now().Unix()
	purged(at - 100)
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	_, err := home.OpenEngagement(t.Context(), home.Admin, ward.Issuer.URL, "nurse-1", "check-1")
	done(t, err)
	nodetest.Eventually(t, "the new engagement", func() bool {
		waiting, err := ward.Host.Engagements(t.Context())
		if err != nil || len(waiting) != 1 {
			return false
		}
		return ward.Host.ApproveEngagement(t.Context(), ward.Host.Admin, waiting[0].Subject) == nil
	})
	want(t, ward, home.World.Token(ward.Issuer, "nurse-1", ward.Audience, claims{"iat": time.Now().Unix() + 1}), trust.Permit)
}

func TestSignalsRefused(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	heard(t, host, ward, func(d *signal.Document) { d.Tenant = "rxw" })
	about := user(ward, "nurse-1")
	stranger := host.World.NewIssuer("https://stranger.example")
	forged := *ward
	forged.Issuer = &nodetest.Issuer{URL: ward.Issuer.URL, Key: stranger.Key}
	tenant := func(id string) signal.SubjectID {
		return signal.SubjectID{Format: signal.Complex, Parts: map[signal.Member]signal.SubjectID{signal.User: about, signal.Tenant: signal.OpaqueOf(id)}}
	}
	for name, c := range map[string]struct {
		jws  []byte
		code signal.Code
	}{
		"no token":          {[]byte("x"), signal.InvalidRequest},
		"another type":      {host.World.Token(ward.Issuer, "nurse-1", ward.Audience, nil), signal.InvalidRequest},
		"exp":               {set(t, host, ward, signal.SessionRevoked, about, nil, claims{"exp": time.Now().Unix() + 60}), signal.InvalidRequest},
		"another issuer":    {set(t, host, ward, signal.SessionRevoked, about, nil, claims{"iss": stranger.URL}), signal.InvalidIssuer},
		"another audience":  {set(t, host, ward, signal.SessionRevoked, about, nil, claims{"aud": "https://other.example"}), signal.InvalidAudience},
		"another key":       {set(t, host, &forged, signal.SessionRevoked, about, nil, nil), signal.InvalidKey},
		"another's subject": {set(t, host, ward, signal.SessionRevoked, signal.SubjectOf(stranger.URL, "nurse-1"), nil, nil), signal.AccessDenied},
		"another tenant":    {set(t, host, ward, signal.SessionRevoked, tenant("rgh"), nil, nil), signal.AccessDenied},
		"another stream":    {set(t, host, ward, signal.Verification, signal.OpaqueOf("stream-2"), nil, nil), signal.AccessDenied},
		"an address":        {set(t, host, ward, signal.SessionRevoked, signal.SubjectID{Format: signal.Email, ID: "n@rxw.example"}, nil, nil), signal.InvalidRequest},
		"all of a session purged": {set(t, host, ward, signal.AccountPurged, signal.SubjectID{
			Format: signal.Complex, Parts: map[signal.Member]signal.SubjectID{signal.Session: signal.OpaqueOf("s")},
		}, nil, nil), signal.InvalidRequest},
	} {
		err := host.ReceiveSignal(t.Context(), "idp", c.jws)
		if refusal, ok := err.(*signal.Refusal); !ok || refusal.Code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	refused(t, "a logout to a stream", host.ReceiveLogout(t.Context(), "idp", nil), trust.NotFound)
	if n := len(entries(t, host, "trust", "signal.received/v1")); n != 0 {
		t.Errorf("%d signals were recorded", n)
	}
	pushed(t, host, set(t, host, ward, signal.AccountDisabled, tenant("rxw"), nil, nil))
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectDisabled)
	refused(t, "an unknown transmitter", host.ReceiveSignal(t.Context(), "nobody", nil), trust.NotFound)
	done(t, host.RemoveTransmitter(t.Context(), host.Admin, "idp"))
	refused(t, "a removed transmitter", host.ReceiveSignal(t.Context(), "idp", set(t, host, ward, signal.AccountEnabled, about, nil, nil)), trust.NotFound)
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectDisabled)
}

// An issuer has one transmitter, and is one that speaks for a single participant;
// an operator without the role hears nobody.
func TestTransmitters(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	heard(t, host, ward, nil)
	listed, err := host.Transmitters(t.Context())
	if done(t, err); len(listed) != 1 || listed[0].Name != "idp" {
		t.Errorf("heard are %+v", listed)
	}
	d := listed[0].Document
	d.Name = "second"
	_, err = host.AddTransmitter(t.Context(), host.Admin, d, "")
	refused(t, "a second one of an issuer", err, trust.Conflict)
	d.Issuer = nodetest.Must(trust.ParseIssuerID("https://unknown.example"))(t)
	_, err = host.AddTransmitter(t.Context(), host.Admin, d, "")
	refused(t, "one of nobody's issuer", err, trust.NotFound)
	_, err = host.AddTransmitter(t.Context(), node.Actor{ID: "x"}, d, "")
	refused(t, "one by nobody", err, trust.Denied)
	for i := range 1000 {
		if !host.Hears("idp") {
			return
		} else if i == 999 {
			t.Error(fmt.Sprint("a flood of ", i, " tokens is heard"))
		}
	}
}
