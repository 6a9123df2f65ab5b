package node

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"io"
	"sync"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/credential"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// StatusPath is where the status lists are, below the node's base address.
const StatusPath = "/oauth/statuslists/"

const (
	statusSize = 1 << 16        // statuses of one list
	statusFull = statusSize / 2 // a list with so many credentials takes no more: a free place is drawn, not sought
	statusLive = 1 << 18        // credentials in all lists; beyond that they are issued without a place
	// StatusTTL is for how many seconds a list may be kept; it counts for statusLife.
	StatusTTL  = 10
	statusLife = 60
	// maxCredential bounds, in seconds, how far back a start looks for credentials
	// that still live, where no framework says.
	maxCredential = 3600
)

// statusLists know which credential has which place. Nothing of them is kept on
// disk: a place stands in the entry that issued the credential, and what has
// ended the trust log says.
type statusLists struct {
	mu     sync.Mutex
	lists  map[string]*statusList
	open   *statusList // takes new credentials; nil: none does
	rows   int
	former sync.Once // what was issued before the start has been read
	// unplaced is when the last of the credentials expires that are not remembered
	// here, because too many are.
	unplaced int64
}

// statusList is one list. Its name and the places in it are random, so that two
// credentials of one person have nothing in common.
type statusList struct {
	name  string
	taken [statusSize / 64]uint64
	drawn int
	rows  []statusRow
	ends  int64 // when the last of its credentials expires

	token string // as it was signed on the snapshot epoch at the time made
	epoch uint64
	made  int64
}

type statusRow struct {
	id      string
	index   uint32
	expires int64
	*footing
}

// footing is what a credential's status is told by: shared by those that were
// issued on the same order. The client of its ground is the one they were issued
// to, with whom they end.
type footing struct {
	ground    decision.Ground
	made      decision.Observed
	agreement string // random id
}

// newFooting is of a credential of our own that was issued when the ledger had
// opened this epoch last behind a loss.
func newFooting(g decision.Ground, client string, epoch uint32, o *decision.Observed, agreement string) *footing {
	g.Client, g.Own, g.Epoch = client, true, epoch
	return &footing{g, *o, agreement}
}

func newStatusLists() *statusLists { return &statusLists{lists: map[string]*statusList{}} }

// place draws a place for a credential that is about to be issued; the zero
// place where there are as many as are remembered.
func (n *Node) place(now int64) (p decision.Place, err error) {
	l := n.statuses
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil || l.open.drawn >= statusFull {
		l.forget(now)
		if l.rows >= statusLive {
			l.open = nil
			return p, nil
		}
		name := make([]byte, credentialIDSize)
		if _, err := io.ReadFull(n.Rand, name); err != nil {
			return p, trust.Errorf(trust.Internal, "drawing the name of a status list: %w", err)
		}
		l.open = &statusList{name: base64.RawURLEncoding.EncodeToString(name)}
		l.lists[l.open.name] = l.open
	}
	for {
		var random [2]byte
		if _, err := io.ReadFull(n.Rand, random[:]); err != nil {
			return p, trust.Errorf(trust.Internal, "drawing a place in a status list: %w", err)
		}
		if index := uint32(binary.BigEndian.Uint16(random[:])); l.open.take(index) {
			return decision.Place{List: l.open.name, Index: index}, nil
		}
	}
}

// take marks an index; false for one that is taken.
func (l *statusList) take(index uint32) bool {
	word, bit := index/64, uint64(1)<<(index%64)
	if l.taken[word]&bit != 0 {
		return false
	}
	l.taken[word] |= bit
	l.drawn++
	return true
}

// forget drops the lists of which every credential has expired.
func (l *statusLists) forget(now int64) {
	for name, list := range l.lists {
		if list != l.open && now >= list.ends+statusLife {
			l.rows -= len(list.rows)
			delete(l.lists, name)
		}
	}
}

// remember notes a credential that is on record.
func (l *statusLists) remember(i *decision.Issue, f *footing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i.Place.List == "" {
		l.unplaced = max(l.unplaced, i.Expires)
		return
	}
	list := l.lists[i.Place.List]
	if list == nil { // it is from before the start
		list = &statusList{name: i.Place.List}
		l.lists[list.name] = list
	}
	list.rows = append(list.rows, statusRow{i.ID, i.Place.Index, i.Expires, f})
	list.ends = max(list.ends, i.Expires)
	l.rows++
}

// uri is the address of a list.
func (n *Node) statusURI(name string) string { return n.Address() + StatusPath + name }

