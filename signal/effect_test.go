package signal_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

const now = 1_780_000_000

type object = canonical.Object

// set gives the claims of a good token about an event; with changes them, nil
// removes one.
func set(event signal.Type, content, with object) object {
	claims := object{
		"iss": "https://idp.example", "aud": "https://trust.example", "jti": "j1", "iat": int64(now),
		"sub_id": signal.SubjectOf("https://idp.example", "n1").Object(), "events": object{string(event): content},
	}
	for name, v := range with {
		claims[name] = v
		if v == nil {
			delete(claims, name)
		}
	}
	return claims
}

// facts take the levels of one namespace for rungs 0 to 3.
func facts(highRisk bool) *signal.Facts {
	speaks := func(claim string, l framework.Ladder) bool {
		return claim == "NIST-AAL" && l == framework.Authentication
	}
	return &signal.Facts{HighRisk: highRisk, Speaks: speaks, Assess: func(claims map[string]any) (v framework.Vector) {
		for i, level := range []string{"nist-aal1", "nist-aal2", "nist-aal3"} {
			if claims["NIST-AAL"] == level {
				v[1] = uint8(i + 1)
			}
		}
		return v
	}}
}

func cap1(level uint8) (m signal.Mark) {
	m.Caps[1] = signal.Cap{At: now, Level: level}
	return m
}

func TestEffects(t *testing.T) {
	off := signal.Switch{At: now, Off: true}
	both := cap1(0)
	both.Caps[0] = signal.Cap{At: now}
	tested := map[signal.Type]bool{}
	for _, c := range []struct {
		name    string
		event   signal.Type
		content object
		want    signal.Effect
	}{
		{"session revoked", signal.SessionRevoked, nil, signal.Effect{Mark: signal.Mark{SignedIn: now}}},
		{"sessions revoked", signal.SessionsRevoked, nil, signal.Effect{Mark: signal.Mark{SignedIn: now}}},
		{"credential compromised", signal.CredentialCompromise, nil, signal.Effect{Mark: signal.Mark{SignedIn: now}}},
		{"credential revoked", signal.CredentialChange, object{"change_type": "revoke"}, signal.Effect{Mark: signal.Mark{SignedIn: now}}},
		{"credential deleted", signal.CredentialChange, object{"change_type": "delete"}, signal.Effect{Mark: signal.Mark{SignedIn: now}}},
		{"credential made", signal.CredentialChange, object{"change_type": "create"}, signal.Effect{}},
		{"claims changed", signal.TokenClaimsChange, object{"claims": object{"role": "x"}}, signal.Effect{Mark: signal.Mark{Issued: now}}},
		{"level fell", signal.AssuranceLevelChange, object{"namespace": "NIST-AAL", "current_level": "nist-aal1", "change_direction": "decrease"}, signal.Effect{Mark: cap1(1)}},
		{"level rose", signal.AssuranceLevelChange, object{"namespace": "NIST-AAL", "current_level": "nist-aal2", "change_direction": "increase"}, signal.Effect{Mark: cap1(2), Raises: true}},
		{"level that nobody knows", signal.AssuranceLevelChange, object{"namespace": "house", "current_level": "gold"}, signal.Effect{Mark: both}},
		{"device unfit", signal.DeviceComplianceChange, object{"current_status": "not-compliant"}, signal.Effect{Mark: signal.Mark{Device: off}}},
		{"device fit", signal.DeviceComplianceChange, object{"current_status": "compliant"}, signal.Effect{Mark: signal.Mark{Device: signal.Switch{At: now}}, Raises: true}},
		{"high risk", signal.RiskLevelChange, object{"current_level": "HIGH"}, signal.Effect{Mark: signal.Mark{Risk: off}}},
		{"low risk", signal.RiskLevelChange, object{"current_level": "LOW"}, signal.Effect{Mark: signal.Mark{Risk: signal.Switch{At: now}}, Raises: true}},
		{"disabled", signal.AccountDisabled, nil, signal.Effect{Mark: signal.Mark{Account: off}}},
		{"hijacked", signal.AccountDisabled, object{"reason": "hijacking"}, signal.Effect{Mark: signal.Mark{Account: off, SignedIn: now}}},
		{"enabled", signal.AccountEnabled, nil, signal.Effect{Mark: signal.Mark{Account: signal.Switch{At: now}}, Raises: true}},
		{"purged", signal.AccountPurged, nil, signal.Effect{Ends: true}},
		{"changed", signal.IdentifierChanged, nil, signal.Effect{Ends: true}},
		{"recycled", signal.IdentifierRecycled, nil, signal.Effect{Ends: true}},
		{"established", signal.SessionEstablished, nil, signal.Effect{}},
		{"presented", signal.SessionPresented, nil, signal.Effect{}},
		{"change required", signal.AccountCredentialChangeRequired, nil, signal.Effect{}},
		{"recovery", signal.RecoveryActivated, nil, signal.Effect{}},
		{"recovery information", signal.RecoveryInformationChanged, nil, signal.Effect{}},
		{"opt in", signal.OptIn, nil, signal.Effect{}},
		{"opt out initiated", signal.OptOutInitiated, nil, signal.Effect{}},
		{"opt out cancelled", signal.OptOutCancelled, nil, signal.Effect{}},
		{"opt out", signal.OptOutEffective, nil, signal.Effect{}},
		{"verification", signal.Verification, nil, signal.Effect{}},
		{"stream updated", signal.StreamUpdated, nil, signal.Effect{}},
		{"of no kind", "https://schemas.example/hello", nil, signal.Effect{}},
	} {
		tested[c.event] = true
		token, refusal := signal.Read(set(c.event, nonNil(c.content), nil), now)
		if refusal != nil {
			t.Errorf("%s: %v", c.name, refusal)
			continue
		}
		if got, refusal := token.Effect(facts(true)); refusal != nil || got != c.want {
			t.Errorf("%s does %+v, %v; want %+v", c.name, got, refusal, c.want)
		}
	}
	for _, event := range signal.Types() {
		if !tested[event] {
			t.Errorf("%s has no row", event)
		}
	}
	token, _ := signal.Read(set(signal.RiskLevelChange, object{"current_level": "HIGH"}, nil), now)
	if got, _ := token.Effect(facts(false)); got != (signal.Effect{}) {
		t.Errorf("a high risk does %+v where it is only recorded", got)
	}
}

