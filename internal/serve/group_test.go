package serve_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/entente-id/entente/internal/serve"
	"github.com/entente-id/entente/trust"
)

func unixClient(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}}
}

func TestRequestsUnderWayFinish(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	listener, err := serve.ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	var g serve.Group
	g.Add("admin", listener, serve.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		io.WriteString(w, "finished")
	}), serve.DefaultLimits(), silent))
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- g.Run(ctx, time.Minute) }()

	type result struct {
		body []byte
		err  error
	}
	answered := make(chan result, 1)
	go func() {
		response, err := unixClient(path).Get("http://admin/")
		if err != nil {
			answered <- result{nil, err}
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		answered <- result{body, err}
	}()
	<-entered
	stop()
	for { // until the listener is gone, the request still being under way
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			continue
		}
		break
	}
	close(leave)
	if r := <-answered; r.err != nil || string(r.body) != "finished" {
		t.Errorf("the request under way: %q, %v", r.body, r.err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stopping: %v", err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestRequestsPastTheDrainAreCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	listener, err := serve.ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	entered := make(chan struct{})
	var g serve.Group
	g.Add("admin", listener, serve.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}), serve.DefaultLimits(), silent))
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- g.Run(ctx, 10*time.Millisecond) }()
	go unixClient(path).Get("http://admin/")
	<-entered
	stop()
	if err := <-stopped; trust.KindOf(err) != trust.Unavailable {
		t.Errorf("stopping: %v", err)
	}
}

func TestOneFailureStopsAll(t *testing.T) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	second, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	second.Close() // it will fail at once
	var g serve.Group
	g.Add("first", first, serve.NewServer(echo, serve.DefaultLimits(), silent))
	g.Add("second", second, serve.NewServer(echo, serve.DefaultLimits(), silent))
	if err := g.Run(t.Context(), time.Minute); trust.KindOf(err) != trust.Internal {
		t.Errorf("%v", err)
	}
	if conn, err := net.Dial("tcp", first.Addr().String()); err == nil {
		conn.Close()
		t.Error("the other listener goes on")
	}
}

func TestUnixSocketIsForThisUserOnly(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "admin.sock")
	listener, err := serve.ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestASocketInUseIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	listener, err := serve.ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := serve.ListenUnix(t.Context(), path); trust.KindOf(err) != trust.Conflict {
		t.Errorf("in use: %v", err)
	}
	if conn, err := net.Dial("unix", path); err != nil {
		t.Errorf("the first listener lost its socket: %v", err)
	} else {
		conn.Close()
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false) // as after a crash
	listener.Close()
	again, err := serve.ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatalf("a stale socket: %v", err)
	}
	again.Close()
}

func TestAFileInTheSocketsPlaceIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := serve.ListenUnix(t.Context(), path); trust.KindOf(err) != trust.Conflict {
		t.Errorf("%v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "precious" {
		t.Errorf("%q, %v", content, err)
	}
	if _, err := serve.ListenUnix(t.Context(), filepath.Join(path, "below")); trust.KindOf(err) != trust.Unavailable {
		t.Errorf("no such folder: %v", err)
	}
}

// The admin plane takes a list of everybody who leaves (R76), and no more than
// that.
func TestTheAdminPlaneTakesALongList(t *testing.T) {
	server := serve.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		} else {
			fmt.Fprint(w, n)
		}
	}), serve.AdminLimits(), silent)
	for length, want := range map[int]int{10 << 20: http.StatusOK, 32<<20 + 1: http.StatusRequestEntityTooLarge} {
		w := httptest.NewRecorder()
		server.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/revocations", bytes.NewReader(make([]byte, length))))
		if w.Code != want {
			t.Errorf("%d bytes are answered %d, want %d", length, w.Code, want)
		}
	}
}
