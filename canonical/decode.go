package canonical

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/trust"
)

// Decode reads data into what v points to, which should be zero. Member names
// match exactly, in case too; a member v does not know is refused, and so is
// null in place of the whole value. It fails with Invalid.
func Decode(data []byte, v any) error {
	return decode(data, v, json.RejectUnknownMembers(true))
}

// DecodeLoose is Decode for texts whose standard has unknown members ignored.
// A case variant of a known member is unknown, and refused beside it.
func DecodeLoose(data []byte, v any) error {
	return decode(data, v)
}

func decode(data []byte, v any, options ...json.Options) error {
	var p parser
	if _, err := p.parse(data); err != nil {
		return err
	}
	if jsontext.Value(data).Kind() == jsontext.KindNull {
		return invalid("", "is null")
	}
	if err := json.Unmarshal(data, v, options...); err != nil {
		return describe(err)
	}
	return nil
}

// describe puts the decoder's error into our words: its own would quote values
// and name Go types.
func describe(err error) error {
	if e, ok := errors.AsType[*json.SemanticError](err); ok {
		return invalid(string(e.JSONPointer), reason(e))
	}
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return invalid(string(e.JSONPointer), "is malformed")
	}
	return trust.Errorf(trust.KindOf(err), "JSON cannot be read: %w", err)
}

func reason(e *json.SemanticError) string {
	if errors.Is(e.Err, json.ErrUnknownName) {
		return "is not known here; an unknown member is refused"
	}
	if own, ok := errors.AsType[*trust.Error](e.Err); ok {
		return "is refused: " + own.Text
	}
	switch e.JSONKind {
	case jsontext.KindString:
		return "is a string that does not fit here"
	case jsontext.KindNumber:
		return "is a number that does not fit here"
	case jsontext.KindBeginObject:
		return "is an object where none belongs"
	case jsontext.KindBeginArray:
		return "is an array where none belongs"
	default:
		return "has the wrong type"
	}
}
