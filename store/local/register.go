package local

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// oldestSQLite is the first version without the WAL checkpoint race that could
// lose committed registers.
var oldestSQLite = [3]int{3, 51, 3}

const schema = `CREATE TABLE IF NOT EXISTS register (
	bucket TEXT NOT NULL,
	key    BLOB NOT NULL,
	value  BLOB NOT NULL,
	PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID`

// registers are the small values that may change.
type registers struct{ db *sql.DB }

func openRegisters(dir string) (*registers, error) {
	path := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.Join(dir, "state.db")}).EscapedPath()}).String()
	db, err := sql.Open("sqlite", path+"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, internal("opening state.db: %w", err)
	}
	db.SetMaxOpenConns(4)
	r := &registers{db: db}
	if err := r.prepare(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

func (r *registers) prepare() error {
	var version string
	if err := r.db.QueryRow("SELECT sqlite_version()").Scan(&version); err != nil {
		return sqlError("opening state.db", err)
	}
	if !recentSQLite(version) {
		return trust.Errorf(trust.Internal, "SQLite is %s; 3.51.3 or later is needed", version)
	}
	if _, err := r.db.Exec(schema); err != nil {
		return sqlError("opening state.db", err)
	}
	return nil
}

func recentSQLite(version string) bool {
	parts := strings.Split(version, ".")
	for i, oldest := range oldestSQLite {
		if i >= len(parts) {
			return false
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil || n != oldest {
			return err == nil && n > oldest
		}
	}
	return true
}

func (r *registers) put(ctx context.Context, pairs []store.Pair) error {
	for _, p := range pairs {
		if p.Bucket == "" || p.Key == "" {
			return trust.Errorf(trust.Invalid, "register %q/%q has no name; bucket and key are not empty", p.Bucket, p.Key)
		}
	}
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return sqlError("writing registers", err)
	}
	for _, p := range pairs {
		if p.Value == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM register WHERE bucket = ? AND key = ?", p.Bucket, []byte(p.Key))
		} else {
			_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO register VALUES (?, ?, ?)", p.Bucket, []byte(p.Key), p.Value)
		}
		if err != nil {
			return sqlError("writing register "+p.Bucket+"/"+p.Key, errors.Join(err, tx.Rollback()))
		}
	}
	if err := tx.Commit(); err != nil {
		return sqlError("writing registers", err)
	}
	return nil
}

func (r *registers) get(ctx context.Context, bucket, key string) ([]byte, error) {
	var value []byte
	err := r.db.QueryRowContext(ctx, "SELECT value FROM register WHERE bucket = ? AND key = ?", bucket, []byte(key)).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, trust.Errorf(trust.NotFound, "register %s/%s is not there", bucket, key)
	}
	if err != nil {
		return nil, sqlError("reading register "+bucket+"/"+key, err)
	}
	return notNil(value), nil
}

// notNil gives an empty value as one that is there.
func notNil(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

func (r *registers) scan(ctx context.Context, bucket, prefix, after string, limit int) ([]store.Pair, error) {
	query, args := "SELECT key, value FROM register WHERE bucket = ? AND key >= ?", []any{bucket, []byte(prefix)}
	if end := pastPrefix(prefix); end != nil {
		query, args = query+" AND key < ?", append(args, end)
	}
	if after != "" {
		query, args = query+" AND key > ?", append(args, []byte(after))
	}
	rows, err := r.db.QueryContext(ctx, query+" ORDER BY key LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, sqlError("reading bucket "+bucket, err)
	}
	var pairs []store.Pair
	for rows.Next() && err == nil {
		p := store.Pair{Bucket: bucket}
		var key []byte
		err = rows.Scan(&key, &p.Value)
		p.Key, p.Value = string(key), notNil(p.Value)
		pairs = append(pairs, p)
	}
	if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
		return nil, sqlError("reading bucket "+bucket, err)
	}
	return pairs, nil
}

// pastPrefix is the first key that comes after all those with the prefix, or
// nil where there is none.
func pastPrefix(prefix string) []byte {
	end := []byte(prefix)
	for len(end) > 0 && end[len(end)-1] == 0xff {
		end = end[:len(end)-1]
	}
	if len(end) > 0 {
		end[len(end)-1]++
		return end
	}
	return nil
}

// sqlError says whether trying again later can help.
func sqlError(doing string, err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return trust.Errorf(trust.Unavailable, "%s: %w", doing, err)
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return trust.Errorf(trust.Unavailable, "%s: %w", doing, err)
	}
	return trust.Errorf(trust.Internal, "%s: %w", doing, err)
}