func nonNil(o object) object {
	if o == nil {
		return object{}
	}
	return o
}

func TestEffectsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		event   signal.Type
		content object
	}{
		"change of no type":  {signal.CredentialChange, object{}},
		"status of no kind":  {signal.DeviceComplianceChange, object{"current_status": "fine"}},
		"level of no kind":   {signal.RiskLevelChange, object{"current_level": "high"}},
		"level of no ladder": {signal.AssuranceLevelChange, object{"current_level": "nist-aal1"}},
		"ladder of no level": {signal.AssuranceLevelChange, object{"namespace": "NIST-AAL"}},
	} {
		token, refusal := signal.Read(set(c.event, c.content, nil), now)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if _, refusal := token.Effect(facts(true)); refusal == nil || refusal.Code != signal.InvalidRequest {
			t.Errorf("%s: %v", name, refusal)
		}
	}
}

func TestTokensRefused(t *testing.T) {
	good := signal.SubjectOf("https://idp.example", "n1").Object()
	for name, with := range map[string]object{
		"sub":                   {"sub": "n1"},
		"exp":                   {"exp": int64(now + 60)},
		"no iss":                {"iss": nil},
		"no jti":                {"jti": nil},
		"empty jti":             {"jti": ""},
		"no aud":                {"aud": nil},
		"two audiences":         {"aud": []any{"https://trust.example", "https://other.example"}},
		"no iat":                {"iat": nil},
		"iat in fractions":      {"iat": 1.5},
		"iat to come":           {"iat": int64(now + signal.Leeway + 1)},
		"toe to come":           {"toe": int64(now + signal.Leeway + 1)},
		"event to come":         {"events": object{string(signal.AccountEnabled): object{"event_timestamp": int64(now + signal.Leeway + 1)}}},
		"event in milliseconds": {"events": object{string(signal.AccountEnabled): object{"event_timestamp": int64(now) * 1000}}},
		"event at no time":      {"events": object{string(signal.AccountEnabled): object{"event_timestamp": "soon"}}},
		"no events":             {"events": object{}},
		"two events":            {"events": object{string(signal.AccountEnabled): object{}, string(signal.AccountDisabled): object{}}},
		"event is a text":       {"events": object{string(signal.AccountEnabled): "yes"}},
		"events are a list":     {"events": []any{string(signal.AccountEnabled)}},
		"no sub_id":             {"sub_id": nil},
		"sub_id in the event":   {"sub_id": nil, "events": object{string(signal.AccountEnabled): object{"subject": good}}},
	} {
		if token, refusal := signal.Read(set(signal.AccountEnabled, object{}, with), now); refusal == nil || refusal.Code != signal.InvalidRequest {
			t.Errorf("%s is read as %+v, %v", name, token, refusal)
		}
	}
	token, refusal := signal.Read(set(signal.AccountEnabled, object{"event_timestamp": int64(now - 9)}, object{"aud": []any{"https://trust.example"}, "toe": int64(now - 5)}), now)
	if refusal != nil || token.At != now-9 || token.Audience != "https://trust.example" {
		t.Errorf("a good one is read as %+v, %v", token, refusal)
	}
}

