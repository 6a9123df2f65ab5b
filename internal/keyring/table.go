package keyring

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"errors"
	"iter"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver

	"github.com/entente-id/entente/trust"
)

// schema keeps a row after its key was erased: it tells a part that was sealed
// before from one that is damaged. An owner is an HMAC and names nobody.
const schema = `CREATE TABLE data_key (
	owner   BLOB PRIMARY KEY,
	wrapped BLOB,
	erased  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID`

// createTable makes an empty table of data keys.
func createTable(path string) error {
	// SQLite gives its other files the mode of this one.
	if err := writeSecret(path, nil); err != nil {
		return err
	}
	db, err := openTable(path)
	if err != nil {
		return err
	}
	_, err = db.Exec(schema)
	if err := errors.Join(err, db.Close()); err != nil {
		return unavailable("making the table of data keys", err)
	}
	return nil
}

// openTable opens the file with every write durable when it returns and every
// removed value overwritten.
func openTable(path string) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, unavailable("opening "+path, err)
	}
	name := url.URL{Scheme: "file", Path: absolute, RawQuery: "_txlock=immediate&_pragma=busy_timeout(10000)" +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(ON)"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, unavailable("opening "+path, err)
	}
	db.SetMaxOpenConns(4)
	return db, nil
}

// openDataKeys opens the table. A missing file is an error: made anew, it would
// hide that everything sealed has become unreadable.
func openDataKeys(path string, wrapper []byte) (*dataKeys, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, trust.Errorf(trust.NotFound, "there is no file %s; without it nothing sealed can be read", path)
	}
	aead, err := newGCM(wrapper)
	if err != nil {
		return nil, err
	}
	db, err := openTable(path)
	if err != nil {
		return nil, err
	}
	d := &dataKeys{db: db, wrapper: aead, cached: cache{size: cacheSize}, waiting: newBatch()}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return d, nil
}

// prepare has the two statements of a decision parsed once.
func (d *dataKeys) prepare() (err error) {
	d.read, err = d.db.Prepare("SELECT wrapped FROM data_key WHERE owner = ?")
	if err == nil {
		d.write, err = d.db.Prepare(`INSERT INTO data_key (owner, wrapped) VALUES (?, ?)
			ON CONFLICT (owner) DO UPDATE SET wrapped = excluded.wrapped WHERE wrapped IS NULL`)
	}
	if err != nil {
		return unavailable("reading the table of data keys", err)
	}
	return nil
}

func (d *dataKeys) close() error { return errors.Join(d.read.Close(), d.write.Close(), d.db.Close()) }

// load reads one key. It fails with NotFound when there is none or it was
// erased.
func (d *dataKeys) load(ctx context.Context, read *sql.Stmt, owner trust.SubjectKey) (cipher.AEAD, error) {
	var wrapped []byte
	err := read.QueryRowContext(ctx, owner[:]).Scan(&wrapped)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && wrapped == nil:
		return nil, trust.Errorf(trust.NotFound, "there is no data key for %x; it was erased or never made", owner)
	case err != nil:
		return nil, unavailable("reading a data key", err)
	}
	return d.unwrap(owner, wrapped)
}

// erasures counts how often the owner's key was erased.
func (d *dataKeys) erasures(ctx context.Context, owner trust.SubjectKey) (int, error) {
	var n int
	err := d.db.QueryRowContext(ctx, "SELECT erased FROM data_key WHERE owner = ?", owner[:]).Scan(&n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, unavailable("reading the table of data keys", err)
	}
	return n, nil
}

// insert commits a key for every owner of a batch that has none.
func (d *dataKeys) insert(ctx context.Context, b *batch) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return unavailable("making data keys", err)
	}
	write, read := tx.StmtContext(ctx, d.write), tx.StmtContext(ctx, d.read)
	for owner := range b.keys {
		key, err := d.insertOne(ctx, write, owner)
		if err == nil && key == nil {
			key, err = d.load(ctx, read, owner)
		}
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
		b.keys[owner] = key
	}
	if err := tx.Commit(); err != nil {
		return unavailable("making data keys", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for owner, key := range b.keys {
		d.cached.put(owner, key)
	}
	return nil
}

// insertOne makes the owner's key, or gives nil when the owner has one.
func (d *dataKeys) insertOne(ctx context.Context, write *sql.Stmt, owner trust.SubjectKey) (cipher.AEAD, error) {
	key := make([]byte, secretSize)
	rand.Read(key)
	result, err := write.ExecContext(ctx, owner[:], d.wrap(owner, key))
	if err != nil {
		return nil, unavailable("making a data key", err)
	}
	made, err := result.RowsAffected()
	switch {
	case err != nil:
		return nil, unavailable("making a data key", err)
	case made == 0:
		return nil, nil
	default:
		return newGCM(key)
	}
}

// allErasures gives all owners whose key was erased.
func (d *dataKeys) allErasures(ctx context.Context) (map[trust.SubjectKey]int, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT owner, erased FROM data_key WHERE erased > 0")
	if err != nil {
		return nil, unavailable("reading the table of data keys", err)
	}
	defer rows.Close()
	all := map[trust.SubjectKey]int{}
	for rows.Next() {
		var owner []byte
		var times int
		if err := rows.Scan(&owner, &times); err != nil {
			return nil, unavailable("reading the table of data keys", err)
		}
		all[trust.SubjectKey(owner)] = times
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("reading the table of data keys", err)
	}
	return all, nil
}

// eraseUpTo removes in one commit the keys that were erased less often than is said,
// from the table, from the write-ahead log and from memory. An owner without a row gets one, which counts.
func (d *dataKeys) eraseUpTo(ctx context.Context, owners iter.Seq2[trust.SubjectKey, int]) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return unavailable("erasing data keys", err)
	}
	var erased []trust.SubjectKey
	for owner, times := range owners {
		result, err := tx.ExecContext(ctx, `INSERT INTO data_key (owner, wrapped, erased) VALUES (?, NULL, ?)
			ON CONFLICT (owner) DO UPDATE SET wrapped = NULL, erased = excluded.erased WHERE erased < excluded.erased`, owner[:], times)
		var changed int64
		if err == nil {
			changed, err = result.RowsAffected()
		}
		if err != nil {
			return errors.Join(unavailable("erasing data keys", err), tx.Rollback())
		}
		if changed > 0 {
			erased = append(erased, owner)
		}
	}
	if err := tx.Commit(); err != nil {
		return unavailable("erasing data keys", err)
	}
	d.forget(erased...)
	return d.truncate(ctx)
}

// forget drops keys from memory.
func (d *dataKeys) forget(owners ...trust.SubjectKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, owner := range owners {
		d.cached.remove(owner)
	}
	d.erased++
}

// truncate removes what was erased from the write-ahead log.
func (d *dataKeys) truncate(ctx context.Context) error {
	var busy, pages, moved int
	err := d.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err == nil && busy != 0 {
		err = errors.New("another reader holds the write-ahead log")
	}
	if err != nil {
		return unavailable("erasing a data key from the write-ahead log; erase again", err)
	}
	return nil
}
