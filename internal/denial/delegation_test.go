package denial_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/trust"
)

// chain is what a caller brings who acts for somebody else, before it is sealed:
// the principal's token, the links and the caller's own token.
type chain struct {
	root, actor *draft
	links       []*draft
	arrange     func([]brought) []brought // what becomes of the sealed pieces
}

// brought is one piece of evidence.
type brought struct {
	kind  evidence.Kind
	token string
}

// goodChain has the nurse let agent-1 act, which lets agent-2, and so on; the
// last one calls.
func (w *world) goodChain(links int) *chain {
	c := &chain{root: w.good(profiles(w)[evidence.AccessToken])}
	issuer, sub := w.idp, "nurse-1"
	c.root.claims["sub"] = sub
	for i := range links {
		to := fmt.Sprintf("agent-%d", i+1)
		c.links = append(c.links, w.link(issuer, sub, to, i, links-1-i))
		issuer, sub = w.agents, to
	}
	c.actor = w.good(profiles(w)[evidence.AccessToken])
	from(w.agents)(c.actor)
	c.actor.claims["sub"] = sub
	return c
}

// link is the one behind so many others. Each ends earlier than the one before,
// whatever second it is made in.
func (w *world) link(issuer *issuer, from, to string, behind, depth int) *draft {
	now, s := w.host.Now(), issuer.signers[0]
	return &draft{
		header: object{"alg": string(s.key.Alg()), "kid": s.key.KeyID(), "typ": delegation.Type}, signer: s,
		claims: object{
			"iss": issuer.URL, "sub": from, "may_act": object{"iss": w.agents.URL, "sub": to}, "aud": w.ward.Audience, "depth": depth,
			"authorization_details": []any{object{"type": "WardRecord", "actions": []any{"read"}}},
			"iat":                   now - 5, "exp": now + 300 - 5*int64(behind), "jti": fmt.Sprint(serial.Add(1)), "id_assurance_level": "3", "authentication_assurance_level": "3",
		},
	}
}

