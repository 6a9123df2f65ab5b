package table_test

import (
	"bytes"
	"encoding/binary"
	"maps"
	"runtime"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// value is what a revocation costs: 24 bytes without a pointer.
type value struct{ A, B, C uint64 }

func numbered(n uint64) table.Key {
	return table.KeyOf("row", string(binary.BigEndian.AppendUint64(nil, n)))
}

// check compares a table with the map it must equal, row by row and in order.
func check(t interface{ Fatalf(string, ...any) }, got table.Table[value], want map[table.Key]value) {
	if got.Len() != len(want) {
		t.Fatalf("table has %d rows, want %d", got.Len(), len(want))
	}
	var last table.Key
	rows := 0
	for key, val := range got.All() {
		if rows > 0 && bytes.Compare(last[:], key[:]) >= 0 {
			t.Fatalf("row %s follows %s", key, last)
		}
		if want[key] != val {
			t.Fatalf("row %s is %v, want %v", key, val, want[key])
		}
		last = key
		rows++
	}
	if rows != len(want) {
		t.Fatalf("All yields %d rows, want %d", rows, len(want))
	}
	for key, val := range want {
		if found, ok := got.Get(key); !ok || found != val {
			t.Fatalf("Get(%s) is %v, %v, want %v", key, found, ok, val)
		}
	}
}

func TestTableAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			table table.Table[value]
			want  map[table.Key]value
		}
		space := rapid.SampledFrom([]uint64{4, 100, 20_000}).Draw(t, "space")
		key := rapid.Custom(func(t *rapid.T) table.Key { return numbered(rapid.Uint64Range(0, space).Draw(t, "n")) })
		now := version{want: map[table.Key]value{}}
		var old []version
		t.Repeat(map[string]func(*rapid.T){
			"With": func(t *rapid.T) {
				k, v := key.Draw(t, "key"), value{A: rapid.Uint64().Draw(t, "value")}
				now.table = now.table.With(k, v)
				now.want[k] = v
			},
			"Without": func(t *rapid.T) {
				k := key.Draw(t, "key")
				now.table = now.table.Without(k)
				delete(now.want, k)
			},
			"Edit": func(t *rapid.T) {
				batch := now.table.Edit()
				first := rapid.Uint64Range(0, space).Draw(t, "first")
				for n := range rapid.Uint64Range(0, 300).Draw(t, "puts") {
					batch.Put(numbered(first+n), value{B: n})
					now.want[numbered(first+n)] = value{B: n}
				}
				for n := range rapid.Uint64Range(0, 100).Draw(t, "deletes") {
					batch.Delete(numbered(first + 2*n))
					delete(now.want, numbered(first+2*n))
				}
				now.table = batch.Table()
			},
			"keep": func(*rapid.T) { old = append(old, version{now.table, maps.Clone(now.want)}) },
			"": func(t *rapid.T) {
				if k := key.Draw(t, "looked up"); now.want[k] != first(now.table.Get(k)) {
					t.Fatalf("Get(%s) is %v, want %v", k, first(now.table.Get(k)), now.want[k])
				}
			},
		})
		for _, v := range append(old, now) {
			check(t, v.table, v.want)
		}
	})
}

func first(v value, _ bool) value { return v }

func TestBatchGoesOn(t *testing.T) {
	batch := table.Table[value]{}.Edit()
	batch.Put(numbered(1), value{A: 1})
	one := batch.Table()
	batch.Put(numbered(1), value{A: 2})
	batch.Put(numbered(2), value{A: 2})
	batch.Put(numbered(3), value{A: 3})
	batch.Delete(numbered(3))
	check(t, one, map[table.Key]value{numbered(1): {A: 1}})
	check(t, batch.Table(), map[table.Key]value{numbered(1): {A: 2}, numbered(2): {A: 2}})
}

// Keys that are no hashes, and crowd at one place of a page, are found too.
func TestCrowdedKeys(t *testing.T) {
	var tbl table.Table[int]
	key := func(i int) (k table.Key) {
		k[7], k[15] = byte(i%3), byte(i)
		return k
	}
	for i := range 200 {
		tbl = tbl.With(key(i), i)
	}
	for i := range 200 {
		if v, ok := tbl.Get(key(i)); !ok || v != i {
			t.Errorf("key %d has %d, %t", i, v, ok)
		}
	}
	var above table.Key
	for i := range above {
		above[i] = 0xff
	}
	for _, k := range []table.Key{{}, {7: 1}, {7: 3}, above} {
		if _, ok := tbl.Get(k); ok && k != key(0) {
			t.Errorf("key %x is there", k)
		}
	}
}

func TestLargeTableGrownBothWays(t *testing.T) {
	want := map[table.Key]value{}
	batch := table.Table[value]{}.Edit()
	var single table.Table[value]
	for n := range uint64(20_000) {
		want[numbered(n)] = value{A: n}
		batch.Put(numbered(n), value{A: n})
		single = single.With(numbered(n), value{A: n})
	}
	check(t, batch.Table(), want)
	check(t, single, want)
}

func TestJSON(t *testing.T) {
	for _, rows := range []uint64{0, 1, 5000} {
		var up, down table.Table[value]
		for n := range rows {
			up = up.With(numbered(n), value{A: n})
			down = down.With(numbered(rows-1-n), value{A: rows - 1 - n})
		}
		text := must(json.Marshal(up))
		if again := must(json.Marshal(down)); !bytes.Equal(text, again) {
			t.Fatalf("two equal tables of %d rows differ in JSON", rows)
		}
		var back table.Table[value]
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		check(t, back, maps.Collect(up.All()))
	}
}

