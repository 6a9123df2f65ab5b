package participant

// Until gives the end of the keys of a use without a gap from now on, in Unix
// seconds: what a key that is announced carries on counts. Without a key that is
// good now it is the end of the latest that was, or 0.
func (c Card) Until(use KeyUse, now int64) int64 {
	end, before := now, int64(0)
	for grown := true; grown; {
		grown = false
		for _, k := range c.Keys {
			if k.Use != use {
				continue
			}
			if k.Window.NotBefore <= end && end < k.Window.NotAfter {
				end, grown = k.Window.NotAfter, true
			}
			if k.Window.NotAfter <= now {
				before = max(before, k.Window.NotAfter)
			}
		}
	}
	if end == now {
		return before
	}
	return end
}
