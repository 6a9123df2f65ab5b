package node_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// A feed that falls silent past the bound denies, and heals by itself; what the
// transmitter was not asked for proves nothing.
func TestASilentFeed(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	heard(t, host, ward, nil)
	token := nurse(ward, "nurse-1")
	want(t, ward, token, trust.Permit)
	unasked := set(t, host, ward, signal.Verification, signal.OpaqueOf("stream-1"), claims{"state": "unasked"}, nil)
	host.World.Serve(ward.Issuer.URL+"/ssf/verify", func(string, []byte) (int, []byte) { return http.StatusNoContent, nil })
	host.Clock.Shift(61 * time.Second)
	ward.Home.Clock.Shift(61 * time.Second) // or its time would not be believed after a start
	await(t, ward, token, trust.FeedSilent)
	pushed(t, host, unasked)
	want(t, ward, token, trust.FeedSilent)
	speak(t, host, ward)
	done(t, host.VerifyTransmitter(t.Context(), host.Admin, "idp"))
	await(t, ward, token, trust.Permit)

	pushed(t, host, set(t, host, ward, signal.StreamUpdated, signal.OpaqueOf("stream-1"), claims{"status": "paused"}, nil))
	want(t, ward, token, trust.FeedSilent)
	done(t, host.VerifyTransmitter(t.Context(), host.Admin, "idp"))
	want(t, ward, token, trust.Permit)
	host.Reboot()
	await(t, ward, token, trust.Permit) // asked again, and by no memory of before
}

// A stream that is polled is read to its end; what is durable is acknowledged, and
// what is refused is said.
func TestAPolledStream(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	var mu sync.Mutex
	waiting, acked, refusals := map[string]string{}, []string{}, map[string]string{}
	add := func(jws []byte, id string) {
		mu.Lock()
		defer mu.Unlock()
		waiting[id] = string(jws)
	}
	host.World.Serve(ward.Issuer.URL+"/ssf/poll", func(authorization string, body []byte) (int, []byte) {
		var q struct {
			MaxEvents         int      `json:"maxEvents"`
			ReturnImmediately bool     `json:"returnImmediately"`
			Ack               []string `json:"ack"`
			SetErrs           map[string]struct {
				Err string `json:"err"`
			} `json:"setErrs"`
		}
		if err := canonical.DecodeLoose(body, &q); err != nil || authorization != "Bearer our-token" || q.MaxEvents < 1 {
			return http.StatusBadRequest, nil
		}
		mu.Lock()
		defer mu.Unlock()
		for _, id := range q.Ack {
			acked = append(acked, id)
			delete(waiting, id)
		}
		for id, e := range q.SetErrs {
			refusals[id] = e.Err
			delete(waiting, id)
		}
		sets := claims{}
		for id, jws := range waiting {
			if len(sets) == q.MaxEvents {
				break
			}
			sets[id] = jws
		}
		answer, err := canonical.Marshal(claims{"sets": sets, "moreAvailable": len(sets) < len(waiting)})
		if err != nil {
			return http.StatusInternalServerError, nil
		}
		return http.StatusOK, answer
	})
	signed := func(id string, with claims) []byte {
		if with == nil {
			with = claims{}
		}
		if with["jti"] == nil {
			with["jti"] = id
		}
		return set(t, host, ward, signal.AccountDisabled, user(ward, "nurse-"+id), nil, with)
	}
	host.World.Serve(ward.Issuer.URL+"/ssf/verify", func(_ string, body []byte) (int, []byte) {
		var asked struct {
			StreamID string `json:"stream_id"`
			State    string `json:"state"`
		}
		if canonical.Decode(body, &asked) != nil {
			return http.StatusBadRequest, nil
		}
		all := setClaims(host, ward, signal.Verification, signal.OpaqueOf("stream-1"), claims{"state": asked.State}, claims{"jti": asked.State})
		jws, err := jose.Sign(ward.Issuer.Key, signal.SETType, all)
		if err != nil {
			return http.StatusInternalServerError, nil
		}
		add([]byte(jws), asked.State)
		return http.StatusNoContent, nil
	})
	heard(t, host, ward, func(d *signal.Document) { d.Delivery, d.PollURI = signal.Poll, ward.Issuer.URL+"/ssf/poll" })
	for i := range 30 {
		id := fmt.Sprint("p", i)
		add(signed(id, nil), id)
	}
	add(signed("bad", claims{"aud": "https://other.example"}), "bad")
	add(signed("named", claims{"jti": "otherwise"}), "named")
	nodetest.Eventually(t, "the stream to be read", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(waiting) == 0
	})
	want(t, ward, nurse(ward, "nurse-p29"), trust.SubjectDisabled)
	want(t, ward, nurse(ward, "nurse-named"), trust.Permit)
	mu.Lock()
	defer mu.Unlock()
	if refusals["bad"] != "invalid_audience" || refusals["named"] != "invalid_request" || len(refusals) != 2 {
		t.Errorf("refused were %v", refusals)
	}
	refused(t, "a push to a polled stream", host.ReceiveSignal(t.Context(), "idp", nil), trust.NotFound)
}

