package main

import (
	"os"
	"sync"
)

// rawLog is the least that a durable log can be: whoever is waiting goes down in
// one write and one sync.
type rawLog struct {
	file *os.File
	end  sync.WaitGroup

	mu   sync.Mutex
	wake *sync.Cond
	next *rawGroup
	shut bool
}

// rawGroup is what goes down together.
type rawGroup struct {
	buf  []byte
	done chan struct{}
	err  error // to be read when done
}

func openRawLog(path string) (*rawLog, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	l := &rawLog{file: file, next: &rawGroup{done: make(chan struct{})}}
	l.wake = sync.NewCond(&l.mu)
	l.end.Go(l.write)
	return l, nil
}

// append returns when entry is durable.
func (l *rawLog) append(entry []byte) error {
	l.mu.Lock()
	g := l.next
	g.buf = append(g.buf, entry...)
	l.mu.Unlock()
	l.wake.Signal()
	<-g.done
	return g.err
}

func (l *rawLog) write() {
	var spare []byte
	for g := l.take(spare); g != nil; g = l.take(spare) {
		if _, g.err = l.file.Write(g.buf); g.err == nil {
			g.err = datasync(l.file)
		}
		spare = g.buf[:0]
		close(g.done)
	}
}

// take waits for the next group and begins another, in memory used before.
func (l *rawLog) take(spare []byte) *rawGroup {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.next.buf) == 0 {
		if l.shut {
			return nil
		}
		l.wake.Wait()
	}
	g := l.next
	l.next = &rawGroup{buf: spare, done: make(chan struct{})}
	return g
}

func (l *rawLog) close() error {
	l.mu.Lock()
	l.shut = true
	l.mu.Unlock()
	l.wake.Signal()
	l.end.Wait()
	return l.file.Close()
}
