package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

const maxFile = 1 << 20 // bytes

// read gives the content of a file, or of standard input for "-".
func (a *app) read(path string) ([]byte, error) { return a.readUpTo(path, maxFile) }

// readUpTo is read with a limit of its own, in bytes.
func (a *app) readUpTo(path string, limit int64) ([]byte, error) {
	in := a.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, unreadable(path, err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if int64(len(data)) > limit {
		return nil, trust.Errorf(trust.Invalid, "%s is larger than %d bytes", path, limit)
	}
	return data, nil
}

func unreadable(path string, err error) error {
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		err = cause.Err
	}
	return trust.Errorf(trust.Invalid, "%s cannot be read: %w", path, err)
}

// readPrivate reads a file with a secret, which others must not be able to read.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, trust.Errorf(trust.Denied, "%s has mode %04o, so others may read it; a secret's file has 0600", path, mode)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	return data, nil
}

// document reads a YAML or JSON document of one kind into what v points to. An
// error names the file and the member.
func (a *app) document(path, kind string, v any) error {
	data, err := a.read(path)
	if err != nil {
		return err
	}
	converted, err := yaml.YAMLToJSON(data)
	if err != nil {
		first, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
		return trust.Errorf(trust.Invalid, "%s is no YAML: %s", path, first)
	}
	members, err := canonical.ParseObject(converted)
	if err != nil {
		return trust.Errorf(trust.Invalid, "%s: %w", path, err)
	}
	if got, _ := members.Text("kind"); got != kind {
		return trust.Errorf(trust.Invalid, "%s: member %q is %q; here it is %s", path, "/kind", got, kind)
	}
	if err := canonical.Decode(converted, v); err != nil {
		return trust.Errorf(trust.Invalid, "%s: %w", path, err)
	}
	return nil
}

// write puts a file in place as a whole, or writes to standard output for "-".
func (a *app) write(path string, data []byte, mode fs.FileMode) error {
	if path == "-" {
		return a.print(string(data))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".entente-*")
	if err != nil {
		return unwritable(path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return unwritable(path, err)
	}
	return nil
}

func unwritable(path string, err error) error {
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		err = cause.Err
	}
	return trust.Errorf(trust.Unavailable, "%s cannot be written: %w", path, err)
}
