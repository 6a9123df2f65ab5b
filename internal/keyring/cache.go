package keyring

import (
	"crypto/cipher"

	"github.com/entente-id/entente/trust"
)

// cacheSize bounds each of the two halves of a cache, some 40 MiB together. The
// people of one large partner fit: whoever does not is read from the table, which
// costs more than a signature.
const cacheSize = 1 << 15

// cache holds the keys used last. When the young half holds size keys it becomes
// the old half, and what nobody asked for since the last such turn is forgotten.
type cache struct {
	size       int
	young, old map[trust.SubjectKey]cipher.AEAD
}

func (c *cache) get(owner trust.SubjectKey) (cipher.AEAD, bool) {
	if key, ok := c.young[owner]; ok {
		return key, true
	}
	key, ok := c.old[owner]
	if ok {
		c.put(owner, key)
	}
	return key, ok
}

func (c *cache) put(owner trust.SubjectKey, key cipher.AEAD) {
	if c.young == nil || len(c.young) >= c.size {
		c.young, c.old = make(map[trust.SubjectKey]cipher.AEAD), c.young
	}
	c.young[owner] = key
}

func (c *cache) remove(owner trust.SubjectKey) {
	delete(c.young, owner)
	delete(c.old, owner)
}
