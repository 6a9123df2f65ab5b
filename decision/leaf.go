package decision

import (
	"bytes"
	"encoding/hex"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

// EntryKind is the kind of a decision's entry in the decision log.
var EntryKind = trust.Kind{Name: "decision.made", Version: 1}

// Commit is what a leaf says instead of what it must not say: HMACs under the
// node's index key, cut to 16 bytes.
type Commit struct {
	Resource [16]byte // of (resource type, resource id)
	Token    [16]byte // of the token's hash; zero without a token
}

// Leaf is the body of a decision's entry: what was decided, by what and on what
// ground. It holds no subject, no resource id and no word of the token. Words
// of the request that are no plain words are left out; the sealed part has them.
// Which framework and which local policy were in force, the trust entry says.
type Leaf struct {
	Action           trust.Action        `json:"action,omitempty"`
	Actor            *Leaf               `json:"actor,omitempty"`       // what the actor of a chain may on its own
	Agreement        string              `json:"agreement,omitempty"`   // random id
	Approval         string              `json:"approval,omitempty"`    // that the action waits for, or is done by
	Assurance        []uint16            `json:"assurance,omitempty"`   // a framework.Vector; bytes would be written as base64
	BreakGlass       string              `json:"break_glass,omitempty"` // the emergency access by which it is done, or whose review is waited for
	Chain            []LeafHop           `json:"chain,omitempty"`
	Checks           string              `json:"checks"` // a letter each, in order, up to the one that decided: p passed, n nothing to check, f failed, - left out
	Class            trust.Class         `json:"class,omitempty"`
	Credential       string              `json:"credential,omitempty"` // the jti of the one of our own that was presented
	Duty             trust.Position      `json:"duty,omitzero"`        // the trust entry that was appended for this decision
	EnforcementPoint string              `json:"enforcement_point"`
	Evidence         evidence.Kind       `json:"evidence,omitempty"`
	Exception        string              `json:"exception,omitempty"` // the name of the one that waived a check
	Issuer           trust.IssuerID      `json:"issuer,omitzero"`
	Key              string              `json:"key,omitempty"` // RFC 7638 thumbprint
	Observed         Seen                `json:"observed"`
	Origin           trust.IssuerID      `json:"origin,omitzero"`      // whose word the issuer, a broker, restated
	OriginKey        string              `json:"origin_key,omitempty"` // RFC 7638 thumbprint; empty where the origin signed nothing
	OriginSubject    *trust.SubjectKey   `json:"origin_subject,omitempty"`
	Outcome          string              `json:"outcome"` // permit or deny
	Participant      trust.ParticipantID `json:"participant,omitzero"`
	Policies         []string            `json:"policies,omitempty"`
	Purpose          trust.Purpose       `json:"purpose,omitempty"`
	Reason           trust.Reason        `json:"reason"`
	Resource         string              `json:"resource"` // 32 hexadecimal digits
	ResourceType     trust.ResourceType  `json:"resource_type,omitempty"`
	Revision         int                 `json:"revision,omitzero"`
	Roles            []trust.Role        `json:"roles,omitempty"`
	Session          bool                `json:"session,omitzero"` // its end is told on the watch stream
	Subject          *trust.SubjectKey   `json:"subject,omitempty"`
	Tier             trust.Tier          `json:"tier,omitempty"`
	Token            string              `json:"token,omitempty"` // 32 hexadecimal digits
	Trust            trust.Position      `json:"trust"`
	TTL              int64               `json:"ttl,omitzero"`
}

// Seen is Observed as a leaf has it; the subject stands beside it.
type Seen struct {
	BundleAge     int64             `json:"bundle_age,omitzero"`
	Chain         []Seen            `json:"chain,omitempty"` // of each link, then of the actor
	Device        *trust.SubjectKey `json:"device,omitempty"`
	FeedAge       int64             `json:"feed_age,omitzero"`
	Monitored     bool              `json:"monitored,omitzero"`
	Nonce         Nonce             `json:"nonce,omitempty"`
	Now           int64             `json:"now"`
	PartnerAge    int64             `json:"partner_age"`
	Person        *trust.SubjectKey `json:"person,omitempty"`
	ProofReplayed bool              `json:"proof_replayed,omitzero"`
	QuotaFull     bool              `json:"quota_full,omitzero"`
	Replayed      bool              `json:"replayed,omitzero"`
	Session       *trust.SubjectKey `json:"session,omitempty"`
	Spent         bool              `json:"spent,omitzero"`
	StatementAge  int64             `json:"statement_age"`
	StatementEnd  int64             `json:"statement_end,omitzero"`
	Unnamed       bool              `json:"unnamed,omitzero"`
	Unsure        bool              `json:"unsure,omitzero"`
	Watched       bool              `json:"watched,omitzero"`
}

// AppendLeaf appends the leaf of d as canonical JSON (RFC 8785).
func AppendLeaf(dst []byte, d *Decision, o *Observed, ev *Evidence, r *Request, index Commit) []byte {
	w := writer{dst: append(dst, '{'), resource: index.Resource}
	w.ground(d, o, ev, r)
	w.observed(o)
	w.answer(d, o, ev, r, index)
	return w.end(d.Trust, d.TTL)
}

// ground writes the members that sort before observed.
func (w *writer) ground(d *Decision, o *Observed, ev *Evidence, r *Request) {
	w.word("action", string(r.Action))
	w.actor(d, o, ev, r)
	w.text("agreement", d.Agreement)
	w.text("approval", d.Approval)
	if ev.verified() {
		w.levels("assurance", ev.Assurance)
	}
	w.text("break_glass", d.BreakGlass)
	w.chain(o, ev)
	w.checks(d)
	w.text("class", string(ev.Class))
	if ev.Grant != nil {
		w.text("credential", ev.Grant.ID)
	}
	if o.Duty != (trust.Position{}) {
		w.position("duty", o.Duty)
	}
	w.name("enforcement_point")
	w.dst = canonical.AppendString(w.dst, r.EnforcementPoint)
	w.word("evidence", string(ev.Kind))
	w.text("exception", ev.Exception)
	w.text("issuer", ev.Issuer.String())
	w.text("key", ev.Thumbprint)
}

// answer writes the members between observed and trust.
func (w *writer) answer(d *Decision, o *Observed, ev *Evidence, r *Request, index Commit) {
	if origin := ev.Origin; origin != nil {
		w.text("origin", origin.Issuer.String())
		w.text("origin_key", origin.Thumbprint)
		if ev.verified() {
			w.hex("origin_subject", o.Origin)
		}
	}
	w.name("outcome")
	w.dst = append(w.dst, outcome(d.Permit)...)
	w.text("participant", ev.Participant.String())
	list(w, "policies", d.Policies)
	w.word("purpose", string(r.Purpose))
	w.text("reason", string(d.Reason))
	w.hex("resource", index.Resource)
	w.word("resource_type", string(r.ResourceType))
	w.number("revision", int64(d.Revision))
	list(w, "roles", d.Roles)
	w.flag("session", r.Session)
	if ev.verified() {
		w.hex("subject", o.Subject)
	}
	w.text("tier", string(d.Tier))
	if index.Token != [16]byte{} {
		w.hex("token", index.Token)
	}
}

// end writes the members from trust on.
func (w *writer) end(at trust.Position, ttl int64) []byte {
	w.position("trust", at)
	w.number("ttl", ttl)
	return append(w.dst, '}')
}

func (w *writer) position(name string, p trust.Position) {
	w.name(name)
	w.dst = canonical.AppendInt(append(w.dst, `{"epoch":`...), int64(p.Epoch))
	w.dst = canonical.AppendInt(append(w.dst, `,"n":`...), int64(p.N))
	w.dst = append(w.dst, '}')
}

func outcome(permit bool) string {
	if permit {
		return `"permit"`
	}
	return `"deny"`
}

// ParseLeaf reads what AppendLeaf wrote. It fails with Invalid.
func ParseLeaf(body []byte) (Leaf, error) {
	var l Leaf
	if err := canonical.Decode(body, &l); err != nil {
		return Leaf{}, err
	}
	return l, l.check()
}

func (l *Leaf) check() error {
	if len(l.Checks) == 0 || len(l.Checks) > checks || strings.Trim(l.Checks, "pnf-") != "" {
		return trust.Errorf(trust.Invalid, "decision's checks %q are not one to ten of p, n, f and -", l.Checks)
	}
	return nil
}

// Results gives the recorded result of every check; those behind the one that
// decided were not reached.
func (l Leaf) Results() [checks]Check {
	var all [checks]Check
	for i := range all {
		all[i] = Check{Name: Names[i], Result: NotReached}
		if i >= len(l.Checks) {
			continue
		}
		switch l.Checks[i] {
		case 'p':
			all[i].Result = Passed
		case 'n':
			all[i].Result = NotNeeded
		case 'f':
			all[i].Result, all[i].Reason = Failed, l.Reason
		}
	}
	return all
}

// Whose gives the participant that answers for the verified caller of a decision,
// from the body of its entry without reading all of it; nothing where nobody was
// verified, and for an entry of another kind.
func Whose(body []byte) (participant []byte, ok bool) {
	const outcome, mark, subject = `"outcome":"`, `"participant":"`, `"subject":"`
	i := bytes.LastIndex(body, []byte(outcome)) // that of an actor stands before
	if i < 0 {
		return nil, false
	}
	_, rest, _ := bytes.Cut(body[i+len(outcome):], []byte(`",`))
	rest, ok = bytes.CutPrefix(rest, []byte(mark))
	participant, rest, _ = bytes.Cut(rest, []byte{'"'})
	return participant, ok && bytes.Contains(rest, []byte(subject))
}

// Permit reports whether the decision was a permit.
func (l Leaf) Permit() bool { return l.Outcome == "permit" }

// writer appends the members of an object. Empty ones are left out.
type writer struct {
	dst      []byte
	resource [16]byte // what a leaf says in place of the resource
}

func (w *writer) name(name string) {
	if w.dst[len(w.dst)-1] != '{' {
		w.dst = append(w.dst, ',')
	}
	w.dst = append(w.dst, '"')
	w.dst = append(w.dst, name...)
	w.dst = append(w.dst, '"', ':')
}

func (w *writer) text(name, value string) {
	if value != "" {
		w.name(name)
		w.dst = canonical.AppendString(w.dst, value)
	}
}

// word leaves out what could be anything: an enforcement point's mistake must
// not put a person's name into the log for ever.
func (w *writer) word(name, value string) {
	if isWord(value) {
		w.text(name, value)
	}
}

// isWord: up to 128 letters, digits and the marks that codes are written with.
func isWord(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == ':', c == '.', c == '/':
		default:
			return false
		}
	}
	return len(s) <= 128
}

