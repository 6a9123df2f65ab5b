package framework

import (
	"errors"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// maxSize bounds a document's bytes.
const maxSize = 256 << 10

// Facts is what other rooms know. ConfirmedHashes are the hashes of frameworks
// that confirmed invitations named.
type Facts struct {
	ConfirmedHashes []string
}

// Draft checks a document and renders the bytes that its signers sign, once and
// for all. It fails with Invalid, all faults joined. now is Unix seconds.
func Draft(d Document, now int64) (data []byte, hash string, err error) {
	if faults := d.Check(now); len(faults) > 0 {
		return nil, "", trust.Errorf(trust.Invalid, "framework %s has %d faults:\n%w", d.Name, len(faults), errors.Join(faults...))
	}
	if data, err = canonical.Marshal(d); err != nil {
		return nil, "", err
	}
	if len(data) > maxSize {
		return nil, "", trust.Errorf(trust.Invalid, "framework %s has %d bytes; the most is %d", d.Name, len(data), maxSize)
	}
	return data, Hash(data), nil
}

// Receive takes a document in that a partner sent, or that an operator brought
// when from is zero. It changes no rule: the document waits until it is adopted.
// One that waits or is in force already changes nothing. A document that may
// not become the framework here is refused with a *Refusal. now is Unix seconds.
func (s State) Receive(f Facts, signed Signed, from trust.ParticipantID, now int64) ([]trust.Event, error) {
	hash := Hash(signed.Bytes)
	s = s.On(now)
	if _, known := s.Version(hash); known {
		return nil, nil
	}
	d, err := s.verify(signed, f, now)
	if err != nil {
		return nil, refuse(err, hash, d.Version, from)
	}
	return []trust.Event{Received{Signed: signed, Hash: hash, Version: d.Version, From: from}}, nil
}

// Adopt puts a document that waits in force, by the word of a local operator:
// from its date on, or at once where that has come.
// Everything is checked again: it may have expired or been overtaken meanwhile.
// It fails with Invalid without an operator, with NotFound where no document of
// this hash waits, else like Receive.
func (s State) Adopt(f Facts, hash, by string, now int64) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "framework %s is adopted by nobody; a local operator must be named", hash)
	}
	s = s.On(now)
	waiting, waits := s.Pending(hash)
	if _, known := s.Version(hash); known && !waits {
		return nil, nil
	}
	if !waits {
		return nil, trust.Errorf(trust.NotFound, "framework %s was not received; only what was can be adopted", hash)
	}
	d, err := s.verify(waiting.Signed, f, now)
	if err != nil {
		return nil, refuse(err, hash, d.Version, waiting.From)
	}
	return []trust.Event{Adopted{Signed: waiting.Signed, Hash: hash, Version: d.Version, By: by}}, nil
}

// verify decides whether signed may become the framework here (R1). Where it
// fails the document is as far as it could be read.
func (s State) verify(signed Signed, f Facts, now int64) (d Document, err *Refusal) {
	if d, err = read(signed.Bytes); err != nil {
		return d, err
	}
	if err := s.follows(d, Hash(signed.Bytes), f); err != nil {
		return d, err
	}
	if int64(d.Expires) <= now {
		return d, refusal(Expired, "expired at %s", d.Expires)
	}
	if faults := d.Check(now); len(faults) > 0 {
		return d, refusal(Unsound, "has %d faults: %w", len(faults), errors.Join(faults...))
	}
	return d, s.signed(d, signed)
}

// read parses the bytes, which must be in the one form that is signed.
func read(data []byte) (d Document, _ *Refusal) {
	if len(data) > maxSize {
		return d, refusal(Malformed, "has %d bytes; the most is %d", len(data), maxSize)
	}
	if err := canonical.Decode(data, &d); err != nil {
		return Document{}, refusal(Malformed, "cannot be read: %w", err)
	}
	if o, err := canonical.ParseObject(data); err != nil {
		return d, refusal(Malformed, "cannot be read: %w", err)
	} else if again, err := canonical.Marshal(o); err != nil || string(again) != string(data) {
		return d, refusal(Malformed, "is not in canonical form (RFC 8785)")
	}
	return d, nil
}

// follows decides whether d is the next version after the one in force, or may
// be the first here. While one that was adopted waits for its date nothing takes
// its place, and nothing builds on it: whom it asks to sign does not decide yet.
func (s State) follows(d Document, hash string, f Facts) *Refusal {
	if s.Next != nil {
		if d.Version <= s.Next.Version {
			return refusal(NotNewer, "is not newer than version %d, which was adopted and holds from %s on", s.Next.Version, trust.Instant(s.Next.Since))
		}
		return refusal(VersionGap, "builds on a version that holds from %s on, not yet", trust.Instant(s.Next.Since))
	}
	if s.Current == nil {
		if invited := len(f.ConfirmedHashes) > 0; invited != slices.Contains(f.ConfirmedHashes, hash) || !invited && d.Version != 1 {
			return refusal(Unconfirmed, "is the first here but not one that a confirmed invitation names")
		}
		return nil
	}
	switch current := s.Current; {
	case d.Version <= current.Version:
		return refusal(NotNewer, "is not newer than version %d, which is in force", current.Version)
	case d.Version > current.Version+1:
		return refusal(VersionGap, "leaves a gap after version %d, which is in force", current.Version)
	case d.Previous != current.Hash:
		return refusal(PreviousMismatch, "builds on %s, but %s is in force", d.Previous, current.Hash)
	}
	return nil
}
