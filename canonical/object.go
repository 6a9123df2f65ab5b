package canonical

// Object is the one parsed form of a JSON object whose members are not known
// beforehand, such as the claims of a token. A value is a string, bool, nil,
// int64 (a number written without fraction or exponent that fits), float64 (any
// other number), []any or Object. Strings share the memory of one copy of the
// input; clone one that outlives the object by far.
type Object map[string]any

// Text gives the member when it is a string.
func (o Object) Text(name string) (string, bool) {
	s, ok := o[name].(string)
	return s, ok
}

// Int gives the member when it is a number written as an integer.
func (o Object) Int(name string) (int64, bool) {
	n, ok := o[name].(int64)
	return n, ok
}

// Memory an input may claim, in bytes: with the copy of the input itself four
// for each of its own, and an allowance so that small dense objects pass. The
// costs are upper bounds of what the runtime takes, growing included.
const (
	budgetPerByte   = 3
	budgetAllowance = 16 << 10

	costOfContainer = 64
	costOfElement   = 80
	costOfMember    = 128
)

// ParseObject reads data as one object. Beside what the package refuses
// everywhere it refuses an input so dense with values that the object would
// take more than four times its size plus 16 KiB. It fails with Invalid.
func ParseObject(data []byte) (Object, error) {
	p := parser{build: true, budget: budgetPerByte*len(data) + budgetAllowance}
	v, err := p.parse(data)
	if err != nil {
		return nil, err
	}
	o, ok := v.(Object)
	if !ok {
		return nil, invalid("", "is not an object")
	}
	return o, nil
}
