package ledger

import "io"

// Salts gives what hands out salts by a source of randomness.
func Salts(random io.Reader) (func() [saltSize]byte, error) {
	s, err := newSalts(random)
	if err != nil {
		return nil, err
	}
	return s.next, nil
}

// Waiting gives how many requests the next group holds so far.
func (l *Log[S]) Waiting() int {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	return l.queue.waiting()
}