func (w *writer) number(name string, n int64) {
	if n != 0 {
		w.name(name)
		w.dst = canonical.AppendInt(w.dst, n)
	}
}

func (w *writer) hex(name string, value [16]byte) {
	w.name(name)
	w.dst = appendHex(w.dst, value)
}

// key leaves a zero one out.
func (w *writer) key(name string, k trust.SubjectKey) {
	if k != (trust.SubjectKey{}) {
		w.hex(name, k)
	}
}

func appendHex(dst []byte, value [16]byte) []byte {
	return append(hex.AppendEncode(append(dst, '"'), value[:]), '"')
}

func (w *writer) levels(name string, v framework.Vector) {
	w.name(name)
	for i, level := range v {
		w.dst = append(w.dst, "[,"[min(i, 1)])
		w.dst = canonical.AppendInt(w.dst, int64(level))
	}
	w.dst = append(w.dst, ']')
}

func (w *writer) checks(d *Decision) {
	w.name("checks")
	w.dst = append(w.dst, '"')
	for i := range d.Decided + 1 {
		letter := byte('-')
		switch d.Checks[i].Result {
		case Passed:
			letter = 'p'
		case Failed:
			letter = 'f'
		case NotNeeded:
			letter = 'n'
		case NotReached:
		}
		w.dst = append(w.dst, letter)
	}
	w.dst = append(w.dst, '"')
}

