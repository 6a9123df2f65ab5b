package node

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

const (
	receiptBucket = "receipts"      // how far the decision log was read
	markBucket    = "receipts.mark" // column and block to the entry of the block's first number
	idBucket      = "receipts.id"   // txn or reference, committed to, and an entry
	nameBucket    = "receipts.name" // partner and pairwise identifier to the subject
	receiptCursor = "cursor/2"
	blockSize     = 256                   // numbers from one mark to the next
	recentNumbers = 4096                  // of a column whose entries are known without a look at the marks
	saveEvery     = 8192                  // entries
	readPause     = 50 * time.Millisecond // between two pages: at most ten thousand entries a second
	knownFirsts   = 1 << 14               // entries that others may repeat and whose owner is known without a look
)

// columnKey names the receipts of one series of one edge in one direction.
type columnKey struct {
	Partner trust.ParticipantID
	Side    finding.Side // what we are on it
	Series  uint32
}

func (k columnKey) String() string {
	if k.Series == 0 {
		return k.Partner.String() + " " + string(k.Side)
	}
	return fmt.Sprintf("%s %s %d", k.Partner, k.Side, k.Series)
}

// column is where the numbers of a series stand in the decision log: as the host,
// the decisions on the partner's subjects; as the home, the receipts recorded.
type column struct {
	head   uint64
	epoch  uint32   // of the host's ledger in the last batch; at the home alone
	told   uint64   // the host's own head in it; at the home alone
	recent []uint64 // the entries of the last numbers, that of head last
}

// receiptLog is a projection of the decision log: which of its entries have which
// numbers. It goes behind the log as far as somebody asked for, is never ahead of
// it, and can be made again.
type receiptLog struct {
	mu       sync.Mutex
	read     uint64 // entries looked at
	wanted   uint64 // entries to look at
	columns  map[columnKey]*column
	firsts   map[uint64]trust.ParticipantID // whose caller an entry was decided for
	partners map[string]trust.ParticipantID
	pending  []store.Pair
	saved    uint64
	advanced chan struct{} // closed when read moves
	asked    chan struct{} // closed when wanted moves
	spent    map[share]budget
}

func newReceiptLog() *receiptLog {
	return &receiptLog{
		columns: map[columnKey]*column{}, firsts: map[uint64]trust.ParticipantID{}, partners: map[string]trust.ParticipantID{},
		advanced: make(chan struct{}), asked: make(chan struct{}), spent: map[share]budget{},
	}
}

// savedColumns is the cursor on disk.
type savedColumns struct {
	Read    uint64        `json:"read"`
	Columns []savedColumn `json:"columns"`
}

type savedColumn struct {
	Partner trust.ParticipantID `json:"partner"`
	Side    finding.Side        `json:"side"`
	Series  uint32              `json:"series,omitzero"`
	Head    uint64              `json:"head"`
	Epoch   uint32              `json:"epoch,omitzero"`
	Told    uint64              `json:"told,omitzero"`
}

// keepReceipts looks at what is asked for, until ctx ends. Decisions cost it
// nothing while no partner asks.
func (n *Node) keepReceipts(ctx context.Context) {
	for ctx.Err() == nil {
		changed := n.decisions.Watch()
		asked, due := n.receipts.due()
		if !due {
			wait(ctx, asked, time.Hour)
			continue
		}
		more, err := n.followReceipts(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			n.Log.Error("the receipts could not follow the decision log; trying again", "error", err)
			wait(ctx, nil, lastRetry)
		case more:
			wait(ctx, nil, readPause)
		default:
			if _, due = n.receipts.due(); due {
				wait(ctx, changed, lastRetry)
			}
		}
	}
	if err := n.saveReceipts(context.WithoutCancel(ctx)); err != nil {
		n.Log.Warn("the receipts' cursor was not saved; the next start reads the decisions again", "error", err)
	}
}

// due reports whether there are entries to look at, and gives the channel that is
// closed when there are.
func (l *receiptLog) due() (asked <-chan struct{}, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked, l.read < l.wanted
}

