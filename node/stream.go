package node

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

// slowestVerify is how many seconds lie at most between two verifications that a
// receiver asks for.
const slowestVerify = 60

// VerifyEvery is how many seconds lie at least between two verifications that a
// receiver asks for (min_verification_interval; SSF 1.0, section 8.1.1). One of our
// own kind asks four times within the bound of its feed, and so may ask twice as often.
func (n *Node) VerifyEvery() int64 {
	bound := feedBound(n.State())
	if bound == 0 {
		return slowestVerify
	}
	return min(max(bound/8, 1), slowestVerify)
}

// TooSoon is the error of a request that comes before its time.
type TooSoon struct{ Wait int64 } // seconds

func (e *TooSoon) Error() string {
	return fmt.Sprintf("the request comes %d s before its time", e.Wait)
}

// StreamSettings is what a receiver says of its stream. Authorization is the
// header that events are pushed with; it is never given back.
type StreamSettings struct {
	Delivery      stream.Delivery `json:"-"`
	Authorization string          `json:"authorization,omitempty"`
	Requested     []string        `json:"requested,omitempty"`
	Description   string          `json:"description,omitempty"`
}

const (
	maxRequested = 64   // event types
	maxWords     = 2048 // bytes of each text that a receiver writes
)

func (s StreamSettings) check() error {
	long := len(s.Authorization) > maxWords || len(s.Description) > maxWords || len(s.Requested) > maxRequested
	if strings.ContainsFunc(s.Authorization, func(r rune) bool { return r < ' ' || r > '~' }) {
		return trust.Errorf(trust.Invalid, "an Authorization header is printable ASCII")
	}
	for _, t := range s.Requested {
		long = long || len(t) > maxWords
	}
	if long {
		return trust.Errorf(trust.Invalid, "a stream's settings hold at most %d event types and %d bytes in a text", maxRequested, maxWords)
	}
	return nil
}

func (s StreamSettings) types() []signal.Type {
	types := make([]signal.Type, len(s.Requested))
	for i, t := range s.Requested {
		types[i] = signal.Type(t)
	}
	return types
}

// StreamView is a stream as its receiver sees it.
type StreamView struct {
	*stream.Stream
	Settings StreamSettings // without Authorization
}

func (c *change) streamFacts() stream.Facts {
	return stream.Facts{
		Sends: func(t signal.Type) bool { return slices.Contains(signalTypes, t) },
		MayPush: func(id, endpoint string) bool {
			known, _ := c.Client.Get(id)
			rights, may := known.MayReceive()
			return may && c.n.Post != nil && slices.Contains(rights.Push, endpoint)
		},
	}
}

// owned finds a stream of this receiver's; another's and none are alike.
func (r *Receiver) owned(s *state.Snapshot, id string) (*stream.Stream, error) {
	t, ok := s.Stream.Get(id)
	if !ok || t.Client != r.id {
		return nil, trust.Errorf(trust.NotFound, "there is no such stream")
	}
	return t, nil
}

// CreateStream opens a stream, which is enabled. It fails with Invalid, Denied or
// Conflict.
func (r *Receiver) CreateStream(ctx context.Context, s StreamSettings) (StreamView, error) {
	if err := s.check(); err != nil {
		return StreamView{}, err
	}
	id, err := r.n.randomID()
	if err != nil {
		return StreamView{}, err
	}
	err = r.change(ctx, func(c *change) error {
		events, err := c.Stream.Create(c.streamFacts(), stream.Created{ID: id, Client: r.id, Delivery: s.Delivery, Events: s.types()})
		return c.addAll(events, err, sealed{text: s})
	})
	if err != nil {
		return StreamView{}, err
	}
	return r.Stream(ctx, id)
}

// addAll records a command's events, each with the same sealed part.
func (c *change) addAll(events []trust.Event, err error, part sealed) error {
	for _, e := range events {
		if err := c.addSealed(e, part); err != nil {
			return err
		}
	}
	return err
}

