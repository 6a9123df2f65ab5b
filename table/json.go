package table

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/trust"
)

// MarshalJSONTo writes an array of [key, value] pairs in key order, the key as
// 32 hexadecimal digits. Equal tables give equal bytes where equal values do.
func (t Table[V]) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for key, val := range t.All() {
		if err := writePair(enc, key, val); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndArray)
}

func writePair[V any](enc *jsontext.Encoder, key Key, val V) error {
	if err := enc.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	if err := enc.WriteToken(jsontext.String(key.String())); err != nil {
		return err
	}
	if err := json.MarshalEncode(enc, val); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndArray)
}

// UnmarshalJSONFrom reads what MarshalJSONTo writes and replaces t by it. It
// fails with Invalid where keys do not strictly rise.
func (t *Table[V]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if err := expect(dec, '['); err != nil {
		return err
	}
	var rows Batch[V]
	for dec.PeekKind() == '[' {
		key, val, err := readPair[V](dec)
		if err != nil {
			return err
		}
		if n := len(rows.changes); n > 0 && bytes.Compare(rows.changes[n-1].key[:], key[:]) >= 0 {
			return trust.Errorf(trust.Invalid, "table row %s does not stand after %s; keys strictly rise", key, rows.changes[n-1].key)
		}
		rows.Put(key, val)
	}
	if err := expect(dec, ']'); err != nil {
		return err
	}
	*t = rows.Table()
	return nil
}

func readPair[V any](dec *jsontext.Decoder) (key Key, val V, err error) {
	if err = expect(dec, '['); err != nil {
		return key, val, err
	}
	if err = json.UnmarshalDecode(dec, &key); err != nil {
		return key, val, err
	}
	if err = json.UnmarshalDecode(dec, &val); err != nil {
		return key, val, err
	}
	return key, val, expect(dec, ']')
}

func expect(dec *jsontext.Decoder, kind jsontext.Kind) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != kind {
		return trust.Errorf(trust.Invalid, "table has %s where a %s stands", token.Kind(), kind)
	}
	return nil
}
