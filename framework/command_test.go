package framework_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

// refused checks that err is a refusal by rule, with the event to record.
func refused(t *testing.T, what string, rule framework.Rule, events []trust.Event, err error) {
	t.Helper()
	r, ok := errors.AsType[*framework.Refusal](err)
	if !ok || r.Rule != rule || r.Event.Rule != string(rule) || len(r.Event.Hash) != 64 || len(events) > 0 {
		t.Errorf("%s: got %v, %v; want it refused as %s", what, events, err, rule)
	}
	if kind := trust.KindOf(err); ok && kind != trust.Denied && kind != trust.Invalid {
		t.Errorf("%s: refusal is %s", what, kind)
	}
}

// R1
func TestFirstVersionNeedsAllFounders(t *testing.T) {
	d := document(t)
	s := adopted(t, framework.State{}, d, "rxw", "rje", "r0a")
	if s.Current == nil || s.Current.Version != 1 || s.Current.Since != now || s.Current.Document.Name != d.Name {
		t.Fatalf("got %+v", s.Current)
	}
	for what, c := range map[string]struct {
		rule  framework.Rule
		names []string
	}{
		"two of three founders": {framework.Threshold, []string{"rxw", "rje"}},
		"nobody":                {framework.Threshold, nil},
		"the same signer twice": {framework.RepeatedSigner, []string{"rxw", "rje", "rxw"}},
		"an unknown signer":     {framework.UnknownSigner, []string{"rxw", "rje", "r0a", "mallory"}},
		"a key of another time": {framework.BadSignature, []string{"rxw", "rje", "r0a/1"}},
	} {
		events, err := framework.State{}.Receive(framework.Facts{}, sign(t, d, c.names...), participant(t, "rxw"), now)
		refused(t, what, c.rule, events, err)
	}
}

// R1
func TestOneChangedByteIsRefused(t *testing.T) {
	signed := sign(t, document(t), "rxw", "rje", "r0a")
	for i := 0; i < len(signed.Bytes); i += 11 { // fuzzing does the rest
		changed := bytes.Clone(signed.Bytes)
		changed[i] ^= 1
		_, err := framework.State{}.Receive(framework.Facts{}, framework.Signed{Bytes: changed, Signatures: signed.Signatures}, trust.ParticipantID{}, now)
		if r, ok := errors.AsType[*framework.Refusal](err); !ok || r.Rule == "" {
			t.Fatalf("byte %d changed (%s): got %v", i, changed, err)
		}
	}
	for i := range signed.Signatures {
		changed := sign(t, document(t), "rxw", "rje", "r0a")
		changed.Signatures[i].Value[5] ^= 1
		events, err := framework.State{}.Receive(framework.Facts{}, changed, trust.ParticipantID{}, now)
		refused(t, "changed signature", framework.BadSignature, events, err)
	}
}

func TestBytesInAnotherFormAreRefused(t *testing.T) {
	data := append([]byte(" "), sign(t, document(t)).Bytes...)
	signed := framework.Signed{Bytes: data, Signatures: signatures(t, data, "rxw", "rje", "r0a")}
	events, err := framework.State{}.Receive(framework.Facts{}, signed, trust.ParticipantID{}, now)
	refused(t, "a space in front", framework.Malformed, events, err)
}

// A document whose own signers would let it pass is refused all the same when
// it is unsound (R20).
func TestUnsoundDocumentIsRefusedWhoeverSigned(t *testing.T) {
	data := bytes.Replace(sign(t, document(t)).Bytes, []byte(`"needs":{"attestation":"workload"}`), []byte(`"needs":{}`), 1)
	signed := framework.Signed{Bytes: data, Signatures: signatures(t, data, "rxw", "rje", "r0a")}
	events, err := framework.State{}.Receive(framework.Facts{}, signed, trust.ParticipantID{}, now)
	refused(t, "no needs", framework.Unsound, events, err)
}