// placed gives the events of a random history about one subject, one of its
// sessions and one of its devices.
func placed(t *rapid.T) []signal.Received {
	keys := signal.Keys{Subjects: []trust.SubjectKey{{1}}}
	var all []signal.Received
	for range rapid.IntRange(1, 8).Draw(t, "events") {
		k := keys
		switch rapid.IntRange(0, 3).Draw(t, "about") {
		case 1:
			k.Session = trust.SubjectKey{2}
		case 2:
			k.Device = trust.SubjectKey{3}
		case 3:
			k = signal.Keys{Tenants: signal.IssuerKey("p", "i")}
		}
		event := rapid.SampledFrom([]struct {
			event   signal.Type
			content object
		}{
			{signal.SessionRevoked, object{}}, {signal.TokenClaimsChange, object{}}, {signal.AccountDisabled, object{}}, {signal.AccountDisabled, object{"reason": "hijacking"}},
			{signal.AccountEnabled, object{}}, {signal.DeviceComplianceChange, object{"current_status": "compliant"}}, {signal.DeviceComplianceChange, object{"current_status": "not-compliant"}},
			{signal.RiskLevelChange, object{"current_level": "HIGH"}}, {signal.RiskLevelChange, object{"current_level": "LOW"}},
			{signal.AssuranceLevelChange, object{"namespace": "NIST-AAL", "current_level": "nist-aal1", "change_direction": "decrease"}},
			{signal.AssuranceLevelChange, object{"namespace": "NIST-AAL", "current_level": "nist-aal3", "change_direction": "increase"}},
		}).Draw(t, "event")
		token, refusal := signal.Read(set(event.event, event.content, object{"iat": now - int64(rapid.IntRange(0, 3).Draw(t, "ago"))}), now)
		if refusal != nil {
			t.Fatal(refusal)
		}
		effect, refusal := token.Effect(facts(true))
		if refusal != nil {
			t.Fatal(refusal)
		}
		all = append(all, signal.Received{Type: token.Type, At: token.At, Marks: signal.Place(k, effect)})
	}
	return all
}

func fold(events []signal.Received) (s signal.State) {
	for _, e := range events {
		s = s.Apply(e, trust.Stamp{At: now})
	}
	return s
}

// What signals did does not depend on the order in which they came, nor on how
// often.
func TestEffectsDoNotDependOnDelivery(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := placed(t)
		other := rapid.Permutation(events).Draw(t, "order")
		other = append(other, other[:rapid.IntRange(0, len(other)).Draw(t, "repeated")]...)
		one, err := canonical.Marshal(fold(events))
		if err != nil {
			t.Fatal(err)
		}
		two, err := canonical.Marshal(fold(other))
		if err != nil || string(one) != string(two) {
			t.Fatalf("%s in one order, %s, %v in another", one, two, err)
		}
	})
}

