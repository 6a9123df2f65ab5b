package pep

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/trust"
)

const (
	reportEvery = time.Second
	maxReported = 1_000  // uses in one report
	maxKept     = 4_096  // permits that are reused at a time
	maxOwed     = 50_000 // uses; beyond them nothing is reused
)

// reuse is the permits that are given again without asking, and the uses that
// the node has yet to hear of.
type reuse struct {
	mu   *sync.Mutex
	kept map[string]*kept // by the body of the question
	owed map[string][]int64
	debt int           // uses in owed
	full chan struct{} // wakes who reports
}

// kept is a permit that is looked after as a session is, until an instant.
type kept struct {
	answer  Answer
	session Session
	until   time.Time
}

func newReuse() reuse {
	return reuse{mu: new(sync.Mutex), kept: map[string]*kept{}, owed: map[string][]int64{}, full: make(chan struct{}, 1)}
}

// AskOrReuse asks as Ask does, and for as long as the node lets a permit be relied
// on gives it again for the identical question without asking, while the watch
// stream vouches for it. Every such use is reported, and recorded by the node. A
// question with a DPoP proof is always asked: the proof is for one call.
//
// A process that dies takes up to a second of its uses along unreported; where
// every call has to be on record before it is served, Ask is the one to call.
func (n *Node) AskOrReuse(ctx context.Context, q Question) (Answer, error) {
	if q.Proof.DPoP != "" {
		return n.Ask(ctx, q)
	}
	body, err := q.body(true)
	if err != nil {
		return Answer{}, err
	}
	key := string(body)
	if answer, ok := n.reuse.take(key, time.Now()); ok {
		return answer, nil
	}
	if !n.Live() || !n.reuse.room() {
		return n.Ask(ctx, q)
	}
	asked := time.Now()
	answer, session, err := n.Open(context.WithoutCancel(ctx), q)
	switch {
	case trust.KindOf(err) == trust.Unavailable, err == nil && answer.Reason == trust.Unwatched:
		return n.Ask(ctx, q) // the stream is gone: nothing is reused
	case err != nil || !answer.Permit:
		return answer, err
	}
	k := &kept{answer, session, asked.Add(answer.TTL)}
	if answer.TTL <= 0 || !n.reuse.keep(key, k) {
		session.Release()
		return answer, nil
	}
	context.AfterFunc(session.Context, func() { n.reuse.forget(key, k) })
	time.AfterFunc(answer.TTL, func() { n.reuse.forget(key, k); session.Release() })
	return answer, nil
}

// take gives a permit again, and notes the use.
func (r *reuse) take(key string, now time.Time) (Answer, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.kept[key]
	if k == nil || k.session.Context.Err() != nil || !now.Before(k.until) || r.debt >= maxOwed {
		return Answer{}, false
	}
	uses := append(r.owed[k.answer.Reference], now.Unix())
	r.owed[k.answer.Reference] = uses
	if r.debt++; len(uses) == maxReported {
		select {
		case r.full <- struct{}{}:
		default:
		}
	}
	return k.answer, true
}

func (r *reuse) room() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kept) < maxKept && r.debt < maxOwed
}

// keep is false where another asker of the same kept one first.
func (r *reuse) keep(key string, k *kept) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept[key] != nil {
		return false
	}
	r.kept[key] = k
	return true
}

func (r *reuse) forget(key string, k *kept) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept[key] == k {
		delete(r.kept, key)
	}
}

// next gives uses to report, of one permit; they stay owed.
func (r *reuse) next() (reference string, uses []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for reference, uses = range r.owed {
		return reference, uses[:min(len(uses), maxReported)]
	}
	return "", nil
}

func (r *reuse) paid(reference string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.debt -= n
	if rest := r.owed[reference][n:]; len(rest) > 0 {
		r.owed[reference] = rest
	} else {
		delete(r.owed, reference)
	}
}

// keepReporting tells the node what was reused, until ctx ends; then it tells the
// rest.
func (n *Node) keepReporting(ctx context.Context) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		n.report(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-n.reuse.full:
		}
	}
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), n.config.Timeout)
	defer stop()
	n.report(last)
}

// report tells what is owed, and stops at what the node cannot take now. What it
// refuses for good is of no use to tell again.
func (n *Node) report(ctx context.Context) {
	for {
		reference, uses := n.reuse.next()
		if len(uses) == 0 {
			return
		}
		body, err := json.Marshal(struct {
			Uses []int64 `json:"uses"`
		}{uses})
		if err != nil {
			return
		}
		answer, err := n.send(ctx, http.MethodPost, sessionPath+reference+"/uses", body, "", "")
		if err != nil {
			return
		}
		_ = answer.Body.Close()
		switch answer.StatusCode {
		case http.StatusNoContent, http.StatusBadRequest, http.StatusNotFound:
			n.reuse.paid(reference, len(uses))
		default:
			return
		}
	}
}
