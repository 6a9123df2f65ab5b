package main

import (
	"context"
	"fmt"
)

// voidAbove is what the floor may cost, in CPU microseconds a request: above it
// the machine is too busy, or too unlike the one the bars were set on.
const voidAbove = 45

var permitted = []byte(`"decision":true`)

// measureHTTP compares a decision over HTTP, warm and recorded durably, with the
// bare handler: each in a process of its own, loaded in turn.
func measureHTTP(ctx context.Context, dir string, n size, r *report) (err error) {
	floor, err := start(ctx, "floor", dir)
	if err != nil {
		return err
	}
	defer func() { err = first(err, floor.stop()) }()
	node, err := start(ctx, "decisions", dir)
	if err != nil {
		return err
	}
	defer func() { err = first(err, node.stop()) }()
	draws := zipf(len(node.Requests), n.Requests)
	for range n.Rounds + 1 { // the first warms both up
		bare, err := floor.load(ctx, n.Requests, n.Callers, func(int) int { return 0 }, permitted)
		if err != nil {
			return fmt.Errorf("loading the bare handler: %w", err)
		}
		warm, err := node.load(ctx, n.Requests, n.Callers, func(i int) int { return draws[i] }, permitted)
		if err != nil {
			return fmt.Errorf("loading the node: %w", err)
		}
		r.Floor, r.HTTP = append(r.Floor, bare), append(r.HTTP, warm)
	}
	r.Floor, r.HTTP = r.Floor[1:], r.HTTP[1:]
	if cost := r.Floor.cost(); cost > voidAbove {
		r.Void = fmt.Sprintf("the bare handler costs %.1f CPU µs a request, more than %d", cost, voidAbove)
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