// A late word that gives something back undoes nothing that was taken since.
func TestALateWord(t *testing.T) {
	disabled := signal.Received{Marks: []signal.Placed{{signal.AtSubject, trust.SubjectKey{1}, signal.Mark{Account: signal.Switch{At: now, Off: true}}}}}
	for at, ended := range map[int64]bool{now - 1: true, now: true, now + 1: false} {
		enabled := signal.Received{Marks: []signal.Placed{{signal.AtSubject, trust.SubjectKey{1}, signal.Mark{Account: signal.Switch{At: at}}}}}
		s := fold([]signal.Received{disabled, enabled})
		if reason, got := s.Verdict(&signal.Bearer{Subject: trust.SubjectKey{1}, IssuedAt: now}); got != ended {
			t.Errorf("enabled %d s after it was disabled: ended is %t (%s)", at-now, got, reason)
		}
	}
}

func TestVerdict(t *testing.T) {
	user, session, device := trust.SubjectKey{1}, trust.SubjectKey{2}, trust.SubjectKey{3}
	everybody := signal.IssuerKey("p", "i")
	bearer := signal.Bearer{Participant: "p", Issuer: "i", Subject: user, Session: session, Device: device, IssuedAt: now, AuthTime: now - 60}
	at := func(kind signal.PlaceKind, key trust.SubjectKey, m signal.Mark) signal.State {
		return fold([]signal.Received{{Marks: []signal.Placed{{kind, key, m}}}})
	}
	off := signal.Switch{At: now - 100, Off: true}
	for _, c := range []struct {
		name   string
		s      signal.State
		change func(*signal.Bearer)
		want   trust.Reason
	}{
		{"nothing", signal.State{}, nil, ""},
		{"signed in before", at(signal.AtSubject, user, signal.Mark{SignedIn: now - 60}), nil, trust.SessionOver},
		{"refreshed since", at(signal.AtSubject, user, signal.Mark{SignedIn: now - 1}), nil, trust.SessionOver},
		{"signed in since", at(signal.AtSubject, user, signal.Mark{SignedIn: now - 61}), nil, ""},
		{"signed in, it does not say when", at(signal.AtSubject, user, signal.Mark{SignedIn: now - 1}), func(b *signal.Bearer) { b.AuthTime = 0 }, ""},
		{"issued before, it does not say when signed in", at(signal.AtSubject, user, signal.Mark{SignedIn: now}), func(b *signal.Bearer) { b.AuthTime = 0 }, trust.SessionOver},
		{"another's", at(signal.AtSubject, user, signal.Mark{SignedIn: now}), func(b *signal.Bearer) { b.Subject = trust.SubjectKey{9} }, ""},
		{"claims of before", at(signal.AtSubject, user, signal.Mark{Issued: now}), nil, trust.ClaimsChanged},
		{"claims of since", at(signal.AtSubject, user, signal.Mark{Issued: now - 1}), nil, ""},
		{"disabled", at(signal.AtSubject, user, signal.Mark{Account: off}), nil, trust.SubjectDisabled},
		{"device of the user", at(signal.AtSubject, user, signal.Mark{Device: off}), nil, trust.DeviceUnfit},
		{"device", at(signal.AtDevice, device, signal.Mark{Device: off}), nil, trust.DeviceUnfit},
		{"another device", at(signal.AtDevice, device, signal.Mark{Device: off}), func(b *signal.Bearer) { b.Device = trust.SubjectKey{9} }, ""},
		{"device that it does not name", at(signal.AtSubject, user, signal.Mark{Deviceless: now}), func(b *signal.Bearer) { b.Device = trust.SubjectKey{} }, trust.SessionOver},
		{"device that it names", at(signal.AtSubject, user, signal.Mark{Deviceless: now}), nil, ""},
		{"risk", at(signal.AtSubject, user, signal.Mark{Risk: off}), nil, trust.RiskTooHigh},
		{"session", at(signal.AtSession, session, signal.Mark{SignedIn: 1}), nil, trust.SessionOver},
		{"another session", at(signal.AtSession, session, signal.Mark{SignedIn: now}), func(b *signal.Bearer) { b.Session = trust.SubjectKey{9} }, ""},
		{"session that it does not name", at(signal.AtSubject, user, signal.Mark{Sessionless: now}), func(b *signal.Bearer) { b.Session = trust.SubjectKey{} }, trust.SessionOver},
		{"session that it names", at(signal.AtSubject, user, signal.Mark{Sessionless: now}), nil, ""},
		{"everybody", at(signal.AtIssuer, everybody, signal.Mark{Account: off}), nil, trust.SubjectDisabled},
		{"everybody of another", at(signal.AtIssuer, everybody, signal.Mark{Account: off}), func(b *signal.Bearer) { b.Issuer = "j" }, ""},
	} {
		b := bearer
		if c.change != nil {
			c.change(&b)
		}
		if got, ended := c.s.Verdict(&b); got != c.want || ended != (c.want != "") {
			t.Errorf("%s: %q, %t; want %q", c.name, got, ended, c.want)
		}
	}
}

