package identity

import (
	"encoding/binary"
	"iter"
	"slices"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is every identity there ever was. It is a value that never changes; the
// zero value knows none. No row of the tables that grow with their number holds a
// pointer.
type State struct {
	Identities table.Table[Identity] `json:"identities"` // by number
	Accounts   table.Table[Link]     `json:"accounts"`   // by subject
	Keys       table.Table[Link]     `json:"keys"`       // by keyed hash
	Owners     []Owner               `json:"owners,omitempty"`
	Asked      table.Table[Request]  `json:"asked"` // by number: what waits for a second word
}

// Identity is one. Times are Unix seconds, 0 for never; At is the entry that
// registered it, Purpose the one that said last what it is for, and zero where
// nobody did.
type Identity struct {
	N          uint32           `json:"n"`
	Kind       uint8            `json:"kind"`           // its class, as trust.Classes counts
	Owner      uint32           `json:"owner,omitzero"` // as Owners counts, from 1; 0 is nobody
	Engagement trust.Engagement `json:"engagement"`
	Account    trust.SubjectKey `json:"account"` // the newest; others follow by Link.Next
	Key        trust.SubjectKey `json:"key,omitzero"`
	First      trust.SubjectKey `json:"first"` // account, under whose data key what is written of it is sealed
	At         trust.Position   `json:"at"`
	Purpose    trust.Position   `json:"purpose,omitzero"`
	Since      int64            `json:"since"`
	Activated  int64            `json:"activated,omitzero"`
	Ended      int64            `json:"ended,omitzero"`
	Until      int64            `json:"until,omitzero"`
	Due        int64            `json:"due,omitzero"`     // its owner has left: by when somebody else must own it
	Stopped    int64            `json:"stopped,omitzero"` // by a date
}

// Link says whose an account or a key is, by the entry at At. Next is another one
// of the same identity; zero for none. Until is when a key was replaced.
type Link struct {
	N     uint32           `json:"n"`
	Next  trust.SubjectKey `json:"next,omitzero"`
	At    trust.Position   `json:"at"`
	Until int64            `json:"until,omitzero"`
}

// Request is who asked that an identity comes back, until when that counts, and by
// which entry.
type Request struct {
	By    string         `json:"by"`
	Until int64          `json:"until"`
	At    trust.Position `json:"at"`
}

// Apply gives the state after e. It never fails; an event of another package, or
// of an identity that is not there, changes nothing.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	now := max(at.At, 1)
	switch e := e.(type) {
	case Registered:
		return s.register(e, at)
	case Activated:
		return s.edit(e.N, func(i *Identity) { i.Activated = now })
	case Moved:
		return s.edit(e.N, func(i *Identity) {
			if e.Until != i.Until {
				i.Until, i.Stopped = e.Until, 0
			}
			if e.Purpose {
				i.Purpose = at.Position
			}
		})
	case HandedOver:
		var owner uint32
		s, owner = s.owner(e.Owner)
		return s.edit(e.N, func(i *Identity) { i.Owner, i.Due, i.Stopped = owner, 0, 0 })
	case Flagged:
		return s.edit(e.N, func(i *Identity) { i.Due = e.Due })
	case Owned:
		return s.edit(e.N, func(i *Identity) { i.Due, i.Stopped = 0, 0 })
	case Stopped:
		return s.edit(e.N, func(i *Identity) { i.Stopped = now })
	case AccountLinked:
		if i, ok := s.Get(e.N); ok {
			s.Accounts = s.Accounts.With(table.Key(e.Account), Link{N: e.N, Next: i.Account, At: at.Position})
		}
		return s.edit(e.N, func(i *Identity) { i.Account = e.Account })
	case KeyLinked:
		return s.linkKey(e, at)
	case Offboarded:
		return s.edit(e.N, func(i *Identity) { i.Ended, i.Activated, i.Due = now, 0, 0 })
	case ReturnAsked:
		s.Asked = s.Asked.With(key(e.N), Request{e.By, e.Until, at.Position})
	case Returned:
		s.Asked = s.Asked.Without(key(e.N))
		return s.edit(e.N, func(i *Identity) {
			i.Ended, i.Activated, i.Stopped, i.Due, i.Engagement = 0, 0, 0, 0, e.Engagement
		})
	}
	return s
}

func (s State) register(e Registered, at trust.Stamp) State {
	i := Identity{
		N: e.N, Kind: uint8(max(0, slices.Index(trust.Classes(), e.Class))), Engagement: 1, //nolint:gosec // one of four
		Account: e.Account, First: e.Account, At: at.Position, Since: at.At, Until: e.Until,
	}
	s, i.Owner = s.owner(e.Owner)
	if e.Purpose {
		i.Purpose = at.Position
	}
	s.Accounts = s.Accounts.With(table.Key(e.Account), Link{N: e.N, At: at.Position})
	s.Identities = s.Identities.With(key(e.N), i)
	return s
}

