package identity

import "github.com/entente-id/entente/trust"

// Register takes a subject into the register; r says everything but the number.
// One whose account is, or was, another's is refused with Conflict. It fails with
// Invalid. now is Unix seconds.
func (s State) Register(f Facts, r Registered, now int64) ([]trust.Event, error) {
	switch {
	case r.By == "":
		return nil, trust.Errorf(trust.Invalid, "an identity is registered by nobody; an operator must be named")
	case !r.Class.Valid():
		return nil, trust.Errorf(trust.Invalid, "class %q is none; an identity has one", r.Class)
	case r.Account == trust.SubjectKey{}:
		return nil, trust.Errorf(trust.Invalid, "an identity has an account; this one names none")
	case r.Until != 0 && r.Until <= now:
		return nil, trust.Errorf(trust.Invalid, "an identity that ends at %s would have ended; its end is in the future", trust.Instant(r.Until))
	case r.Owner != Owner{} && !f.Serves(r.Owner):
		return nil, trust.Errorf(trust.Invalid, "%s is not here; an owner is an operator, or a role that somebody holds", r.Owner)
	}
	if other, taken := s.ByAccount(r.Account); taken {
		return refuse(Refused{other.N, "register", RuleTaken, r.By}, trust.Conflict, "the account is that of %s already; who comes back keeps the identity", other.ID())
	}
	r.N = uint32(s.Identities.Len()) + 1 //nolint:gosec // a ledger holds fewer
	return []trust.Event{r}, nil
}

// Activate lets an identity be used: one that is no person has an owner who serves,
// and a purpose. It fails with Invalid, NotFound or Conflict, which is recorded.
func (s State) Activate(f Facts, n uint32, by string, now int64) ([]trust.Event, error) {
	i, err := s.find(n, by)
	if err != nil {
		return nil, err
	}
	refused := func(rule string) Refused { return Refused{n, "activate", rule, by} }
	switch stage := s.Stage(i, f); {
	case stage != InRegister:
		return refuse(refused(RuleStage), trust.Conflict, "%s is %s; only one that is registered is activated", i.ID(), stage)
	case i.NonHuman() && !f.Serves(s.OwnerOf(i)):
		return refuse(refused(RuleOwner), trust.Conflict, "%s is a %s that nobody owns; it is handed over to somebody before it is activated", i.ID(), i.Class())
	case i.NonHuman() && i.Purpose == trust.Position{}:
		return refuse(refused(RulePurpose), trust.Conflict, "%s is a %s of which nobody says what it is for; it has a purpose before it is activated", i.ID(), i.Class())
	case i.Overdue(now) == RuleEnd:
		return refuse(refused(RuleEnd), trust.Conflict, "%s has ended at %s; only one with time left is activated", i.ID(), trust.Instant(i.Until))
	}
	return []trust.Event{Activated{n, by}}, nil
}

// Move says another purpose of an identity, or another end; m.Until 0 is none. It
// fails with Invalid, NotFound or Conflict, which is recorded. now is Unix seconds.
func (s State) Move(f Facts, m Moved, now int64) ([]trust.Event, error) {
	i, err := s.find(m.N, m.By)
	if err != nil {
		return nil, err
	}
	if m.Until != 0 && m.Until != i.Until && m.Until <= now {
		return nil, trust.Errorf(trust.Invalid, "%s would have ended at %s; its end is in the future", i.ID(), trust.Instant(m.Until))
	}
	if s.Stage(i, f) == Gone {
		return s.gone(i, "move", m.By)
	}
	return []trust.Event{m}, nil
}

// HandOver gives an identity to an owner who serves. It fails with Invalid,
// NotFound or Conflict, which is recorded.
func (s State) HandOver(f Facts, n uint32, to Owner, by string) ([]trust.Event, error) {
	i, err := s.find(n, by)
	switch {
	case err != nil:
		return nil, err
	case s.Stage(i, f) == Gone:
		return s.gone(i, "handover", by)
	case !f.Serves(to):
		return refuse(Refused{n, "handover", RuleOwner, by}, trust.Conflict, "%q is not here; %s is handed over to an operator, or to a role that somebody holds", to, i.ID())
	case s.OwnerOf(i) == to:
		return refuse(Refused{n, "handover", RuleOwner, by}, trust.Conflict, "%s is owned by %s already", i.ID(), to)
	}
	return []trust.Event{HandedOver{n, to, by}}, nil
}

// LinkAccount gives an identity another account, which is nobody else's and has
// not ended. It fails with Invalid, NotFound or Conflict, which is recorded.
func (s State) LinkAccount(f Facts, n uint32, account trust.SubjectKey, by string) ([]trust.Event, error) {
	i, err := s.find(n, by)
	if err != nil {
		return nil, err
	}
	other, taken := s.ByAccount(account)
	switch {
	case account == trust.SubjectKey{}:
		return nil, trust.Errorf(trust.Invalid, "%s is given no account; one must be named", i.ID())
	case s.Stage(i, f) == Gone:
		return s.gone(i, "link", by)
	case taken && other.N == n:
		return nil, nil
	case taken:
		return refuse(Refused{n, "link", RuleTaken, by}, trust.Conflict, "the account is that of %s; an account is one identity's", other.ID())
	case f.Ended(account):
		return refuse(Refused{n, "link", RuleStage, by}, trust.Conflict, "the account has ended; %s is given one that has not", i.ID())
	}
	return []trust.Event{AccountLinked{n, account, by}}, nil
}