func TestCap(t *testing.T) {
	user := trust.SubjectKey{1}
	s := fold([]signal.Received{{Marks: []signal.Placed{{signal.AtSubject, user, cap1(1)}}}})
	for asserted, want := range map[uint8]uint8{0: 0, 1: 1, 3: 1} {
		if got := s.Cap(&signal.Bearer{Subject: user}, framework.Vector{2, asserted}); got != (framework.Vector{2, want}) {
			t.Errorf("%d asserted counts as %v", asserted, got)
		}
	}
	raised := cap1(3)
	raised.Caps[1].At++
	s = s.Apply(signal.Received{Marks: []signal.Placed{{signal.AtSubject, user, raised}}}, trust.Stamp{})
	if got := s.Cap(&signal.Bearer{Subject: user}, framework.Vector{2, 1}); got != (framework.Vector{2, 1}) {
		t.Errorf("raised, an assertion of 1 counts as %v", got) // never above what the issuer asserts
	}
}

func TestPlaces(t *testing.T) {
	user, session, device := trust.SubjectKey{1}, trust.SubjectKey{2}, trust.SubjectKey{3}
	over, fit := signal.Effect{Mark: signal.Mark{SignedIn: now}}, signal.Effect{Mark: signal.Mark{Device: signal.Switch{At: now}}, Raises: true}
	unfit := signal.Effect{Mark: signal.Mark{Device: signal.Switch{At: now, Off: true}}}
	for _, c := range []struct {
		name   string
		keys   signal.Keys
		effect signal.Effect
		want   []signal.Placed
	}{
		{"user", signal.Keys{Subjects: []trust.SubjectKey{user}}, over, []signal.Placed{{signal.AtSubject, user, over.Mark}}},
		{"session alone", signal.Keys{Session: session}, over, []signal.Placed{{signal.AtSession, session, over.Mark}}},
		{
			"session of a user", signal.Keys{Subjects: []trust.SubjectKey{user}, Session: session}, over,
			[]signal.Placed{{signal.AtSession, session, over.Mark}, {signal.AtSubject, user, signal.Mark{Sessionless: now}}},
		},
		{"device alone", signal.Keys{Device: device}, over, []signal.Placed{{signal.AtDevice, device, over.Mark}}},
		{"a user on a device", signal.Keys{Subjects: []trust.SubjectKey{user}, Device: device}, over, []signal.Placed{{signal.AtSubject, user, over.Mark}}},
		{
			"unfit device of a user", signal.Keys{Subjects: []trust.SubjectKey{user}, Device: device}, unfit,
			[]signal.Placed{{signal.AtDevice, device, unfit.Mark}, {signal.AtSubject, user, signal.Mark{Deviceless: now}}},
		},
		{"fit device of a user", signal.Keys{Subjects: []trust.SubjectKey{user}, Device: device}, fit, []signal.Placed{{signal.AtDevice, device, fit.Mark}}},
		{"everybody", signal.Keys{Tenants: user}, over, []signal.Placed{{signal.AtIssuer, user, over.Mark}}},
		{"narrowed", signal.Keys{Subjects: []trust.SubjectKey{user}, Narrowed: true}, over, []signal.Placed{{signal.AtSubject, user, over.Mark}}},
		{"narrowed, giving back", signal.Keys{Subjects: []trust.SubjectKey{user}, Narrowed: true}, fit, nil},
		{"nothing", signal.Keys{Subjects: []trust.SubjectKey{user}}, signal.Effect{}, nil},
	} {
		got := signal.Place(c.keys, c.effect)
		if len(got) != len(c.want) {
			t.Errorf("%s is placed %+v", c.name, got)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s is placed %+v, want %+v", c.name, got[i], c.want[i])
			}
		}
	}
}

