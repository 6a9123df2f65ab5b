// Command entente is a node of the Entente network and everything to run it by.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/entente-id/entente/cli"
	"github.com/entente-id/entente/demo"
	"github.com/entente-id/entente/internal/serve"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Program{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, Now: time.Now, Rand: rand.Reader,
		Serve: serve.Run, Create: serve.Create, Recover: serve.Recover, Demo: demo.Run,
	}.Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
