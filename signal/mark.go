package signal

import "github.com/entente-id/entente/framework"

// Mark is what signals have done to a subject, a session, a device or everybody
// of an issuer. Times are Unix seconds, of the events; 0 is never. Marks are
// joined, and joining them in any order, or twice, gives the same: the newest
// word counts, and of two of the same second the one that gives less.
type Mark struct {
	SignedIn    int64                        `json:"signed_in,omitzero"`   // who signed in at it or before, has to again
	Sessionless int64                        `json:"sessionless,omitzero"` // likewise with a token that names no session
	Deviceless  int64                        `json:"deviceless,omitzero"`  // likewise with one that names no device
	Issued      int64                        `json:"issued,omitzero"`      // tokens issued at it or before count no longer
	Account     Switch                       `json:"account,omitzero"`     // off: disabled
	Device      Switch                       `json:"device,omitzero"`      // off: not compliant
	Risk        Switch                       `json:"risk,omitzero"`        // off: high, where that denies
	Caps        [len(framework.Vector{})]Cap `json:"caps,omitzero"`        // by ladder
}

// Switch is on unless the newest word turned it off.
type Switch struct {
	At  int64 `json:"at,omitzero"`
	Off bool  `json:"off,omitzero"`
}

func (s Switch) join(o Switch) Switch {
	if o.At > s.At || o.At == s.At && o.Off {
		return o
	}
	return s
}

// Cap is the most that counts on a ladder, whatever a token asserts; At 0 is
// none.
type Cap struct {
	At    int64 `json:"at,omitzero"`
	Level uint8 `json:"level,omitzero"`
}

func (c Cap) join(o Cap) Cap {
	if o.At > c.At || o.At == c.At && o.Level < c.Level {
		return o
	}
	return c
}

// Join gives what both marks say together.
func (m Mark) Join(o Mark) Mark {
	m.SignedIn, m.Sessionless = max(m.SignedIn, o.SignedIn), max(m.Sessionless, o.Sessionless)
	m.Deviceless, m.Issued = max(m.Deviceless, o.Deviceless), max(m.Issued, o.Issued)
	m.Account, m.Device, m.Risk = m.Account.join(o.Account), m.Device.join(o.Device), m.Risk.join(o.Risk)
	for i := range m.Caps {
		m.Caps[i] = m.Caps[i].join(o.Caps[i])
	}
	return m
}

// Reduces reports whether m, joined, can take anything away.
func (m Mark) Reduces() bool {
	return m.SignedIn|m.Sessionless|m.Deviceless|m.Issued != 0 || m.Account.Off || m.Device.Off || m.Risk.Off || m.capped()
}

// Newest gives the latest instant that m speaks of.
func (m Mark) Newest() int64 {
	at := max(m.SignedIn, m.Sessionless, m.Deviceless, m.Issued, m.Account.At, m.Device.At, m.Risk.At)
	for _, c := range m.Caps {
		at = max(at, c.At)
	}
	return at
}

func (m Mark) capped() bool { return m.Caps != [len(m.Caps)]Cap{} }

// cap gives v, lowered to what counts.
func (m Mark) cap(v framework.Vector) framework.Vector {
	for i, c := range m.Caps {
		if c.At != 0 {
			v[i] = min(v[i], c.Level)
		}
	}
	return v
}