// R1
func TestNextVersion(t *testing.T) {
	s := adopted(t, framework.State{}, document(t), "rxw", "rje", "r0a")
	newcomers := func(d *framework.Document) {
		d.Governance.Signers = []framework.Signer{signerOf(t, "rxw", 0), signerOf(t, "rj1", 0), signerOf(t, "rj2", 0)}
	}
	rotated := func(d *framework.Document) {
		d.Governance.Signers = []framework.Signer{signerOf(t, "rxw", 1), signerOf(t, "rje", 0), signerOf(t, "r0a", 0)}
	}
	for what, c := range map[string]struct {
		rule   framework.Rule // empty: accepted
		change func(*framework.Document)
		names  []string
	}{
		"two of three":                           {"", nil, []string{"rje", "r0a"}},
		"all three":                              {"", nil, []string{"rje", "r0a", "rxw"}},
		"one of three":                           {framework.Threshold, nil, []string{"rje"}},
		"the same twice":                         {framework.RepeatedSigner, nil, []string{"rje", "rje"}},
		"a stranger more":                        {framework.UnknownSigner, nil, []string{"rje", "r0a", "mallory"}},
		"new ones by the old threshold only":     {framework.Threshold, newcomers, []string{"rxw", "rje"}},
		"new ones by the new threshold only":     {framework.Threshold, newcomers, []string{"rj1", "rj2"}},
		"new ones by both thresholds":            {"", newcomers, []string{"rxw", "rje", "rj1"}},
		"a new key by the old one and another":   {framework.Threshold, rotated, []string{"rxw", "rje"}},
		"a new key by the new one and another":   {framework.Threshold, rotated, []string{"rxw/1", "rje"}},
		"a new key by the two that kept theirs":  {"", rotated, []string{"r0a", "rje"}},
		"a lower threshold by the new one alone": {framework.Threshold, func(d *framework.Document) { d.Governance.Threshold = 1 }, []string{"rxw"}},
		"a higher threshold by the old one":      {framework.Threshold, func(d *framework.Document) { d.Governance.Threshold = 3 }, []string{"rxw", "rje"}},
		"a version gap":                          {framework.VersionGap, func(d *framework.Document) { d.Version = 3 }, []string{"rxw", "rje"}},
		"the same version":                       {framework.NotNewer, func(d *framework.Document) { d.Version, d.Previous = 1, "" }, []string{"rxw", "rje", "r0a"}},
		"another previous":                       {framework.PreviousMismatch, func(d *framework.Document) { d.Previous = framework.Hash(nil) }, []string{"rxw", "rje"}},
		"an expired one":                         {framework.Expired, func(d *framework.Document) { d.Expires = now }, []string{"rxw", "rje"}},
	} {
		signed := sign(t, next(s, c.change), c.names...)
		events, err := s.Receive(framework.Facts{}, signed, participant(t, "rje"), now)
		if c.rule != "" {
			refused(t, what, c.rule, events, err)
		} else if err != nil || len(events) != 1 {
			t.Errorf("%s: got %v, %v", what, events, err)
		}
	}
}

// R1: a lower version is refused.
func TestLowerVersionIsRefused(t *testing.T) {
	s := adopted(t, framework.State{}, document(t), "rxw", "rje", "r0a")
	first := s.Current.Signed
	s = adopted(t, s, next(s, nil), "rxw", "rje")
	events, err := s.Receive(framework.Facts{}, first, participant(t, "rje"), now)
	refused(t, "version 1 after 2", framework.NotNewer, events, err)
}