func (s State) linkKey(e KeyLinked, at trust.Stamp) State {
	i, ok := s.Get(e.N)
	if !ok {
		return s
	}
	if old, known := s.Keys.Get(table.Key(e.Replaces)); known {
		old.Until = max(at.At, 1)
		s.Keys = s.Keys.With(table.Key(e.Replaces), old)
	}
	s.Keys = s.Keys.With(table.Key(e.Key), Link{N: e.N, Next: i.Key, At: at.Position})
	return s.edit(e.N, func(i *Identity) { i.Key = e.Key })
}

func (s State) edit(n uint32, change func(*Identity)) State {
	if i, ok := s.Get(n); ok {
		change(&i)
		s.Identities = s.Identities.With(key(n), i)
	}
	return s
}

// owner gives the number of an owner, who is written down once.
func (s State) owner(o Owner) (State, uint32) {
	if o == (Owner{}) {
		return s, 0
	}
	at := slices.Index(s.Owners, o)
	if at < 0 {
		at = len(s.Owners)
		s.Owners = append(slices.Clone(s.Owners), o)
	}
	return s, uint32(at) + 1 //nolint:gosec // there are no more than identities
}

func key(n uint32) table.Key {
	return table.KeyOf("identity", string(binary.BigEndian.AppendUint32(nil, n)))
}

// Get finds an identity by its number, also one that has ended.
func (s State) Get(n uint32) (Identity, bool) { return s.Identities.Get(key(n)) }

// OwnerOf is who owns an identity; zero for nobody.
func (s State) OwnerOf(i Identity) Owner {
	if i.Owner == 0 || int(i.Owner) > len(s.Owners) {
		return Owner{}
	}
	return s.Owners[i.Owner-1]
}

// ByAccount finds whose an account is.
func (s State) ByAccount(account trust.SubjectKey) (Identity, bool) {
	if s.Accounts.Len() == 0 {
		return Identity{}, false
	}
	l, ok := s.Accounts.Get(table.Key(account))
	if !ok {
		return Identity{}, false
	}
	return s.Get(l.N)
}

// ByKey finds whose a key is, also one that was replaced.
func (s State) ByKey(hash trust.SubjectKey) (Identity, bool) {
	l, ok := s.Keys.Get(table.Key(hash))
	if !ok {
		return Identity{}, false
	}
	return s.Get(l.N)
}

// AccountsOf yields the accounts of an identity, newest first.
func (s State) AccountsOf(i Identity) iter.Seq2[trust.SubjectKey, Link] {
	return follow(s.Accounts, i.Account)
}

// KeysOf yields the keys of an identity, newest first, those that were replaced too.
func (s State) KeysOf(i Identity) iter.Seq2[trust.SubjectKey, Link] { return follow(s.Keys, i.Key) }

func follow(links table.Table[Link], from trust.SubjectKey) iter.Seq2[trust.SubjectKey, Link] {
	return func(yield func(trust.SubjectKey, Link) bool) {
		for at := from; at != (trust.SubjectKey{}); {
			l, ok := links.Get(table.Key(at))
			if !ok || !yield(at, l) {
				return
			}
			at = l.Next
		}
	}
}

// From yields the identities behind number n, in the order in which they were
// registered.
func (s State) From(n uint32) iter.Seq[Identity] {
	return func(yield func(Identity) bool) {
		for n++; ; n++ {
			if i, ok := s.Get(n); !ok || !yield(i) {
				return
			}
		}
	}
}

// AskedFor gives who asked that an identity comes back, which may have run out.
func (s State) AskedFor(n uint32) (Request, bool) { return s.Asked.Get(key(n)) }

// Stage is where an identity stands. It is gone once every account of it has ended,
// whichever act ended them.
func (s State) Stage(i Identity, f Facts) Stage {
	if i.Ended != 0 {
		return Gone
	}
	ended, suspended := true, false
	for account := range s.AccountsOf(i) {
		ended = ended && f.Ended(account)
		suspended = suspended || f.Suspended(account)
	}
	switch {
	case ended:
		return Gone
	case i.Activated == 0:
		return InRegister
	case suspended:
		return Suspended
	default:
		return Active
	}
}

// Idle reports whether an account is one of an identity that is registered, and
// that nobody has activated. What is in no register is not idle.
func (s State) Idle(account trust.SubjectKey) bool {
	i, ok := s.ByAccount(account)
	return ok && i.Activated == 0 && i.Ended == 0
}

// Overdue says by which rule an identity may not be used at now (Unix seconds),
// since a date of it has come; empty for none.
func (i Identity) Overdue(now int64) (rule string) {
	switch {
	case i.Due != 0 && now >= i.Due:
		return RuleOwner
	case i.Until != 0 && now >= i.Until:
		return RuleEnd
	default:
		return ""
	}
}
