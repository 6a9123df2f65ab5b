package canonical_test

import (
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
)

func TestAppendValueReadsBack(t *testing.T) {
	o := canonical.Object{
		"s": "w\u2028\"7", "n": int64(-7), "f": 2.5, "g": 1e21, "whole": 3.0, "t": true, "z": nil,
		"l": []any{"a", canonical.Object{"b": "c"}}, "e": []any{}, "o": canonical.Object{},
	}
	back, err := canonical.ParseObject(canonical.AppendValue(nil, o))
	if err != nil || !reflect.DeepEqual(back, o) {
		t.Errorf("reads back as %#v, %v", back, err)
	}
	if got := string(canonical.AppendValue(nil, map[string]any{"b": struct{}{}, "a": int64(1)})); got != `{"a":1,"b":null}` {
		t.Errorf("got %s", got)
	}
}
