package keyring

import "github.com/entente-id/entente/trust"

// Cache lets a test see the bound that a Keyring's memory has.
type Cache struct{ c cache }

func NewCache(size int) *Cache { return &Cache{cache{size: size}} }

func (c *Cache) Put(owner trust.SubjectKey)      { c.c.put(owner, nil) }
func (c *Cache) Remove(owner trust.SubjectKey)   { c.c.remove(owner) }
func (c *Cache) Len() int                        { return len(c.c.young) + len(c.c.old) }
func (c *Cache) Has(owner trust.SubjectKey) bool { _, ok := c.c.get(owner); return ok }