// Streams gives this receiver's streams.
func (r *Receiver) Streams(ctx context.Context) ([]StreamView, error) {
	all := []StreamView{}
	for _, t := range r.n.State().Stream.Of(r.id) {
		v, err := r.view(ctx, t)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// Stream gives one of them, or NotFound.
func (r *Receiver) Stream(ctx context.Context, id string) (StreamView, error) {
	t, err := r.owned(r.n.State(), id)
	if err != nil {
		return StreamView{}, err
	}
	return r.view(ctx, t)
}

func (r *Receiver) view(ctx context.Context, t *stream.Stream) (StreamView, error) {
	s, err := r.n.settings(ctx, t)
	s.Authorization = ""
	return StreamView{t, s}, err
}

// settings gives what a stream's receiver last said of it.
func (n *Node) settings(ctx context.Context, t *stream.Stream) (StreamSettings, error) {
	r, err := n.trust.Entry(ctx, t.Settings)
	if err != nil {
		return StreamSettings{}, err
	}
	var s StreamSettings
	err = n.unsealed(ctx, trust.SubjectKey{}, r, &s)
	s.Delivery = t.Delivery
	return s, err
}

// UpdateStream lets edit change a stream's settings. One that is pushed to where
// it was keeps its authorization where edit leaves none. It fails with Invalid,
// Denied, NotFound or Conflict.
func (r *Receiver) UpdateStream(ctx context.Context, id string, edit func(*StreamSettings)) (StreamView, error) {
	t, err := r.owned(r.n.State(), id)
	if err != nil {
		return StreamView{}, err
	}
	old, err := r.n.settings(ctx, t)
	if err != nil {
		return StreamView{}, err
	}
	s := old
	s.Authorization = ""
	edit(&s)
	if s.Authorization == "" && s.Delivery == old.Delivery {
		s.Authorization = old.Authorization
	}
	if err := s.check(); err != nil {
		return StreamView{}, err
	}
	err = r.change(ctx, func(c *change) error {
		now, err := r.owned(c.Snapshot, id)
		if err != nil {
			return err
		}
		if now.Settings != t.Settings {
			return trust.Errorf(trust.Conflict, "the stream's settings changed meanwhile")
		}
		events, err := c.Stream.Update(c.streamFacts(), stream.Updated{ID: id, Delivery: s.Delivery, Events: s.types()})
		return c.addAll(events, err, sealed{text: s})
	})
	if err != nil {
		return StreamView{}, err
	}
	return r.Stream(ctx, id)
}

// DeleteStream ends a stream, and with it what it still owes. It fails with
// NotFound.
func (r *Receiver) DeleteStream(ctx context.Context, id string) error {
	err := r.change(ctx, func(c *change) error {
		if _, err := r.owned(c.Snapshot, id); err != nil {
			return err
		}
		return c.take(c.Stream.Delete(stream.Deleted{ID: id}))
	})
	if err != nil {
		return err
	}
	return r.n.forget(ctx, id)
}

// MoveStream changes a stream's status; why is the receiver's own words. It fails
// with Invalid, NotFound, or Denied for one that an operator stopped.
func (r *Receiver) MoveStream(ctx context.Context, id string, to stream.Status, why string) error {
	if len(why) > maxWords {
		return trust.Errorf(trust.Invalid, "a reason has at most %d bytes", maxWords)
	}
	return r.change(ctx, func(c *change) error {
		if _, err := r.owned(c.Snapshot, id); err != nil {
			return err
		}
		events, err := c.Stream.Move(stream.Moved{ID: id, To: to, Party: stream.Receiver})
		return c.addAll(events, err, sealed{text: moveText{why}})
	})
}

// moveText is the sealed part of a change of status.
type moveText struct {
	Reason string `json:"reason,omitempty"`
}

// VerifyStream lets a verification event be sent with a state of at most 1024
// bytes. It fails with NotFound or Invalid, and with *TooSoon for one that
// follows another closely.
func (r *Receiver) VerifyStream(ctx context.Context, id, state string) error {
	if err := r.manage(); err != nil {
		return err
	}
	t, err := r.owned(r.n.State(), id)
	if err != nil {
		return err
	}
	if len(state) > maxState {
		return trust.Errorf(trust.Invalid, "a state has at most %d bytes", maxState)
	}
	jti, err := r.n.randomID()
	if err != nil {
		return err
	}
	o, err := r.n.outlet(ctx, t.ID)
	if err != nil {
		return err
	}
	defer o.Unlock()
	now := r.n.Now()
	if wait := o.Asked + r.n.VerifyEvery() - now; o.Asked != 0 && wait > 0 {
		return &TooSoon{Wait: wait}
	}
	before := o.progress
	o.Asked, o.Verify = now, &verification{Jti: jti, State: state, At: now}
	if err := r.n.save(ctx, t.ID, o); err != nil {
		o.progress = before
		return err
	}
	r.n.outlets.changed()
	return nil
}

const maxState = 1024 // bytes

// AddSubject lets events about somebody be sent on a stream. The subject is named
// by an issuer of this organisation; whether there is such a person nobody is
// told. It fails with NotFound, Invalid, Denied or Conflict.
func (r *Receiver) AddSubject(ctx context.Context, id string, who signal.SubjectID) error {
	return r.changeSubject(ctx, id, who, func(c *change, rights client.Signals, key trust.SubjectKey, text subjectText) error {
		if rights.All {
			return nil // it hears of everybody
		}
		events, err := c.Stream.AddSubject(id, key)
		return c.addAll(events, err, sealed{owner: key, text: text})
	})
}

// RemoveSubject stops that again, likewise.
func (r *Receiver) RemoveSubject(ctx context.Context, id string, who signal.SubjectID) error {
	return r.changeSubject(ctx, id, who, func(c *change, rights client.Signals, key trust.SubjectKey, _ subjectText) error {
		if rights.All {
			return trust.Errorf(trust.Denied, "the stream is about everybody; nobody is removed from it")
		}
		return c.take(c.Stream.RemoveSubject(id, key))
	})
}

func (r *Receiver) changeSubject(ctx context.Context, id string, who signal.SubjectID, command func(*change, client.Signals, trust.SubjectKey, subjectText) error) error {
	return r.change(ctx, func(c *change) error {
		if _, err := r.owned(c.Snapshot, id); err != nil {
			return err
		}
		_, line, owner, err := c.speaks(who.Issuer)
		if who.Format != signal.IssSub || err != nil || owner != c.n.self {
			return trust.Errorf(trust.NotFound, "the subject is not named by an issuer of this organisation (iss_sub)")
		}
		known, _ := c.Client.Get(r.id)
		rights, _ := known.MayReceive()
		key := c.n.Keys.Subject(owner.String(), line.Namespace(), who.ID)
		return command(c, rights, key, subjectText{Issuer: who.Issuer, Subject: who.ID})
	})
}

// MoveStream lets an operator pause, resume or disable a stream, which the
// receiver cannot undo. It fails with Invalid, NotFound or Denied.
func (n *Node) MoveStream(ctx context.Context, a Actor, id string, to stream.Status, why string) error {
	_, err := n.write(ctx, a, func(c *change) error {
		events, err := c.Stream.Move(stream.Moved{ID: id, To: to, Party: stream.Operator, By: a.ID})
		return c.addAll(events, err, sealed{text: moveText{why}})
	})
	return err
}

// RemoveStream ends a stream, whatever it still owes. It fails with NotFound.
func (n *Node) RemoveStream(ctx context.Context, a Actor, id string) error {
	_, err := n.write(ctx, a, func(c *change) error { return c.take(c.Stream.Delete(stream.Deleted{ID: id, By: a.ID})) })
	if err != nil {
		return err
	}
	return n.forget(ctx, id)
}
