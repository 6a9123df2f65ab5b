package jose

// CheckSignature checks what a token is signed with and nothing else: three
// parts of strict base64url, the header, whether a key of the set fits it, and
// the signature. Its typ and its payload may be anything; the payload is given
// back as bytes. It is for engineers and for test vectors: no decision may rest
// on it, and it makes no Verified. It fails with Invalid and a Fault; the header
// comes with it as far as it could be read.
func CheckSignature(token []byte, keys KeySet) (Header, []byte, error) {
	u, payload, err := open(token, Form{}, readHeader)
	if err != nil {
		return Header{}, nil, err
	}
	key, err := keys.fitting(u.header.KeyID)
	if err != nil {
		return u.header, nil, err
	}
	if _, err := u.Verify(key); err != nil {
		return u.header, nil, err
	}
	return u.header, payload, nil
}

// fitting is Lookup, but that the only key of a set, when it has no kid, fits
// every token (RFC 7515, section 4.1.4: matching by kid is optional).
func (s KeySet) fitting(kid string) (Key, error) {
	if len(s.keys) == 1 && s.keys[0].KeyID() == "" {
		return s.keys[0], nil
	}
	return s.Lookup(kid)
}
