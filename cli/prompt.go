package cli

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/entente-id/entente/trust"
)

// danger is an act that is hard to take back.
type danger struct {
	what string // "Suspending https://…"
	name string // to be typed
	yes  bool   // --yes was given
}

// confirm lets a dangerous act pass when --yes was given or a person at the
// terminal types the name of what it is done to.
func (a *app) confirm(d danger) error {
	if d.yes {
		return nil
	}
	if !a.interactive() {
		return trust.Errorf(trust.Invalid, "%s needs --yes where nobody can be asked", d.what)
	}
	typed, err := a.ask(d.what + " takes effect at once. Type " + d.name + " to go on: ")
	if err != nil {
		return err
	}
	if typed != d.name {
		return trust.Errorf(trust.Denied, "%s was not confirmed", d.what)
	}
	return nil
}

// interactive reports whether a person can be asked: standard input is a
// terminal, and nobody said otherwise.
func (a *app) interactive() bool {
	f, ok := a.In.(*os.File)
	return ok && !a.noInput && term.IsTerminal(int(f.Fd()))
}

// atTerminal talks to the person at the terminal, wherever standard output and
// standard error go.
func atTerminal(talk func(*os.File) error) error {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return trust.Errorf(trust.Unavailable, "the terminal cannot be opened: %w", err)
	}
	defer tty.Close()
	return talk(tty)
}

func (a *app) ask(question string) (answer string, err error) {
	err = atTerminal(func(tty *os.File) error {
		fmt.Fprint(tty, clean(question))
		line, err := bufio.NewReader(tty).ReadString('\n')
		if err != nil {
			return trust.Errorf(trust.Invalid, "no answer was given")
		}
		answer = strings.TrimRight(line, "\r\n")
		return nil
	})
	return answer, err
}

// passphrase reads the passphrase of a governance key from a file that nobody
// else may read, or asks for it, twice when it is new. It never comes from an
// argument or the environment, which other processes can see.
func (a *app) passphrase(file string, again bool) (string, error) {
	if file != "" {
		data, err := readPrivate(file)
		if err != nil {
			return "", err
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	if !a.interactive() {
		return "", trust.Errorf(trust.Invalid, "the governance key's passphrase needs --passphrase-file where nobody can be asked")
	}
	first, err := a.hidden("Passphrase of the governance key: ")
	if err != nil || !again {
		return first, err
	}
	second, err := a.hidden("Once more: ")
	if err == nil && first != second {
		err = trust.Errorf(trust.Invalid, "the two passphrases differ")
	}
	return first, err
}

func (a *app) hidden(question string) (answer string, err error) {
	err = atTerminal(func(tty *os.File) error {
		fmt.Fprint(tty, question)
		defer fmt.Fprintln(tty)
		data, err := term.ReadPassword(int(tty.Fd()))
		if err != nil {
			return trust.Errorf(trust.Invalid, "no passphrase was given")
		}
		answer = string(data)
		return nil
	})
	return answer, err
}