// commit is what a link says of the token before it.
func commit(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// seal signs the pieces; a link that says nothing of what stands before it
// commits to it.
func (c *chain) seal() []brought {
	all := []brought{{evidence.AccessToken, c.root.token()}}
	for _, l := range c.links {
		right := commit(all[len(all)-1].token)
		if change, ok := l.claims["parent"].(func(string) any); ok {
			put(l.claims, "parent", change(right))
		} else if _, stated := l.claims["parent"]; !stated {
			l.claims["parent"] = right
		}
		all = append(all, brought{evidence.Delegation, l.token()})
	}
	all = append(all, brought{evidence.AccessToken, c.actor.token()})
	if c.arrange != nil {
		all = c.arrange(all)
	}
	return all
}

// crooked is one way in which a chain is not as it must be.
type crooked struct {
	rule, name string
	do         func(*chain)
	want       []trust.Reason // any of them; none is a control
}

func onLink(i int, do func(*draft)) func(*chain) { return func(c *chain) { do(c.links[i]) } }

func claim(name string, value any) func(*draft) { return func(d *draft) { put(d.claims, name, value) } }

// chainCases: each hop commits to its parent; scope, audience, expiry and depth
// never grow.
func (w *world) chainCases() (all []crooked) {
	rule := ""
	add := func(name string, do func(*chain), want ...trust.Reason) {
		all = append(all, crooked{rule, name, do, want})
	}
	scope := func(details ...any) func(*draft) { return claim("authorization_details", details) }
	detail := func(typ, id string, actions ...any) object {
		o := object{"type": typ, "actions": actions}
		if id != "" {
			o["identifier"] = id
		}
		return o
	}
	add("control: two links", func(*chain) {})

	rule = "chain splicing"
	add("link of the next token", onLink(0, claim("parent", commit("another token"))), trust.LinkParent)
	add("link behind another link", onLink(1, claim("parent", commit("another link"))), trust.LinkParent)
	add("second link behind the token", func(c *chain) { c.links[1].claims["parent"] = commit(c.root.token()) }, trust.LinkParent)
	for name, arrange := range map[string]struct {
		do   func([]brought) []brought
		want trust.Reason
	}{
		"first link removed":         {func(b []brought) []brought { return slices.Delete(b, 1, 2) }, trust.LinkPrincipal},
		"last link removed":          {func(b []brought) []brought { return slices.Delete(b, 2, 3) }, trust.NotTheActor},
		"every link removed":         {func(b []brought) []brought { return slices.Delete(b, 1, 3) }, trust.NotTheActor},
		"links reordered":            {func(b []brought) []brought { b[1], b[2] = b[2], b[1]; return b }, trust.LinkPrincipal},
		"first link twice":           {func(b []brought) []brought { return slices.Insert(b, 2, b[1]) }, trust.LinkHop},
		"last link twice":            {func(b []brought) []brought { return slices.Insert(b, 3, b[2]) }, trust.LinkHop},
		"caller's token among links": {func(b []brought) []brought { return slices.Insert(b, 2, b[3]) }, trust.LinkMalformed},
		"caller's token as a link":   {func(b []brought) []brought { b[1].token = b[3].token; return b }, trust.LinkMalformed},
		"link as a token":            {func(b []brought) []brought { b[1].kind = evidence.AccessToken; return b }, trust.LinkMalformed},
		"no caller":                  {func(b []brought) []brought { return b[:3] }, trust.ActorProof},
		"link as the caller's token": {func(b []brought) []brought { b[3].token = b[2].token; return b }, trust.ActorProof},
		"principal as the caller":    {func(b []brought) []brought { b[3] = b[0]; return b }, trust.NotTheActor},
		"rubbish as the caller":      {func(b []brought) []brought { b[3].token = "rubbish"; return b }, trust.ActorProof},
		"rubbish as a link":          {func(b []brought) []brought { b[2].token = "rubbish"; return b }, trust.LinkMalformed},
		"link as the principal":      {func(b []brought) []brought { return b[1:] }, trust.EvidenceKind},
		"link as its token":          {func(b []brought) []brought { b[0].token = b[1].token; return b }, trust.TokenType},
		"caller as the principal":    {func(b []brought) []brought { b[0] = b[3]; return b }, trust.NoPrincipal},
	} {
		want := []trust.Reason{arrange.want}
		switch arrange.want {
		case trust.EvidenceKind:
			want = append(want, trust.EvidenceMalformed, trust.TokenType) // a service says that it is a token
		case trust.TokenType:
			want = append(want, trust.EvidenceMalformed)
		case trust.LinkMalformed:
			if strings.HasPrefix(name, "link as") || strings.HasPrefix(name, "caller's token among") {
				want = append(want, "service") // whose header says of each piece what it is
			}
		}
		add(name, func(c *chain) { c.arrange = arrange.do }, want...)
	}
	add("another principal", func(c *chain) { c.root.claims["sub"] = "nurse-2" }, trust.LinkPrincipal)
	add("principal's name at another issuer", func(c *chain) { from(w.second)(c.root) }, trust.LinkPrincipal)
	add("link of another subject", onLink(1, claim("sub", "agent-9")), trust.LinkHop)
	add("link of another issuer", onLink(1, from(w.idp)), trust.LinkHop)
	add("link of another participant", onLink(1, from(w.foreign)), trust.LinkHop)
	add("link of nobody's issuer", onLink(1, from(w.stranger)), trust.LinkSignature)
	add("link signed with the principal's key", onLink(1, func(d *draft) { d.signer = w.idp.signers[0] }), trust.LinkSignature)
	add("link signed with the caller's issuer's key", onLink(0, func(d *draft) { d.signer = w.agents.signers[0] }), trust.LinkSignature)
	for how, miss := range nearMisses(w.agents.URL) {
		add("link's iss "+how, onLink(1, claim("iss", miss)), trust.LinkSignature)
		add("link to iss "+how, onLink(1, claim("may_act", object{"iss": miss, "sub": "agent-2"})), trust.NotTheActor, trust.LinkMalformed)
	}
	for _, sub := range []string{"agent-20", "agent-", "AGENT-2", "agent-2 ", "*", "agent-1,agent-2", "ａgent-2"} {
		add(fmt.Sprintf("another caller: %q", sub), func(c *chain) { c.actor.claims["sub"] = sub }, trust.NotTheActor)
	}
	add("caller's name at another issuer", func(c *chain) { from(w.idp)(c.actor) }, trust.NotTheActor)
	add("back to the principal", onLink(1, claim("may_act", object{"iss": w.idp.URL, "sub": "nurse-1"})), trust.ChainCycle)
	add("to itself", onLink(1, claim("may_act", object{"iss": w.agents.URL, "sub": "agent-1"})), trust.ChainCycle)

	rule = "scope widening"
	add("another action", onLink(1, scope(detail("WardRecord", "", "read", "write"))), trust.LinkScope)
	add("the action in capitals", onLink(1, scope(detail("WardRecord", "", "READ"))), trust.LinkScope)
	add("any action", onLink(1, scope(detail("WardRecord", "", "*"))), trust.LinkScope)
	add("another type", onLink(1, scope(detail("Letter", "", "read"))), trust.LinkScope)
	add("another type beside", onLink(1, scope(detail("WardRecord", "", "read"), detail("Letter", "", "read"))), trust.LinkScope)
	narrow := func(second any) func(*chain) {
		return func(c *chain) {
			scope(detail("WardRecord", "42", "read"))(c.links[0])
			scope(second)(c.links[1])
		}
	}
	add("control: the one record", narrow(detail("WardRecord", "42", "read")))
	for _, id := range []string{"", "43", "4", "420", "*", "42 ", "42,43", "42/..", "４２"} {
		add(fmt.Sprintf("record %q of one", id), narrow(detail("WardRecord", id, "read")), trust.LinkScope)
	}
	add("control: one record of all", onLink(1, scope(detail("WardRecord", "42", "read"))))
	for i := range 2 {
		add(fmt.Sprintf("another record by link %d", i+1), func(c *chain) {
			for _, l := range c.links[i:] {
				scope(detail("WardRecord", "43", "read"))(l)
			}
		}, trust.OutOfScope)
		add(fmt.Sprintf("another action by link %d", i+1), func(c *chain) {
			for n, l := range c.links {
				if scope(detail("WardRecord", "", "write"))(l); n < i {
					scope(detail("WardRecord", "", "read", "write"))(l)
				}
			}
		}, trust.OutOfScope)
	}
	for i := range 2 {
		for how, miss := range nearMisses(w.ward.Audience) {
			add(fmt.Sprintf("link %d for aud %s", i+1, how), onLink(i, claim("aud", miss)), trust.LinkAudience)
		}
		add(fmt.Sprintf("link %d for another service", i+1), onLink(i, claim("aud", pharmacy)), trust.LinkAudience)
	}
	add("caller's token for another service", func(c *chain) { c.actor.claims["aud"] = pharmacy }, trust.LinkAudience)
	add("first link lasts longer than the token", func(c *chain) { c.links[0].claims["exp"] = c.root.claims["exp"].(int64) + 1 }, trust.LinkExpiry)
	add("second link lasts longer than the first", func(c *chain) { c.links[1].claims["exp"] = c.links[0].claims["exp"].(int64) + 1 }, trust.LinkExpiry)
	for i := range 2 {
		add(fmt.Sprintf("link %d has expired", i+1), onLink(i, func(d *draft) { d.claims["iat"], d.claims["exp"] = w.host.Now()-100, w.host.Now()-1 }), trust.LinkExpired)
		add(fmt.Sprintf("link %d is of the future", i+1), onLink(i, func(d *draft) { d.claims["iat"] = w.host.Now() + 45 }), trust.LinkNotYetValid)
	}
	add("caller's token has expired", func(c *chain) { c.actor.claims["exp"] = w.host.Now() }, trust.ActorProof)
	add("as deep as the link before", onLink(1, claim("depth", 1)), trust.ChainDepth)
	add("deeper than the link before", onLink(1, claim("depth", 7)), trust.ChainDepth)
	add("no more may follow", onLink(0, claim("depth", 0)), trust.ChainDepth)
	add("deeper than the agreement lets", func(c *chain) { *c = *w.goodChain(3) }, trust.ChainNotCovered)
	add("deeper than the class lets", func(c *chain) { *c = *w.goodChain(4) }, trust.ChainDepth)
	add("link that expires before it is issued", onLink(1, func(d *draft) { d.claims["iat"], d.claims["exp"] = w.host.Now()+20, w.host.Now()+10 }), trust.LinkMalformed)
	add("deeper than any", func(c *chain) { *c = *w.goodChain(8) }, trust.ChainDepth)
	add("more links than a chain has", func(c *chain) {
		*c = *w.goodChain(8)
		c.links = append(c.links, w.link(w.agents, "agent-8", "agent-9", 8, 0))
		c.actor.claims["sub"] = "agent-9"
	}, trust.ChainDepth, trust.EvidenceMalformed)

	rule = "who acts"
	add("agent in its own name", func(c *chain) { c.arrange = func(b []brought) []brought { return b[3:] } }, trust.NoPrincipal)
	add("agent for an agent", func(c *chain) {
		from(w.agents)(c.root)
		from(w.agents)(c.links[0])
		c.root.claims["sub"], c.links[0].claims["sub"] = "agent-0", "agent-0"
	}, trust.NoPrincipal)
	held := object{"iss": w.agents.URL, "sub": "agent-2", "cnf": object{"jkt": w.idp.signers[0].key.Thumbprint()}}
	add("caller that does not show its key", onLink(1, claim("may_act", held)), trust.LinkKey)
	add("link by another key than its hop is held to", onLink(0, claim("may_act", object{"iss": w.agents.URL, "sub": "agent-1", "cnf": held["cnf"]})), trust.LinkKey)
	add("control: link by the key that its hop is held to", onLink(0, claim("may_act", object{"iss": w.agents.URL, "sub": "agent-1", "cnf": object{"jkt": w.agents.signers[0].key.Thumbprint()}})))
	add("caller's token bound, nothing shown", func(c *chain) { c.actor.claims["cnf"] = held["cnf"] }, trust.ActorProof)
	add("caller's token used by another", func(c *chain) { c.actor.claims["act"] = object{"sub": "agent-3"} }, trust.ChainUnsupported)
	add("principal's token used by another", func(c *chain) { c.root.claims["act"] = object{"sub": "agent-3"} }, trust.ChainUnsupported)
	add("may_act for another", func(c *chain) { c.root.claims["may_act"] = object{"iss": w.agents.URL, "sub": "agent-9"} }, trust.NotTheActor)
	add("may_act for nobody", func(c *chain) { c.root.claims["may_act"] = object{} }, trust.NotTheActor)
	add("control: may_act for the first hop", func(c *chain) { c.root.claims["may_act"] = object{"iss": w.agents.URL, "sub": "agent-1"} })
	direct := func(mayAct any) func(*chain) {
		return func(c *chain) {
			c.links = nil
			put(c.root.claims, "may_act", mayAct)
		}
	}
	add("control: may_act alone", direct(object{"iss": w.agents.URL, "sub": "agent-2"}))
	for name, value := range map[string]any{
		"absent": absent, "null": nil, "a text": "agent-2", "without iss": object{"sub": "agent-2"}, "another's": object{"iss": w.agents.URL, "sub": "agent-3"},
		"without sub": object{"iss": w.agents.URL}, "a list": []any{object{"iss": w.agents.URL, "sub": "agent-2"}}, "of another issuer": object{"iss": w.foreign.URL, "sub": "agent-2"},
	} {
		add("may_act alone, "+name, direct(value), trust.NotTheActor)
	}
	stated := func(act any) func(*chain) {
		return func(c *chain) {
			c.root.claims["act"] = act
			c.arrange = func(b []brought) []brought { return b[:1] }
		}
	}
	by := func(iss string) object {
		return object{"iss": iss, "sub": "agent-2", "entity": "agent", "id_assurance_level": "3", "authentication_assurance_level": "3"}
	}
	add("control: act states an agent", stated(by(w.idp.URL)))
	for name, value := range map[string]any{"null": nil, "a text": "agent-2", "empty": object{}, "without sub": object{"iss": w.agents.URL}, "of no issuer": object{"iss": "agents", "sub": "agent-2"}, "a list": []any{object{"sub": "agent-2"}}} {
		add("act "+name, stated(value), trust.ChainUnsupported)
	}
	add("act states another issuer's subject", stated(by(w.agents.URL)), trust.ActorProof)
	add("act states nobody's level", stated(object{"sub": "agent-2", "entity": "agent"}), trust.ActorClass)
	add("the principal for itself", func(c *chain) {
		direct(object{"sub": "nurse-1"})(c)
		from(w.idp)(c.actor)
		c.actor.claims["sub"] = "nurse-1"
	}, trust.ChainCycle)
	add("a person whom nothing covers as a deputy", func(c *chain) {
		direct(object{"iss": w.foreign.URL, "sub": "agent-2"})(c)
		from(w.foreign)(c.actor)
	}, trust.ActorNotCovered)

	rule = "assurance along the path"
	for name, value := range map[string]any{"lower": "2", "absent": absent, "null": nil, "a list": []any{"3"}, "in words": "high", "a fraction": 3.5} {
		want := []trust.Reason{trust.LinkAssurance}
		if name == "a list" {
			want = nil // a member of a list counts, as of any token
		}
		add("hop's level "+name, onLink(1, claim("authentication_assurance_level", value)), want...)
		add("control: first link's level "+name, onLink(0, claim("authentication_assurance_level", value))) // the token says it
	}
	add("caller's level lower", func(c *chain) { c.actor.claims["authentication_assurance_level"] = "2" }, trust.ActorClass)
	return all
}

// asking is a question of many pieces.
func asking(all ...brought) []byte {
	q := question("", "")
	var pieces []any
	for _, b := range all {
		pieces = append(pieces, object{"type": string(b.kind), "value": b.token})
	}
	if pieces == nil {
		pieces = []any{}
	}
	in(q, "context")["evidence"] = pieces
	return must(json.Marshal(q))
}

// chainCalled calls the service as an agent does, and gives what it sees.
func (w *world) chainCalled(all []brought) (seen string, reason trust.Reason) {
	var before []string
	for _, b := range all[:len(all)-1] {
		before = append(before, b.token)
	}
	return w.calling(evidence.AccessToken, all[len(all)-1].token, func(r *http.Request) { r.Header.Set(pep.ChainHeader, strings.Join(before, ",")) })
}

// A chain that does not hold, is spoiled or gives its caller more than it was
// given is denied on every path, and looks outside as any other denial.
func TestDelegation(t *testing.T) {
	w := newWorld(t)
	uniform, _ := w.called(evidence.AccessToken, "rubbish")
	var asked tally
	cases := slices.Concat(w.layerCases(), w.linkClaimCases(), w.chainCases())
	var all []spoil
	for i := range cases {
		all = append(all, spoil{do: func(*draft) { w.tryChain(t, &asked, &cases[i], uniform) }})
	}
	each(t, all, func(s spoil) { s.do(nil) })
	for _, c := range cases[len(cases)-1:] { // nothing of it harmed the others
		good := w.goodChain(2).seal()
		if reason, err := w.decides(asking(good...)); reason != trust.Permit {
			t.Errorf("the good chain is denied after %s: %s (%v)", c.name, reason, err)
		}
	}
	w.linksAlone(t)
	w.endings(t)
	if n := asked.report(t); n < 600 {
		t.Errorf("the corpus of chains has %d cases by paths; it is to have 600", n)
	}
}

func (w *world) tryChain(t *testing.T, asked *tally, c *crooked, uniform string) {
	chain := w.goodChain(2)
	c.do(chain)
	all := chain.seal()
	want := c.want
	if len(want) == 0 {
		want = []trust.Reason{trust.Permit}
	}
	text := asking()
	whole, said := true, true
	for _, b := range all {
		whole = whole && validText(b.token)
		said = said && sayable(b.token) && !strings.Contains(b.token, ",")
	}
	if !whole {
		asked.one("evaluation")
		if answer := post(w.ask, "/access/v1/evaluation", w.point, rawChain(text, all)); answer.Code != http.StatusBadRequest {
			t.Errorf("%s: %s: evaluation answers %d %s; what is not UTF-8 is no question", c.rule, c.name, answer.Code, answer.Body)
		}
		return
	}
	for path, ask := range map[string]func([]byte) (trust.Reason, error){"evaluation": w.decides, "explanation": w.explains} {
		asked.one(path)
		if reason, err := ask(asking(all...)); !slices.Contains(want, reason) {
			t.Errorf("%s: %s: %s gives %q (%v), want one of %s", c.rule, c.name, path, reason, err, want)
		}
	}
	if !said || slices.Contains(want, "service") || len(all) < 2 {
		return
	}
	asked.one("service")
	seen, reason := w.chainCalled(all)
	if !slices.Contains(want, reason) || (seen == uniform) != (len(c.want) > 0) {
		t.Errorf("%s: %s: service gives %q, want one of %s; the caller sees\n%s\nand with rubbish\n%s", c.rule, c.name, reason, want, seen, uniform)
	}
}

// rawChain puts pieces into a question as bytes.
func rawChain(text []byte, all []brought) []byte {
	var pieces []string
	for _, b := range all {
		pieces = append(pieces, fmt.Sprintf(`{"type":%q,"value":"%s"}`, b.kind, b.token))
	}
	return []byte(strings.Replace(string(text), `"evidence":[]`, `"evidence":[`+strings.Join(pieces, ",")+`]`, 1))
}

// calling calls the service as a stranger does, and gives what he sees, but for
// the reference, and what the node told the service. Prepare may be nil.
func (w *world) calling(kind evidence.Kind, token string, prepare func(*http.Request)) (seen string, reason trust.Reason) {
	id := fmt.Sprintf("request-%d", serial.Add(1))
	r := httptest.NewRequest(http.MethodGet, "/wards/w7/records/42", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("X-Request-ID", id)
	if prepare != nil {
		prepare(r)
	}
	answer := httptest.NewRecorder()
	w.fronts[kind].ServeHTTP(answer, r)
	reference := answer.Header().Get(pep.DecisionHeader)
	answer.Header().Del(pep.DecisionHeader)
	var headers strings.Builder
	_ = answer.Header().Write(&headers)
	body := answer.Body.String()
	if reference != "" {
		body = strings.ReplaceAll(body, reference, "REFERENCE")
	}
	return fmt.Sprintf("%d\n%s\n%s", answer.Code, headers.String(), body), w.answers.of(id).Context.Reason
}
