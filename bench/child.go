package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// greeting is the first line that a server under load writes: where it listens,
// and the requests it can be asked, head and body as they go over the wire.
type greeting struct {
	Address  string
	Requests [][]byte
}

// child is a server process under load. After its greeting it answers each line
// it reads with the CPU nanoseconds it has used, and ends when its input ends.
func child(ctx context.Context, kind, dir string) error {
	handler, requests, end, err := served(ctx, kind, dir)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(greeting{Address: listener.Addr().String(), Requests: requests}); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		runtime.GC()
		if err := out.Encode(cpuTime().Nanoseconds()); err != nil {
			return err
		}
	}
	if err := server.Close(); err != nil {
		return err
	}
	<-failed
	return end()
}

// served gives what a child serves, the requests for it, and how to end it.
func served(ctx context.Context, kind, dir string) (http.Handler, [][]byte, func() error, error) {
	switch kind {
	case "floor":
		request := post("/", "", floorBody())
		return http.HandlerFunc(floorHandler), [][]byte{request}, func() error { return nil }, nil
	case "decisions":
		return servedDecisions(ctx, dir)
	default:
		return nil, nil, nil, fmt.Errorf("there is no server named %q", kind)
	}
}

// post renders a request as it goes over the wire.
func post(path, credential string, body []byte) []byte {
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n", path)
	if credential != "" {
		request = fmt.Appendf(request, "Authorization: Bearer %s\r\n", credential)
	}
	request = fmt.Appendf(request, "Content-Length: %d\r\n\r\n", len(body))
	return append(request, body...)
}

// server is a child as its parent sees it.
type server struct {
	greeting
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func start(ctx context.Context, kind, dir string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{cmd: exec.CommandContext(ctx, self, "-serve", kind, "-dir", dir)}
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.out = json.NewDecoder(out)
	if err := s.out.Decode(&s.greeting); err != nil {
		return nil, fmt.Errorf("waiting for the %s server: %w", kind, err)
	}
	return s, nil
}

// cpu asks the child what it has used.
func (s *server) cpu() (time.Duration, error) {
	if _, err := s.in.Write([]byte("\n")); err != nil {
		return 0, err
	}
	var used time.Duration
	err := s.out.Decode(&used)
	return used, err
}

func (s *server) stop() error {
	if err := s.in.Close(); err != nil {
		return err
	}
	return s.cmd.Wait()
}