func (w *writer) observed(o *Observed) {
	w.name("observed")
	w.sight(o)
}

func (w *writer) sight(o *Observed) {
	w.dst = append(w.dst, '{')
	w.number("bundle_age", o.BundleAge)
	w.seen(o.Chain)
	w.key("device", o.Device)
	w.number("feed_age", o.FeedAge)
	w.flag("monitored", o.Monitored)
	w.text("nonce", string(o.Nonce))
	w.name("now")
	w.dst = canonical.AppendInt(w.dst, o.Now)
	w.dst = canonical.AppendInt(append(w.dst, `,"partner_age":`...), o.PartnerAge)
	w.key("person", o.Person)
	w.flag("proof_replayed", o.ProofReplayed)
	w.flag("quota_full", o.QuotaFull)
	w.flag("replayed", o.Replayed)
	w.key("session", o.Session)
	w.flag("spent", o.Spent)
	w.dst = canonical.AppendInt(append(w.dst, `,"statement_age":`...), o.StatementAge)
	w.number("statement_end", o.StatementEnd)
	w.flag("unnamed", o.Unnamed)
	w.flag("unsure", o.Unsure)
	w.flag("watched", o.Watched)
	w.dst = append(w.dst, '}')
}

// observed gives back what was observed, but for the subject.
func (s *Seen) observed() Observed {
	o := Observed{
		Now: s.Now, PartnerAge: s.PartnerAge, Replayed: s.Replayed, StatementAge: s.StatementAge, StatementEnd: s.StatementEnd,
		Nonce: s.Nonce, ProofReplayed: s.ProofReplayed, QuotaFull: s.QuotaFull, BundleAge: s.BundleAge, FeedAge: s.FeedAge, Unsure: s.Unsure, Watched: s.Watched,
		Monitored: s.Monitored, Spent: s.Spent, Unnamed: s.Unnamed,
	}
	if s.Person != nil {
		o.Person = *s.Person
	}
	if s.Session != nil {
		o.Session = *s.Session
	}
	if s.Device != nil {
		o.Device = *s.Device
	}
	return o
}

func list[T ~string](w *writer, name string, values []T) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	for i, v := range values {
		w.dst = append(w.dst, "[,"[min(i, 1)])
		w.dst = canonical.AppendString(w.dst, string(v))
	}
	w.dst = append(w.dst, ']')
}
