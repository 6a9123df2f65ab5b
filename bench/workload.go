package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"
)

// workload is a node with the population's issuers as partners, the large state
// and the local policies.
type workload interface {
	// meet takes the token before token i to the node, which decides, records and
	// so knows that person; anything but a permit is an error.
	meet(ctx context.Context, i int) error
	// decide does the same with token i. The first time is a cold decision: a
	// token never seen, of a person seen before. Later ones are warm.
	decide(ctx context.Context, i int) error
	// exchange takes another token of person i to the node, which gives a
	// credential for it; cold and warm are as with decisions.
	exchange(ctx context.Context, i int) error
	// append adds one entry to the trust log.
	append(ctx context.Context) error
	// serve gives the handler of enforcement points, and the question about each
	// token as it goes over the wire.
	serve() (http.Handler, [][]byte, error)
	close() error
}

// measureDecisions compares decisions inside this process with bare
// verifications, in turn: first with tokens the node has not seen, then with
// tokens it has, drawn by Zipf. Every person was decided about once before, with
// an earlier token; what that first contact costs, a data key included, is a
// figure of its own.
func measureDecisions(ctx context.Context, dir string, n size, r *report) (err error) {
	p, err := populate(time.Now())
	if err != nil {
		return err
	}
	bare, err := p.bare()
	if err != nil {
		return err
	}
	node, err := openWorkload(ctx, filepath.Join(dir, "inside"), p)
	if err != nil {
		return fmt.Errorf("preparing the node: %w", err)
	}
	defer func() { err = first(err, node.close()) }()
	stop := beside(ctx, node)
	defer func() { err = first(err, stop()) }()

	person, err := take(ctx, tokenCount, n.Callers, func(i int) error { return node.meet(ctx, i) })
	if err != nil {
		return fmt.Errorf("deciding on new people: %w", err)
	}
	r.Person = append(r.Person, person)
	draws := zipf(tokenCount, n.Warm)
	for round := range n.Rounds {
		verify, err := take(ctx, n.Verifies, 1, func(i int) error {
			if !bare[i%len(bare)]() {
				return fmt.Errorf("token %d does not verify", i)
			}
			return nil
		})
		if err != nil {
			return err
		}
		cold, err := take(ctx, n.Cold, n.Callers, func(i int) error { return node.decide(ctx, round*n.Cold+i) })
		if err != nil {
			return fmt.Errorf("deciding on new tokens: %w", err)
		}
		seen := (round + 1) * n.Cold
		warm, err := take(ctx, n.Warm, n.Callers, func(i int) error { return node.decide(ctx, draws[i]%seen) })
		if err != nil {
			return fmt.Errorf("deciding on tokens seen before: %w", err)
		}
		r.Verify, r.Cold, r.Warm = append(r.Verify, verify), append(r.Cold, cold), append(r.Warm, warm)
	}
	return measureExchanges(ctx, p, node, n, r)
}

// measureExchanges compares exchanges inside this process with a bare
// verification and signature, in turn, as measureDecisions does.
func measureExchanges(ctx context.Context, p *population, node workload, n size, r *report) error {
	bare, err := p.bareSigned()
	if err != nil {
		return err
	}
	draws := zipf(tokenCount, n.Exchanges)
	for round := range n.Rounds {
		pair, err := take(ctx, n.Verifies, 1, func(i int) error {
			if !bare[i%len(bare)]() {
				return fmt.Errorf("token %d does not verify", i)
			}
			return nil
		})
		if err != nil {
			return err
		}
		cold, err := take(ctx, n.Cold, n.Callers, func(i int) error { return node.exchange(ctx, round*n.Cold+i) })
		if err != nil {
			return fmt.Errorf("exchanging new tokens: %w", err)
		}
		seen := (round + 1) * n.Cold
		warm, err := take(ctx, n.Exchanges, n.Callers, func(i int) error { return node.exchange(ctx, draws[i]%seen) })
		if err != nil {
			return fmt.Errorf("exchanging tokens seen before: %w", err)
		}
		r.Pair, r.ExchangeCold, r.ExchangeWarm = append(r.Pair, pair), append(r.ExchangeCold, cold), append(r.ExchangeWarm, warm)
	}
	return nil
}

// beside lets the trust log go on at its rate until the returned function is
// called, which gives the first error there was.
func beside(ctx context.Context, w workload) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	var failed error
	wait.Go(func() {
		tick := time.NewTicker(time.Second / trustRate)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := w.append(ctx); err != nil && ctx.Err() == nil {
					failed = fmt.Errorf("appending to the trust log meanwhile: %w", err)
					return
				}
			}
		}
	})
	return func() error {
		cancel()
		wait.Wait()
		return failed
	}
}

// servedDecisions is the node as a server: it has seen every token once before
// it is asked anything.
func servedDecisions(ctx context.Context, dir string) (http.Handler, [][]byte, func() error, error) {
	p, err := populate(time.Now())
	if err != nil {
		return nil, nil, nil, err
	}
	node, err := openWorkload(ctx, filepath.Join(dir, "served"), p)
	if err != nil {
		return nil, nil, nil, err
	}
	err = spread(ctx, tokenCount, full.Callers, func() {}, func(int) func(int) error {
		return func(i int) error { return node.decide(ctx, i) }
	})
	if err != nil {
		return nil, nil, nil, err
	}
	handler, requests, err := node.serve()
	stop := beside(ctx, node)
	return handler, requests, func() error { return first(stop(), node.close()) }, err
}