// StatusList gives a signed list (draft-ietf-oauth-status-list, section 5.1) as
// the state is now; false for one that there is not, or not any more. It is
// signed anew when trust was reduced, and when it may be kept no longer.
func (n *Node) StatusList(ctx context.Context, name string) (token string, ok bool) {
	l, s, now := n.statuses, n.State(), n.Now()
	l.mu.Lock()
	_, known := l.lists[name]
	l.mu.Unlock()
	if !known && validListName(name) {
		l.former.Do(func() { n.restoreStatuses(ctx, s, now) })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.lists[name]
	if list == nil || len(list.rows) == 0 || now >= list.ends+statusLife {
		return "", false
	}
	if list.token != "" && list.epoch == s.Epoch && now >= list.made && now < list.made+StatusTTL/2 {
		return list.token, true
	}
	token, err := n.signStatuses(list, s, now)
	if err != nil {
		n.Log.Error("a status list could not be signed", "error", err)
		return "", false
	}
	list.token, list.epoch, list.made = token, s.Epoch, now
	return token, true
}

func validListName(name string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(name)
	return err == nil && len(raw) == credentialIDSize
}

func (n *Node) signStatuses(list *statusList, s *state.Snapshot, now int64) (string, error) {
	signer, ends, err := n.tokenSigner(s, now)
	if err != nil {
		return "", err
	}
	says := credential.StatusList{
		Issuer: n.self.String(), URI: n.statusURI(list.name), IssuedAt: now, ExpiresAt: min(now+statusLife, ends), TTL: StatusTTL,
	}
	says.Size(statusSize)
	for i := range list.rows {
		if row := &list.rows[i]; now < row.expires {
			says.Set(row.index, row.status(s, now))
		}
	}
	return jose.SignPayload(signer, credential.StatusListType, says.Append(nil))
}

// status tells how the credential stands.
func (r *statusRow) status(s *state.Snapshot, now int64) credential.Status {
	status, _ := r.verdict(s, now)
	return status
}

// verdict tells by the same marks as a decision does whether what the credential
// stands on has ended, and why. What else may deny it, only a decision knows.
func (r *statusRow) verdict(s *state.Snapshot, now int64) (credential.Status, trust.Reason) {
	ground := r.ground
	ground.Credential = r.id
	seen := r.made
	seen.Now = now
	reason, stopped := ground.Ended(s, &seen)
	if stopped {
		switch reason {
		case trust.SubjectSuspended, trust.ClientSuspended, trust.IdentityIdle, trust.HopRevoked: // may be for a time, and something beside it for good
			resumed := *s
			resumed.Suspension, resumed.Identity = suspension.State{}, identity.State{}
			if reason, ended := ground.Ended(&resumed, &seen); ended {
				return credential.Invalid, reason
			}
		default:
			return credential.Invalid, reason
		}
	}
	a, known := s.Agreement.ByID(r.agreement)
	partner, confirmed := s.Participant.Partner(ground.Participant)
	switch {
	case !known || a.Ended(now):
		return credential.Invalid, trust.AgreementEnded
	case !confirmed:
		return credential.Invalid, trust.ParticipantUnknown
	case stopped:
		return credential.Suspended, reason
	case a.Stage == agreement.Suspended:
		return credential.Suspended, trust.AgreementSuspended
	case partner.Suspended:
		return credential.Suspended, trust.ParticipantSuspended
	default:
		return credential.Valid, ""
	}
}

// restoreStatuses reads back which places were given before the start to
// credentials that still live.
func (n *Node) restoreStatuses(ctx context.Context, s *state.Snapshot, now int64) {
	since, end := now-longestCredential(s), n.decisions.Size()
	for from := end; from > 0; {
		count := min(from, readAtOnce)
		from -= count
		records, err := n.decisions.Read(ctx, from, int(count))
		if err != nil {
			n.Log.Error("places in status lists could not be read back", "error", err)
			return
		}
		for i := range records {
			n.restoreStatus(ctx, &records[i], now)
		}
		if len(records) > 0 && records[0].At < since {
			return
		}
	}
}

func (n *Node) restoreStatus(ctx context.Context, r *ledger.Record, now int64) {
	issue, ok := decision.ParseIssue(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
	if !ok || issue.Place.List == "" || now >= issue.Expires || n.statuses.has(issue) {
		return
	}
	leaf, details, _, err := n.recorded(ctx, *r)
	if err != nil {
		return
	}
	o, ev, _ := decision.Replay(leaf, details)
	epoch := n.State().Edge.Recovery.Epoch
	if r.Position.Epoch < epoch {
		epoch = 0
	}
	n.statuses.remember(&issue, newFooting(ev.Ground(), leaf.EnforcementPoint, epoch, &o, leaf.Agreement))
}

// has reports whether a credential is remembered already: places are drawn in
// lists of after the start alone.
func (l *statusLists) has(i decision.Issue) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.lists[i.Place.List]
	return list != nil && list.drawn > 0
}

// longestCredential is how many seconds a credential lives at most.
func longestCredential(s *state.Snapshot) (longest int64) {
	if s.Framework.Current == nil {
		return maxCredential
	}
	for _, tier := range s.Framework.Current.Document.Tiers {
		longest = max(longest, int64(tier.MaxCredentialTTL))
	}
	return longest
}
