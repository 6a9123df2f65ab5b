package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

const maxLeaversFile = 32 << 20 // bytes

// list is a file of leavers, with the issuer of all if its lines name none.
type list struct {
	path   string
	issuer string
	yes    bool
}

func (a *app) revokeList(ctx context.Context, l list, r node.RevokeRequest) error {
	data, err := a.readUpTo(l.path, maxLeaversFile)
	if err != nil {
		return err
	}
	leavers, err := parseLeavers(l.path, l.issuer, data)
	if err != nil {
		return err
	}
	count := strconv.Itoa(len(leavers))
	if err := a.confirm(danger{"Ending the engagements of " + count + " people", count, l.yes}); err != nil {
		return err
	}
	a.say("%s: %s lines without a fault; ending them in one act", l.path, count)
	return a.withNode(ctx, func(ctx context.Context, n *admin.Client) error {
		done, err := n.RevokeMany(ctx, admin.RevokeMany{Leavers: leavers, Reason: r.Reason, Incident: r.Incident})
		if err != nil {
			return err
		}
		if err := a.show(bulkView(done)); err != nil {
			return err
		}
		if _, ok := width(a.Err); ok {
			follow(ctx, done.Partners, n.Status, func(p trust.ParticipantID) { a.say("%s has taken it", p) })
		}
		return nil
	})
}

const (
	followFor  = 10 * time.Second
	watchEvery = 100 * time.Millisecond
)

// follow tells which partners have taken all that was queued for their safety
// lane, each once, until all have or followFor is over: for a person who watches.
// What is queued arrives without anybody watching, too.
func follow(ctx context.Context, partners []trust.ParticipantID, status func(context.Context) (node.Status, error), taken func(trust.ParticipantID)) {
	ctx, cancel := context.WithTimeout(ctx, followFor)
	defer cancel()
	awaited := slices.Clone(partners)
	for len(awaited) > 0 {
		s, err := status(ctx)
		if err != nil {
			return
		}
		for _, p := range s.Partners {
			if i := slices.Index(awaited, p.ID); i >= 0 && p.Queued[edge.Safety] == 0 {
				taken(p.ID)
				awaited = slices.Delete(awaited, i, i+1)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchEvery):
		}
	}
}

func bulkView(done node.BulkRevocation) view {
	at, partners := "–", make([]string, len(done.Partners))
	if done.Ended > 0 {
		at = done.Position.String()
	}
	for i, p := range done.Partners {
		partners[i] = p.String()
	}
	return view{
		data: done, names: []string{at},
		columns: []string{"REVOKED", "ENDED BEFORE", "POSITION", "SENT TO"},
		rows:    [][]string{{strconv.Itoa(done.Ended), strconv.Itoa(done.Subjects - done.Ended), at, strings.Join(partners, ", ")}},
	}
}

// faults are what is wrong with a list; the first is told, the others counted.
type faults struct {
	path  string
	first string
	count int
}

func (f *faults) add(line, column int, format string, values ...any) {
	if f.count++; f.count == 1 {
		f.first = fmt.Sprintf("%s, line %d, column %d: ", f.path, line, column) + fmt.Sprintf(format, values...)
	}
}

func (f *faults) err() error {
	switch f.count {
	case 0:
		return nil
	case 1:
		return trust.Errorf(trust.Invalid, "%s; nobody's engagement has ended", f.first)
	default:
		return trust.Errorf(trust.Invalid, "%s; and %d more faults; nobody's engagement has ended", f.first, f.count-1)
	}
}

// parseLeavers reads a list. Issuer is that of all, and then the list has no such
// column; empty is none. An error names line and column, from 1 in bytes, and the
// rule. It fails with Invalid.
func parseLeavers(path, issuer string, data []byte) ([]node.Leaver, error) {
	f := &faults{path: path}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	in.FieldsPerRecord = -1
	in.ReuseRecord = true
	var columns []string
	var leavers []node.Leaver
	for {
		fields, err := in.Read()
		if err == io.EOF {
			break
		}
		if broken, ok := errors.AsType[*csv.ParseError](err); ok {
			f.add(broken.Line, broken.Column, "%v; a field with a quote stands in quotes, in which each quote is doubled", broken.Err)
			break // where the next line begins is uncertain
		}
		if err != nil {
			return nil, trust.Errorf(trust.Invalid, "%s cannot be read: %w", path, err)
		}
		if columns == nil {
			columns = slices.Clone(fields)
			checkColumns(f, in, columns, issuer)
			if f.count > 0 {
				break
			}
			continue
		}
		leavers = append(leavers, leaver(f, in, columns, fields, issuer))
	}
	if f.count == 0 && len(leavers) == 0 {
		f.add(1, 1, "the list names nobody; its first line names the columns, and each one after it a person")
	}
	return leavers, f.err()
}

// checkColumns accepts subject and, unless all have one, issuer.
func checkColumns(f *faults, in *csv.Reader, columns []string, issuer string) {
	for i, name := range columns {
		line, column := in.FieldPos(i)
		switch {
		case name != "subject" && name != "issuer":
			f.add(line, column, "column %.40q is not known; a list has the columns subject and issuer, so that nothing else about people travels", name)
		case name == "issuer" && issuer != "":
			f.add(line, column, "column issuer stands beside the issuer of all that was given; only one of them can be right")
		case slices.Contains(columns[:i], name):
			f.add(line, column, "column %s stands there twice", name)
		}
	}
	if !slices.Contains(columns, "subject") {
		f.add(1, 1, "column subject is missing; the first line names the columns")
	}
	if issuer == "" && !slices.Contains(columns, "issuer") {
		f.add(1, 1, "column issuer is missing, and no issuer of all was given")
	}
}

func leaver(f *faults, in *csv.Reader, columns, fields []string, issuer string) node.Leaver {
	l := node.Leaver{Issuer: issuer}
	if len(fields) != len(columns) {
		line, column := in.FieldPos(len(fields) - 1)
		f.add(line, column, "the line has %d fields; the first line names %d columns", len(fields), len(columns))
		return l
	}
	for i, name := range columns {
		value := fields[i]
		line, column := in.FieldPos(i)
		switch {
		case value == "":
			f.add(line, column, "%s is empty; each line names one", name)
		case value != strings.TrimSpace(value):
			f.add(line, column, "%s has space around it; it stands as tokens carry it", name)
		case !utf8.ValidString(value):
			f.add(line, column, "%s is not UTF-8", name)
		}
		if name == "issuer" {
			l.Issuer = value
		} else {
			l.Subject = value
		}
	}
	return l
}