func TestResolve(t *testing.T) {
	user := signal.SubjectOf("https://idp.example", "n1")
	parts := func(p map[signal.Member]signal.SubjectID) signal.SubjectID {
		return signal.SubjectID{Format: signal.Complex, Parts: p}
	}
	email := signal.SubjectID{Format: signal.Email, ID: "a@b.example"}
	for _, c := range []struct {
		name     string
		subject  signal.SubjectID
		critical []string
		ok       bool
		narrowed bool
	}{
		{"user", user, nil, true, false},
		{"address", email, nil, false, false}, // linking is by issuer and subject alone
		{"number", signal.SubjectID{Format: signal.PhoneNumber, ID: "+44"}, nil, false, false},
		{"opaque user", signal.OpaqueOf("n1"), nil, false, false},
		{"aliases", signal.SubjectID{Format: signal.Aliases, Aliases: []signal.SubjectID{email, user}}, nil, true, false},
		{"aliases that are addresses", signal.SubjectID{Format: signal.Aliases, Aliases: []signal.SubjectID{email}}, nil, false, false},
		{"session", parts(map[signal.Member]signal.SubjectID{signal.Session: signal.OpaqueOf("s")}), nil, true, false},
		{"user by address in a session", parts(map[signal.Member]signal.SubjectID{signal.Session: signal.OpaqueOf("s"), signal.User: email}), nil, false, false},
		{"group alone", parts(map[signal.Member]signal.SubjectID{signal.Group: signal.OpaqueOf("g")}), nil, false, false},
		{"user in a group", parts(map[signal.Member]signal.SubjectID{signal.Group: signal.OpaqueOf("g"), signal.User: user}), nil, true, true},
		{"user in a critical group", parts(map[signal.Member]signal.SubjectID{signal.Group: signal.OpaqueOf("g"), signal.User: user}), []string{"group"}, false, false},
		{"user in a critical session", parts(map[signal.Member]signal.SubjectID{signal.Session: signal.OpaqueOf("s"), signal.User: user}), []string{"session", "user"}, true, false},
	} {
		about, refusal := signal.Resolve(c.subject, c.critical)
		if (refusal == nil) != c.ok || about.Narrowed != c.narrowed {
			t.Errorf("%s: %+v, %v", c.name, about, refusal)
		}
	}
}

func FuzzToken(f *testing.F) {
	for _, claims := range []object{
		set(signal.AccountDisabled, object{"reason": "hijacking"}, nil), set(signal.SessionRevoked, object{"event_timestamp": int64(now)}, nil),
		set(signal.AssuranceLevelChange, object{"namespace": "NIST-AAL", "current_level": "nist-aal1"}, nil),
	} {
		text, err := canonical.Marshal(claims)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		claims, err := canonical.ParseObject(text)
		if err != nil {
			return
		}
		token, refusal := signal.Read(claims, now)
		if refusal != nil {
			return
		}
		if _, there := claims["sub"]; there || token.At > now+signal.Leeway || token.ID == "" || token.Audience == "" {
			t.Fatalf("%s is read as %+v", text, token)
		}
		about, refusal := signal.Resolve(token.Subject, nil)
		if refusal != nil {
			return
		}
		for _, user := range about.Users {
			if user.Format != signal.IssSub {
				t.Fatalf("%s links by %s", text, user.Format)
			}
		}
		if effect, refusal := token.Effect(facts(true)); refusal == nil && effect.Mark.Newest() > now+signal.Leeway {
			t.Fatalf("%s marks what is to come: %+v", text, effect)
		}
	})
}