func TestJSONForm(t *testing.T) {
	one := table.Table[int]{}.With(table.Key{0xAB}, 7)
	if text := string(must(json.Marshal(one))); text != `[["ab000000000000000000000000000000",7]]` {
		t.Fatal(text)
	}
}

func TestJSONRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"falling keys":     `[["02000000000000000000000000000000",1],["01000000000000000000000000000000",1]]`,
		"a key twice":      `[["01000000000000000000000000000000",1],["01000000000000000000000000000000",2]]`,
		"upper case":       `[["AB000000000000000000000000000000",1]]`,
		"a short key":      `[["01",1]]`,
		"a key alone":      `[["01000000000000000000000000000000"]]`,
		"three in a row":   `[["01000000000000000000000000000000",1,2]]`,
		"a value too many": `[["01000000000000000000000000000000",1],3]`,
		"an object":        `{}`,
		"a string value":   `[["01000000000000000000000000000000","1"]]`,
	} {
		t.Run(name, func(t *testing.T) {
			var got table.Table[int]
			if err := json.Unmarshal([]byte(text), &got); err == nil {
				t.Fatalf("accepted as %d rows", got.Len())
			}
		})
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`[["01000000000000000000000000000000",1],["02000000000000000000000000000000",2]]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got, again table.Table[int]
		if json.Unmarshal(text, &got) != nil {
			return
		}
		if err := json.Unmarshal(must(json.Marshal(got)), &again); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(maps.Collect(got.All()), maps.Collect(again.All())) {
			t.Fatal("a table does not survive its own JSON")
		}
	})
}

// Cache-key collisions (the attacks of reliability): a million random tuples of few, short and similar
// parts, in which a builder that only concatenates would collide at once.
func TestKeyOfDoesNotCollide(t *testing.T) {
	seen := make(map[table.Key]struct{}, 1<<20)
	parts := make([]string, 0, 4)
	tuples := 0
	alphabet := []string{"", "a", "b", "aa", "ab", "\x00", "a\x00", ":", "\x00\x00\x00\x00\x00\x00\x00\x01a", "https://rxw.example"}
	var walk func(depth int)
	walk = func(depth int) {
		seen[table.KeyOf(parts...)] = struct{}{}
		tuples++
		if depth == 0 {
			return
		}
		for _, p := range alphabet {
			parts = append(parts, p)
			walk(depth - 1)
			parts = parts[:len(parts)-1]
		}
	}
	walk(6)
	if len(seen) != tuples || tuples < 1_000_000 {
		t.Fatalf("%d different tuples gave %d keys", tuples, len(seen))
	}
}

func TestKeyOfAllocatesNothing(t *testing.T) {
	issuer := "https://idp.rxw.example"
	if n := testing.AllocsPerRun(100, func() { table.KeyOf("jti", issuer, "a-token-identifier") }); n != 0 {
		t.Fatalf("KeyOf allocates %v times", n)
	}
	if table.KeyOf("a", string(make([]byte, 600))) == table.KeyOf("a", string(make([]byte, 601))) {
		t.Fatal("two long parts give one key")
	}
}

func TestKeyText(t *testing.T) {
	key := numbered(1)
	var back table.Key
	if err := back.UnmarshalText(must(key.MarshalText())); err != nil || back != key {
		t.Fatal(back, err)
	}
	if err := back.UnmarshalText([]byte("xx")); trust.KindOf(err) != trust.Invalid {
		t.Fatal(err)
	}
}

func build(rows uint64) table.Table[value] {
	batch := table.Table[value]{}.Edit()
	for n := range rows {
		batch.Put(numbered(n), value{A: n})
	}
	return batch.Table()
}

func TestMillionRowsFit(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rows := build(1_000_000)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if used := after.HeapAlloc - before.HeapAlloc; used > 45_000_000 {
		t.Fatalf("a million rows of 40 bytes take %d bytes; at most 45 million are allowed", used)
	}
	runtime.KeepAlive(rows)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func BenchmarkGet(b *testing.B) {
	rows := build(1_000_000)
	keys := slices.Collect(maps.Keys(maps.Collect(rows.All())))
	for i := 0; b.Loop(); i++ {
		rows.Get(keys[i%len(keys)])
	}
}

func BenchmarkWith(b *testing.B) {
	rows := build(1_000_000)
	for i := 0; b.Loop(); i++ {
		rows.With(numbered(uint64(i)), value{})
	}
}

func BenchmarkEdit100k(b *testing.B) {
	rows := build(1_000_000)
	for b.Loop() {
		batch := rows.Edit()
		for n := range uint64(100_000) {
			batch.Put(numbered(7*n), value{B: n})
		}
		batch.Table()
	}
}

func BenchmarkKeyOf(b *testing.B) {
	for b.Loop() {
		table.KeyOf("jti", "https://idp.rxw.example", "a-token-identifier")
	}
}

func BenchmarkFullGC(b *testing.B) {
	rows := build(1_000_000)
	for b.Loop() {
		runtime.GC()
	}
	runtime.KeepAlive(rows)
}
