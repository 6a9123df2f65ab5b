package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// load puts ops requests to the server by callers with a kept connection each,
// and measures the server's own CPU time. Which request is the i-th, pick says;
// every answer must be 200 and contain want.
func (s *server) load(ctx context.Context, ops, callers int, pick func(i int) int, want []byte) (measure, error) {
	connections := make([]*connection, callers)
	for c := range connections {
		var err error
		if connections[c], err = s.dial(); err != nil {
			return measure{}, err
		}
		defer connections[c].Close()
	}
	before, err := s.cpu()
	if err != nil {
		return measure{}, err
	}
	start := time.Now()
	err = spread(ctx, ops, callers, func() {}, func(c int) func(int) error {
		return func(i int) error { return connections[c].ask(s.Requests[pick(i)], want) }
	})
	wall := time.Since(start)
	if err != nil {
		return measure{}, err
	}
	after, err := s.cpu()
	return measure{Ops: ops, CPU: after - before, Wall: wall}, err
}

// connection is one caller's. It is plainer than net/http's client, so that the
// callers leave the machine to the server.
type connection struct {
	net.Conn
	in   *bufio.Reader
	body bytes.Buffer
}

func (s *server) dial() (*connection, error) {
	c, err := net.Dial("tcp", s.Address)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: c, in: bufio.NewReader(c)}, nil
}

func (c *connection) ask(request, want []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	c.body.Reset()
	if _, err := io.Copy(&c.body, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || !bytes.Contains(c.body.Bytes(), want) {
		return fmt.Errorf("answer is %s, %s; want %s", answer.Status, c.body.Bytes(), want)
	}
	return nil
}