func TestFirstHereMustBeConfirmed(t *testing.T) {
	s := adopted(t, framework.State{}, document(t), "rxw", "rje", "r0a")
	signed := sign(t, next(s, nil), "rxw", "rje")
	hash := framework.Hash(signed.Bytes)
	for what, c := range map[string]struct {
		rule   framework.Rule
		signed framework.Signed
		facts  framework.Facts
	}{
		"version 2, confirmed":                 {"", signed, framework.Facts{ConfirmedHashes: []string{"00", hash}}},
		"version 2, nothing confirmed":         {framework.Unconfirmed, signed, framework.Facts{}},
		"version 2, another confirmed":         {framework.Unconfirmed, signed, framework.Facts{ConfirmedHashes: []string{s.Current.Hash}}},
		"version 2, below its own threshold":   {framework.Threshold, sign(t, next(s, nil), "rxw"), framework.Facts{ConfirmedHashes: []string{hash}}},
		"version 1, another confirmed":         {framework.Unconfirmed, s.Current.Signed, framework.Facts{ConfirmedHashes: []string{hash}}},
		"version 1, confirmed":                 {"", s.Current.Signed, framework.Facts{ConfirmedHashes: []string{s.Current.Hash}}},
		"version 1, confirmed, not all signed": {framework.Threshold, sign(t, document(t), "rxw", "rje"), framework.Facts{ConfirmedHashes: []string{s.Current.Hash}}},
	} {
		events, err := framework.State{}.Receive(c.facts, c.signed, participant(t, "rxw"), now)
		if c.rule != "" {
			refused(t, what, c.rule, events, err)
		} else if err != nil || len(events) != 1 {
			t.Errorf("%s: got %v, %v", what, events, err)
		}
	}
}

// Scenario 11: nothing is in force before a local person accepts it.
func TestReceivedWaitsForALocalOperator(t *testing.T) {
	signed := sign(t, document(t), "rxw", "rje", "r0a")
	hash := framework.Hash(signed.Bytes)
	if _, err := (framework.State{}).Adopt(framework.Facts{}, hash, by, now); trust.KindOf(err) != trust.NotFound {
		t.Errorf("adopting what was not received gave %v", err)
	}
	s := apply(t, framework.State{})(framework.State{}.Receive(framework.Facts{}, signed, participant(t, "rje"), now))
	if waiting, ok := s.Pending(hash); s.Current != nil || !ok || waiting.From != participant(t, "rje") || waiting.Version != 1 {
		t.Fatalf("got %+v", s)
	}
	if events, err := s.Receive(framework.Facts{}, signed, participant(t, "r0a"), now); events != nil || err != nil {
		t.Errorf("receiving it again gave %v, %v", events, err)
	}
	if _, err := s.Adopt(framework.Facts{}, hash, "", now); trust.KindOf(err) != trust.Invalid {
		t.Errorf("adopted by nobody: %v", err)
	}
	events, err := s.Adopt(framework.Facts{}, hash, by, now+1000)
	refused(t, "expired while it waited", framework.Expired, events, err)
	s = apply(t, s)(s.Adopt(framework.Facts{}, hash, by, now))
	if _, waits := s.Pending(hash); waits || s.Current == nil || s.Current.Hash != hash {
		t.Errorf("got %+v", s)
	}
	if events, err := s.Adopt(framework.Facts{}, hash, by, now); events != nil || err != nil {
		t.Errorf("adopting it again gave %v, %v", events, err)
	}
	if events, err := s.Receive(framework.Facts{}, signed, participant(t, "r0a"), now); events != nil || err != nil {
		t.Errorf("receiving what is in force gave %v, %v", events, err)
	}
}

func TestOneOfTwoRivalsIsAdopted(t *testing.T) {
	s := adopted(t, framework.State{}, document(t), "rxw", "rje", "r0a")
	one := sign(t, next(s, nil), "rxw", "rje")
	two := sign(t, next(s, func(d *framework.Document) { d.Summary = "a rival" }), "rje", "r0a")
	s = apply(t, s)(s.Receive(framework.Facts{}, one, trust.ParticipantID{}, now))
	s = apply(t, s)(s.Receive(framework.Facts{}, two, trust.ParticipantID{}, now))
	if len(s.Waiting) != 2 {
		t.Fatalf("%d wait", len(s.Waiting))
	}
	s = apply(t, s)(s.Adopt(framework.Facts{}, framework.Hash(two.Bytes), by, now))
	if s.Current.Document.Summary != "a rival" || len(s.Waiting) != 0 {
		t.Errorf("got %+v", s)
	}
	events, err := s.Receive(framework.Facts{}, one, trust.ParticipantID{}, now)
	refused(t, "the other rival", framework.NotNewer, events, err)
}
