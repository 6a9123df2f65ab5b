package canonical

import "strconv"

// number reads a number by the grammar of RFC 8259, section 6.
func (p *parser) number() (any, *fault) {
	start, integer := p.i, true
	p.accept('-')
	if !p.accept('0') && p.digits() == 0 {
		return nil, refuse("has a number without digits")
	}
	if p.accept('.') {
		integer = false
		if p.digits() == 0 {
			return nil, refuse("has a number without digits behind its point")
		}
	}
	if p.accept('e') || p.accept('E') {
		integer = false
		if !p.accept('+') {
			p.accept('-')
		}
		if p.digits() == 0 {
			return nil, refuse("has a number without an exponent")
		}
	}
	if !p.build {
		return nil, nil
	}
	return convert(p.s[start:p.i], integer)
}

func convert(literal string, integer bool) (any, *fault) {
	if integer {
		if n, err := strconv.ParseInt(literal, 10, 64); err == nil {
			return n, nil
		}
	}
	x, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return nil, refuse("has a number out of range")
	}
	return x, nil
}

func (p *parser) accept(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) digits() int {
	start := p.i
	for p.i < len(p.s) && '0' <= p.s[p.i] && p.s[p.i] <= '9' {
		p.i++
	}
	return p.i - start
}