// want asks for the first entries of the decision log; callers hold the lock.
func (l *receiptLog) want(entries uint64) {
	if entries <= l.wanted {
		return
	}
	l.wanted = entries
	close(l.asked)
	l.asked = make(chan struct{})
}

// loadReceipts takes up where the last run ended.
func (n *Node) loadReceipts(ctx context.Context) error {
	value, err := n.Store.Get(ctx, receiptBucket, receiptCursor)
	if trust.KindOf(err) == trust.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	var s savedColumns
	if err := canonical.Decode(value, &s); err != nil || s.Read > n.decisions.Size() {
		n.Log.Warn("the receipts' cursor does not fit the decision log; reading that from its beginning", "error", err)
		return nil
	}
	l := n.receipts
	l.read, l.saved = s.Read, s.Read
	for _, c := range s.Columns {
		l.columns[columnKey{c.Partner, c.Side, c.Series}] = &column{head: c.Head, epoch: c.Epoch, told: c.Told}
	}
	return nil
}

// followReceipts looks at the next page; true where there may be more.
func (n *Node) followReceipts(ctx context.Context) (more bool, err error) {
	l := n.receipts
	records, err := n.decisions.Read(ctx, l.read, readAtOnce) // nobody else moves it
	if err != nil || len(records) == 0 {
		return false, err
	}
	for _, r := range records {
		if err := n.number(ctx, r); err != nil {
			return false, err
		}
		l.mu.Lock()
		l.read = r.Position.N + 1
		l.mu.Unlock()
	}
	l.mu.Lock()
	close(l.advanced)
	l.advanced = make(chan struct{})
	due := l.read-l.saved >= saveEvery || len(l.pending) > 0
	l.mu.Unlock()
	if due {
		err = n.saveReceipts(ctx)
	}
	return len(records) == readAtOnce, err
}

func (n *Node) saveReceipts(ctx context.Context) error {
	l := n.receipts
	l.mu.Lock()
	s := savedColumns{Read: l.read, Columns: []savedColumn{}}
	for k, c := range l.columns {
		s.Columns = append(s.Columns, savedColumn{k.Partner, k.Side, k.Series, c.head, c.epoch, c.told})
	}
	pairs := slices.Clone(l.pending)
	l.mu.Unlock()
	value, err := canonical.Marshal(s)
	if err != nil {
		return err
	}
	if err := n.Store.Put(ctx, append(pairs, store.Pair{Bucket: receiptBucket, Key: receiptCursor, Value: value})...); err != nil {
		return err
	}
	l.mu.Lock()
	l.pending, l.saved = l.pending[len(pairs):], s.Read
	l.mu.Unlock()
	return nil
}