// LinkKey gives an identity a key, in place of k.Replaces where that is set: the
// identity stays the same. A key is one identity's for ever. It fails with Invalid,
// NotFound or Conflict, which is recorded.
func (s State) LinkKey(f Facts, k KeyLinked) ([]trust.Event, error) {
	i, err := s.find(k.N, k.By)
	if err != nil {
		return nil, err
	}
	other, taken := s.ByKey(k.Key)
	replaced, _ := s.ByKey(k.Replaces)
	switch {
	case k.Key == trust.SubjectKey{}:
		return nil, trust.Errorf(trust.Invalid, "%s is given no key; one must be named", i.ID())
	case s.Stage(i, f) == Gone:
		return s.gone(i, "link", k.By)
	case taken:
		return refuse(Refused{k.N, "link", RuleTaken, k.By}, trust.Conflict, "the key is that of %s, or was; a key is one identity's", other.ID())
	case k.Replaces != trust.SubjectKey{} && replaced.N != k.N:
		return nil, trust.Errorf(trust.NotFound, "%s has no such key to replace", i.ID())
	}
	return []trust.Event{k}, nil
}

// Offboard ends an identity for good. It fails with Invalid, NotFound or Conflict,
// which is recorded.
func (s State) Offboard(n uint32, by string) ([]trust.Event, error) {
	i, err := s.find(n, by)
	if err != nil {
		return nil, err
	}
	if i.Ended != 0 {
		return s.gone(i, "offboard", by)
	}
	return []trust.Event{Offboarded{n, by}}, nil
}

// Return lets an identity that has ended begin a new engagement: the first
// operator asks, and a second one, another person, says so too within a day. It is
// to be activated then as a new one. now is Unix seconds. It fails with Invalid,
// NotFound, or Conflict or Denied, which are recorded.
func (s State) Return(f Facts, n uint32, by string, now int64) ([]trust.Event, error) {
	i, err := s.find(n, by)
	if err != nil {
		return nil, err
	}
	if stage := s.Stage(i, f); stage != Gone {
		return refuse(Refused{n, "return", RuleStage, by}, trust.Conflict, "%s is %s; only one that is offboarded comes back", i.ID(), stage)
	}
	asked, ok := s.AskedFor(n)
	switch {
	case !ok || now >= asked.Until || !f.Admin(asked.By):
		return []trust.Event{ReturnAsked{n, by, now + askedFor}}, nil
	case f.Same(asked.By, by):
		return refuse(Refused{n, "return", RulePerson, by}, trust.Denied, "operator %s asked for this already, or is the same person; a return takes two", by)
	}
	return []trust.Event{Returned{n, i.Engagement + 1, asked.By, by}}, nil
}

// Suspend says whether an identity may be suspended: one that is active. It fails
// with Invalid, NotFound, or Conflict, which is recorded.
func (s State) Suspend(f Facts, n uint32, by string) ([]trust.Event, error) {
	i, err := s.find(n, by)
	if err != nil {
		return nil, err
	}
	if stage := s.Stage(i, f); stage == Gone || stage == InRegister {
		return refuse(Refused{n, "suspend", RuleStage, by}, trust.Conflict, "%s is %s; only one that is active is suspended", i.ID(), stage)
	}
	return nil, nil
}

// Date says what time brings about of an identity at now (Unix seconds): that its
// owner has left, or is back, or that a date has come and it is to be stopped. Only
// what is no person depends on an owner, and only what is active is stopped.
func (s State) Date(f Facts, i Identity, now int64) []trust.Event {
	if i.Activated == 0 || i.Ended != 0 {
		return nil
	}
	owned := !i.NonHuman() || f.Serves(s.OwnerOf(i))
	var e trust.Event
	switch rule := i.Overdue(now); {
	case owned && i.Due != 0:
		e = Owned{i.N}
	case !owned && i.Due == 0:
		e = Flagged{i.N, now + Grace}
	case rule != "" && i.Stopped == 0:
		e = Stopped{i.N, rule}
	}
	if e == nil || s.Stage(i, f) == Gone {
		return nil
	}
	return []trust.Event{e}
}

func (s State) find(n uint32, by string) (Identity, error) {
	i, ok := s.Get(n)
	switch {
	case !ok:
		return i, trust.Errorf(trust.NotFound, "%s is not known", ID(n))
	case by == "":
		return i, trust.Errorf(trust.Invalid, "%s is changed by nobody; an operator must be named", i.ID())
	}
	return i, nil
}

func (s State) gone(i Identity, verb, by string) ([]trust.Event, error) {
	return refuse(Refused{i.N, verb, RuleStage, by}, trust.Conflict, "%s is offboarded, for good; who comes back begins a new engagement", i.ID())
}

func refuse(r Refused, kind trust.ErrorKind, format string, args ...any) ([]trust.Event, error) {
	return []trust.Event{r}, trust.Errorf(kind, format, args...)
}