// A transmitter that signs for itself counts by its own keys, and by no others.
func TestATransmitterWithKeysOfItsOwn(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	own := host.World.NewIssuer("https://ssf.rxw.example")
	by := *ward
	by.Issuer = &nodetest.Issuer{URL: own.URL, Key: own.Key}
	issuer := nodetest.Must(trust.ParseIssuerID(ward.Issuer.URL))(t)
	jws := set(t, host, &by, signal.AccountDisabled, user(ward, "nurse-1"), nil, nil)
	asked := make(chan error, 1)
	host.World.Serve(own.URL+"/verify", func(string, []byte) (int, []byte) { // what it sends then can be verified
		select {
		case asked <- host.ReceiveSignal(t.Context(), "idp", jws):
		default:
		}
		return http.StatusServiceUnavailable, nil
	})
	_, err := host.AddTransmitter(t.Context(), host.Admin, signal.Document{
		Kind: "Transmitter", Name: "idp", Issuer: issuer, Delivery: signal.Push, Audience: host.ID.String() + "/signals", SignedBy: own.URL, JWKSURI: own.URL + "/jwks",
		StreamID: "stream-1", VerifyURI: own.URL + "/verify",
	}, "")
	done(t, err)
	done(t, <-asked)
	want(t, ward, nurse(ward, "nurse-2"), trust.FeedSilent)
	err = host.ReceiveSignal(t.Context(), "idp", set(t, host, ward, signal.AccountEnabled, user(ward, "nurse-1"), nil, claims{"iss": own.URL}))
	if refusal, ok := err.(*signal.Refusal); !ok || refusal.Code != signal.InvalidKey {
		t.Errorf("signed by the issuer of the subjects: %v", err)
	}
}

// A logout at the identity provider ends the session at home and at every host,
// open ones too.
func TestBackChannelLogout(t *testing.T) {
	ward := wardOf(t, nil)
	home := ward.Home
	heard(t, home, ward, func(d *signal.Document) {
		d.Delivery, d.Audience, d.StreamID, d.VerifyURI = signal.Logout, "ward-app", "", ""
	})
	logout := func(with claims) []byte {
		now := time.Now().Unix()
		all := claims{
			"iss": ward.Issuer.URL, "aud": "ward-app", "iat": now, "exp": now + 120, "jti": rand.Text(),
			"events": claims{"http://schemas.openid.net/event/backchannel-logout": claims{}},
		}
		for name, v := range with {
			all[name] = v
		}
		return []byte(nodetest.Must(jose.Sign(ward.Issuer.Key, signal.LogoutType, all))(t))
	}
	session := func(sid string) []byte {
		at := time.Now().Unix() - 5
		return home.World.Token(ward.Issuer, "nurse-1", ward.Audience, claims{"sid": sid, "iat": at, "auth_time": at})
	}
	one, two := session("s1"), session("s2")
	want(t, ward, one, trust.Permit)
	told := watch(t, ward.Host, "pep", "")
	held := open(t, ward, one)
	done(t, home.ReceiveLogout(t.Context(), "idp", logout(claims{"sid": "s1"})))
	if end := told.end(t, held.Reference); end.Reason != trust.SessionOver { // R81
		t.Errorf("the open session ends for %s", end.Reason)
	}
	await(t, ward, one, trust.SessionOver)
	want(t, ward, two, trust.Permit)
	done(t, home.ReceiveLogout(t.Context(), "idp", logout(claims{"sub": "nurse-1"})))
	await(t, ward, two, trust.SessionOver)
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)
	for name, with := range map[string]claims{"an ID token": {"nonce": "x", "sub": "nurse-2"}, "another client's": {"aud": "other", "sub": "nurse-2"}, "another issuer's": {"iss": "https://x.example", "sub": "nurse-2"}} {
		if err := home.ReceiveLogout(t.Context(), "idp", logout(with)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	refused(t, "a signal to where logouts go", home.ReceiveSignal(t.Context(), "idp", nil), trust.NotFound)
}

// A node that listens asks four times within the bound of a feed. One that transmits
// answers at least as often, and once a minute whatever the bound.
func TestVerificationsFit(t *testing.T) {
	w := nodetest.NewWorld(t)
	n := w.New("trust.rxw.example")
	if got := n.VerifyEvery(); got != 60 {
		t.Errorf("without a framework it is %d s", got)
	}
	previous := ""
	for version, c := range []struct {
		bound trust.Span
		want  int64
	}{{60, 7}, {480, 60}, {3600, 60}, {4, 1}, {16, 2}} {
		d := w.Rules(n)
		d.Version, d.Previous = version+1, previous
		d.Tiers[trust.Standard] = framework.TierRule{
			MaxStaleness: c.bound, RemovalTarget: 2, MaxCredentialTTL: 900, SenderConstraint: framework.SenderConstraintWhenOffered,
		}
		signed := w.Sign(d, n)
		n.Adopt(signed)
		previous = framework.Hash(signed.Bytes)
		if got := n.VerifyEvery(); got != c.want || 4*got > int64(c.bound) {
			t.Errorf("with a bound of %d s it is %d s, not %d", c.bound, got, c.want)
		}
	}
}