// number gives an entry of the decision log its number, where it has one.
func (n *Node) number(ctx context.Context, r ledger.Record) error {
	l := n.receipts
	switch r.Kind {
	case counterKind.Name:
		c, ids, err := n.counterIndex(ctx, r)
		if err != nil {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.pending = append(l.pending, ids...)
		l.add(columnKey{c.Host, finding.Home, c.Series}, r.Position.N)
		return nil
	case batchKind.Name:
		var b batchLeaf
		if err := canonical.Decode(r.Body, &b); err != nil {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		c := l.column(columnKey{b.Host, finding.Home, b.Series})
		c.epoch, c.told = b.Epoch, b.Head
		return nil
	case decision.IssuedKind.Name:
		if err := n.nameAbroad(r); err != nil {
			return err
		}
	}
	partner, err := n.whose(ctx, r)
	if err != nil || partner.IsZero() {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(columnKey{partner, finding.Host, receipt.SeriesOf(r.Position.Epoch)}, r.Position.N)
	return nil
}

func (l *receiptLog) column(k columnKey) *column {
	if l.columns[k] == nil {
		l.columns[k] = &column{}
	}
	return l.columns[k]
}

func (l *receiptLog) add(k columnKey, entry uint64) {
	c := l.column(k)
	c.head++
	if c.head%blockSize == 1 {
		l.pending = append(l.pending, store.Pair{Bucket: markBucket, Key: markKey(k, c.head), Value: fmt.Appendf(nil, "%x", entry)})
	}
	if c.recent = append(c.recent, entry); len(c.recent) >= 2*recentNumbers {
		c.recent = slices.Clone(c.recent[recentNumbers:])
	}
}

func markKey(k columnKey, number uint64) string {
	return fmt.Sprintf("%s %016x", k, (number-1)/blockSize)
}

// whose gives the partner that answers for the caller of a decision; zero for one
// on our own people, on nobody who was verified, and for any other entry.
func (n *Node) whose(ctx context.Context, r ledger.Record) (trust.ParticipantID, error) {
	kind := trust.Kind{Name: r.Kind, Version: r.Version}
	if _, again := decision.Repeats(kind); again {
		again, err := decision.ParseAgain(kind, r.Body)
		if err != nil {
			return trust.ParticipantID{}, err
		}
		return n.whoseFirst(ctx, again.Of.N)
	}
	if kind == decision.ReusedKind {
		used, err := decision.ParseReused(r.Body)
		if err != nil {
			return trust.ParticipantID{}, err
		}
		return n.whoseFirst(ctx, used.Of.N)
	}
	var none trust.ParticipantID
	text, ok := decision.Whose(r.Body)
	if !ok {
		return none, nil
	}
	l := n.receipts
	l.mu.Lock()
	defer l.mu.Unlock()
	id, known := l.partners[string(text)]
	if !known {
		var err error
		if id, err = trust.ParseParticipantID(string(text)); err != nil {
			return none, err
		}
		l.partners[string(text)] = id
	}
	if id == n.self {
		id = none
	}
	if len(l.firsts) >= knownFirsts {
		clear(l.firsts)
	}
	l.firsts[r.Position.N] = id
	return id, nil
}

func (n *Node) whoseFirst(ctx context.Context, entry uint64) (trust.ParticipantID, error) {
	l := n.receipts
	l.mu.Lock()
	id, known := l.firsts[entry]
	l.mu.Unlock()
	if known {
		return id, nil
	}
	first, err := n.decisions.Entry(ctx, entry)
	if err != nil {
		return id, err
	}
	return n.whose(ctx, first)
}

// of tells where a column stands: the last number it gave, and at the home what
// the host said last.
func (l *receiptLog) of(k columnKey) (c column) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.columns[k]; known != nil {
		c = column{head: known.head, epoch: known.epoch, told: known.told}
	}
	return c
}

// series tells how far each series of an edge goes, in order. It is behind where not
// all of the log's first entries were looked at yet; they are from now on.
func (l *receiptLog) series(partner trust.ParticipantID, side finding.Side, entries uint64) (held []receipt.Place, behind bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, c := range l.columns {
		if k.Partner == partner && k.Side == side && c.head > 0 {
			held = append(held, receipt.Place{Series: k.Series, N: c.head})
		}
	}
	slices.SortFunc(held, func(a, b receipt.Place) int { return cmp.Compare(a.Series, b.Series) })
	l.want(entries)
	return held, l.read < entries
}

// reached waits until the first entries of the decision log were looked at.
func (l *receiptLog) reached(ctx context.Context, entries uint64) bool {
	for ctx.Err() == nil {
		l.mu.Lock()
		l.want(entries)
		read, advanced := l.read, l.advanced
		l.mu.Unlock()
		if read >= entries {
			return true
		}
		wait(ctx, advanced, time.Hour)
	}
	return false
}

// columnOf gives the column that has a number for an entry; zero for none.
func (n *Node) columnOf(ctx context.Context, r ledger.Record) (columnKey, error) {
	if r.Kind == counterKind.Name {
		var c counterLeaf
		err := canonical.Decode(r.Body, &c)
		return columnKey{c.Host, finding.Home, c.Series}, err
	}
	partner, err := n.whose(ctx, r)
	if err != nil || partner.IsZero() {
		return columnKey{}, err
	}
	return columnKey{partner, finding.Host, receipt.SeriesOf(r.Position.Epoch)}, nil
}

// idPrefix begins the registers of a txn or reference, and says neither; the
// entries behind it are those that have it.
func (n *Node) idPrefix(id string) string {
	sum := n.Keys.Commit("receipt", id)
	return hex.EncodeToString(sum[:]) + " "
}
